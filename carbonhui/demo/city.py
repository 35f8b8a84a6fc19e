"""The demonstration city's approval bodies. They exist in the demonstration profile only."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sqlalchemy.orm import Session

from carbonhui import approvals, methodology, policy
from carbonhui.core.clock import SystemClock
from carbonhui.methodology import Methodology

PROPOSER = "demo-city-office"

#: What is believed of one act: of trips the shortest and longest seconds and the fastest km/h, of a day the most
#: steps, grams, square metres, and of what a household uses the most in a day and the days of a bill.
_TRIPS = {"bicycle": (60, 10_800, 35), "metro": (60, 14_400, 120), "bus": (60, 14_400, 100), "ev": (60, 14_400, 150)}
_DAYS = {"walking": 100_000, "clothes": 200_000, "building": 1_000}
_HOUSEHOLDS = {"electricity": (2_400_000, 10, 36), "water": (100_000, 10, 70), "gas": (100_000, 10, 36)}


def _believed() -> Iterator[tuple[str, int]]:
    of_trips = ("shortest_s", "longest_s", "fastest_km_per_h")
    of_households = ("most_per_day", "bill_shortest_days", "bill_longest_days")
    for names, table in ((of_trips, _TRIPS), (of_households, _HOUSEHOLDS)):
        for mode, numbers in table.items():
            yield from ((policy.plausible_name(mode, name), number) for name, number in zip(names, numbers, strict=True))
    yield from ((policy.plausible_name(mode, "most_per_day"), number) for mode, number in _DAYS.items())
    yield policy.ONE_ACT_TOLERANCE, 300


#: The demonstration's thresholds: name and number.
BELIEVED = tuple(_believed())

#: Name, number, first day, and where the number comes from. None is an approved number of a real city.
NUMBERS = (
    (policy.EXCHANGE_RATIO, 100_000, date(2018, 1, 1), "demonstration: one credit for 100 g (no Guangzhou ratio found)"),
    (policy.PAR, 20_000, date(2018, 1, 1), "demonstration: Wuhan's 2 CNY per kg (China Daily, 2025-05-23)"),
    (policy.OFFSET_CAP, 10, date(2018, 1, 1), "Article 19 of the 2018 draft: a tenth"),
    *((name, number, date(2018, 1, 1), "demonstration: what the open data show") for name, number in BELIEVED),
)


def approve_what_is_installed(session: Session, installed: Iterable[Methodology]) -> list[str]:
    """Propose, decide and put in force the demonstration's numbers and every installed version; a line for each.

    What is in force already is left alone. Refused by the database outside the
    demonstration profile (`policy.DemonstrationOnly`).
    """
    lines = []
    for name, number, start, source in NUMBERS:
        if not policy.values(session, name):
            matter = policy.propose_number(
                session, name, number=number, start=start, source=source, proposed_by=PROPOSER, demonstration=True
            )
            lines.append(_approve(session, matter, f"{name} = {number:,} from {start}"))
    by_first_day = sorted(installed, key=lambda found: found.first_day)
    for id in dict.fromkeys(found.id for found in by_first_day):
        for found, start in _to_approve(session, id, [found for found in by_first_day if found.id == id]):
            matter = methodology.propose(session, found, start=start, source=found.document, proposed_by=PROPOSER)
            lines.append(_approve(session, matter, f"{found.id} {found.version} ({found.fingerprint[:12]}) from {start}"))
    return lines


def _to_approve(session: Session, id: str, ordered: list[Methodology]) -> list[tuple[Methodology, date]]:
    """The versions that are not in force, from the oldest to the newest, each with the day from which it should be.

    The first time each measures from its own first day. In books that measure by one
    already, a version follows what is in force, from tomorrow at the earliest. Of
    several from one day on only the newest is approved.
    """
    versions = policy.versions_in_force(session, id)
    earliest = SystemClock().today() + timedelta(days=1) if versions else date.min
    after = max((version.start for version in versions), default=date.min)
    known = {version.fingerprint for version in versions}
    newest_known = max((place for place, found in enumerate(ordered) if found.fingerprint in known), default=-1)
    starts = {max(found.first_day, earliest): found for found in ordered[newest_known + 1 :]}
    return [(found, start) for start, found in starts.items() if start > after]


def _approve(session: Session, matter: int, what: str) -> str:
    for body in approvals.BODIES:
        approvals.decide(
            session, matter, body=body, approved=True, decided_by=f"demo-{body}",
            document_number=f"DEMO-{matter}-{body}",
        )
    policy.come_into_force(session, matter)
    return f"{what}: approved by {', '.join(approvals.BODIES)} (matter {matter})"
