"""Whatever a file of any kind holds, each of its rows ends in exactly one place (Article 12)."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from carbonhui import activity
from carbonhui.core.refusals import Refusal
from tests.activity.conftest import STATIONS
from tests.activity.forms import (
    BILLS,
    BILLS_HEADER,
    METERS,
    METERS_HEADER,
    PICKUPS,
    PICKUPS_HEADER,
    RIDES,
    RIDES_HEADER,
    STEPS,
    STEPS_HEADER,
    SWIPES,
    SWIPES_HEADER,
)

KINDS = {
    "rides": (RIDES, RIDES_HEADER), "bills": (BILLS, BILLS_HEADER), "meters": (METERS, METERS_HEADER),
    "swipes": (SWIPES, SWIPES_HEADER), "steps": (STEPS, STEPS_HEADER), "pickups": (PICKUPS, PICKUPS_HEADER),
}  # fmt: skip
HONEST = {
    "start": ["2026-03-02 08:00:00", "2026-03-02 08:30:00"], "end": ["2026-03-02 08:20:00", "2026-03-02 09:00:00"],
    "at": ["2026-03-02 08:00:00", "2026-03-02 08:10:00", "2026-03-02 08:20:00", "2026-03-02"], "from": ["2026-01-05", "2026-01-20"],
    "to": ["2026-02-04", "2026-02-20"], "day": ["2026-03-02", "2026-03-03"], "mode": ["Bus", "Metro"], "what": ["in", "out", "bus"],
    "class": ["home"], "note": [""], "sold_to": [""], "tariff": ["", "3"], "metres": ["900", "2000", ""],
}  # fmt: skip
EXTREME = [
    "", " ", "0", "-1", "999999999", "999999999999", "999999999999.999999999999999999999999999999", "1e300", "9999-12-31 23:59:59",
    "9999-12", "0001-01-01", "2024-02-29", "\0", "１", "=1", "x" * 101, "居民", "'; DROP TABLE received; --", "$now", "{0}",
]  # fmt: skip


@some.composite
def files(draw, header):
    columns = header.split(",")
    rows = draw(some.lists(some.tuples(*(
        some.one_of(
            some.sampled_from(HONEST.get(name, ["1", "2"])), some.sampled_from(HONEST.get(name, ["1", "2"])),
            some.sampled_from(HONEST.get(name, ["1", "2"])), some.sampled_from(EXTREME), some.text("0123456789-.: ", max_size=12),
        )
        for name in columns
    )), min_size=1, max_size=30))  # fmt: skip
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_random_rows_of_every_kind_are_never_lost(database, clock, tmp_path, institution, kind):
    form, header = KINDS[kind]
    profile = institution(form)
    (tmp_path / "stations.csv").write_text(STATIONS)

    @limits(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(content=files(header))
    def each(content):
        path = tmp_path / "random.csv"
        path.write_text(content, encoding="utf-8", newline="")
        try:
            report = activity.load(
                database, database.settings, path, profile, received_by="t", clock=clock,
                stations=tmp_path / "stations.csv" if kind == "swipes" else None,
            )  # fmt: skip
        except Refusal:
            return
        assert report.accepted + report.duplicate + report.refused == report.rows_in == content.count("\n") - 1
        assert 0 <= report.acts <= report.accepted

    each()
