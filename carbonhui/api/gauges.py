"""What the books themselves say when the metrics are asked for: imbalance, lateness, reads.

Each is one indexed or small query. A table that this store does not have yet says nothing.
"""

from typing import TYPE_CHECKING

import psycopg

from carbonhui.api.tallies import Tally

if TYPE_CHECKING:
    from carbonhui.api.foundation import Foundation

#: Name, kind, help, and the query: one row a sample, its value first, then its labels by name.
_QUERIES = (
    (
        "carbonhui_idempotency_answers", "gauge", "Answers that are kept for repetitions.",
        "SELECT greatest(reltuples, 0)::bigint AS value FROM pg_class WHERE relname = 'api_answer'",
    ),
    (
        "carbonhui_ledger_imbalance_credits", "gauge", "Sum of all balances of credits, which is nought.",
        "SELECT ((SELECT coalesce(sum(b.posted), 0) FROM balance b JOIN account a ON a.id = b.account_id WHERE a.asset = 1)"
        " + (SELECT coalesce(sum(i.amount), 0) FROM incoming i JOIN account a ON a.id = i.account_id WHERE a.asset = 1))::bigint AS value",
    ),
    (
        "carbonhui_outbox_oldest_age_seconds", "gauge", "How long the oldest undelivered notification has been waiting.",
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.at)), 0)::bigint AS value "
        "FROM webhook_delivery d JOIN announcement a ON a.id = d.announcement_id WHERE d.state = 'waiting'",
    ),
    (
        "carbonhui_outbox_dead", "gauge", "Notifications that were given up and wait for somebody to send them again.",
        "SELECT count(*) AS value FROM webhook_delivery WHERE state = 'dead'",
    ),
    (
        "carbonhui_job_last_success_timestamp_seconds", "gauge", "When each job last ended well.",
        "SELECT extract(epoch FROM max(finished_at))::bigint AS value, job FROM job_run WHERE outcome = 'done' GROUP BY job ORDER BY job",
    ),
)  # fmt: skip


def gauges(foundation: "Foundation") -> bytes:
    """The samples in Prometheus' text format; none while the store cannot be asked."""
    lines: list[str] = []
    try:
        with foundation.transactions.lend() as kept:
            for name, kind, says, query in _QUERIES:
                lines += _samples(kept.connection, name, kind, says, query)
            for tally in foundation.metrics.tallies:
                lines += _counted(kept.connection, tally)
    except psycopg.Error:
        return b""
    return "".join(line + "\n" for line in lines).encode()


def _counted(connection: "psycopg.Connection[tuple[object, ...]]", tally: Tally) -> list[str]:
    try:
        found = tally.told(connection)
    except psycopg.errors.QueryCanceled:
        return []
    if found is None:
        return []
    lines = [f"# HELP {tally.name} {tally.says}", f"# TYPE {tally.name} counter"]
    return lines + [f'{tally.name}{{{tally.label}="{_plain(word)}"}} {count}' for word, count in sorted(found.items())]


def _plain(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _samples(connection: "psycopg.Connection[tuple[object, ...]]", name: str, kind: str, says: str, query: str) -> list[str]:
    try:
        cursor = connection.execute(query)
    except psycopg.errors.UndefinedTable:
        return []
    labels = [column.name for column in (cursor.description or [])[1:]]
    lines = [f"# HELP {name} {says}", f"# TYPE {name} {kind}"]
    for value, *words in cursor.fetchall():
        told = ",".join(f'{label}="{word}"' for label, word in zip(labels, words, strict=True))
        lines.append(f"{name}{{{told}}} {value}" if told else f"{name} {value}")
    return lines
