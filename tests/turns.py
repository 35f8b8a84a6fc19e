"""In what order two or more processes take the files of tests (``-n 2 --dist loadfile``)."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

#: The name under which several files are one piece of work.
TOGETHER = "spark"

#: Whoever asks Spark starts a Java machine, which takes ten seconds of a processor: one process asks for all.
SPARK = frozenset({
    "tests/cli/test_the_way_of_a_credit.py",
    "tests/methodologies/test_folders.py",
    "tests/methodology/test_scaffold.py",
    "tests/methodology/test_shipped.py",
    "tests/methodology/test_spark.py",
    "tests/methodology/test_third_party.py",
    "tests/methodology/test_what_a_folder_may_say.py",
    "tests/methodology/test_what_the_host_applies.py",
    "tests/quantification/test_three_engines.py",
})  # fmt: skip

#: What takes long, the longest first: begun last, it would leave the other processes nothing to do at the end.
LONGEST = (
    TOGETHER,
    "tests/shown/test_schemathesis.py",
    "tests/shown/test_races_of_use.py",
    "tests/shown/test_a_day_of_trade.py",
    "tests/shown/test_brute_force.py",
    "tests/activity/test_every_kind_adds_up.py",
    "tests/activity/test_fuzzed_files.py",
    "tests/api/test_serving.py",
    "tests/ledger/test_stress.py",
    "tests/schedule/test_many_schedulers.py",
    "tests/core/test_embedded.py",
    "tests/activity/test_fast_ways.py",
    "tests/shown/test_erasure.py",
    "tests/merchants/test_payment_codes.py",
    "tests/api/test_frame.py",
    "tests/quantification/test_consents.py",
    "tests/activity/test_real_files.py",
)


class Turns(LoadFileScheduling):
    """A file is one process's, as ever; only which comes first is ours. Files that are named nowhere follow, the fullest first."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER if file in SPARK else file

    def _assign_work_unit(self, node: Any) -> None:
        for scope in reversed(LONGEST):
            if scope in self.workqueue:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)
