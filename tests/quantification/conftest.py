"""A demonstration city in small: stations, rides, readings, approved methodologies."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from carbonhui import activity, approvals, methodology, participants, policy, quantification
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database, connection_of

#: 1 and 2 stand 1,111 m apart, 3 stands where 1 does, 4 is 103 km from 1.
STATIONS = "id,lat,lon\n1,20.68,-103.35\n2,20.67,-103.35\n3,20.68,-103.35\n4,21.61,-103.35\n"
RIDES = "trip_id,user_id,start_local,end_local,origin_station,dest_station"
MONTHS = "customer_id,month,kwh,readings,expected,coverage"
HALF_HOURS = "customer_id,reading_datetime,general_supply_kwh"
SCHEMES = {"mibici": "mibici.user", "sgsc": "sgsc.customer"}


class City:
    """Does in one line what the rooms below take three for."""

    def __init__(self, database: Database, clock: SetClock, folder: Path) -> None:
        self.database, self.clock, self.folder = database, clock, folder
        self.methodologies = methodology.installed()
        (folder / "stations.csv").write_text(STATIONS)
        self._files = 0

    def receive(self, profile: str, header: str, *rows: str) -> activity.BatchReport:
        self._files += 1
        path = self.folder / f"{self._files}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        report = activity.load(
            self.database, self.database.settings, path, profile, received_by="t", clock=self.clock,
            stations=self.folder / "stations.csv" if profile == "mibici" else None,
        )
        assert report.refused_by == {}
        return report

    def rides(self, *rows: str) -> activity.BatchReport:
        return self.receive("mibici", RIDES, *rows)

    def months(self, *rows: str) -> activity.BatchReport:
        return self.receive("sgsc-monthly", MONTHS, *rows)

    def approve(self, id: str, start: date = date(2020, 1, 1), fingerprint: str | None = None) -> None:
        with self.database.begin() as session:
            matter = policy.propose_fingerprint(
                session, id, fingerprint=fingerprint or self.methodologies[id].fingerprint, start=start, source="minutes",
                proposed_by="office", demonstration=True,
            )
            for body in approvals.BODIES:
                approvals.decide(session, matter, body=body, approved=True, decided_by=body, document_number="1")
            policy.come_into_force(session, matter)

    def enrol(self, source: str, since: date = date(2020, 1, 1)) -> None:
        with self.database.begin() as session:
            found = activity.subjects(session, self.database.settings, source)
            participants.enrol(session, SCHEMES[source], found, since)

    def quantify(self, **more: object) -> quantification.QuantifyReport:
        return quantification.quantify(self.database, self.database.settings, self.methodologies, **more)

    def reductions(self) -> list[tuple[object, ...]]:
        with self.database.begin() as session:
            query = "SELECT account_id, methodology, fingerprint, day, mg, batch_id FROM reduction ORDER BY account_id, day, batch_id"
            return connection_of(session).execute(query).fetchall()


@pytest.fixture
def city(database: Database, clock: SetClock, tmp_path: Path) -> City:
    return City(database, clock, tmp_path)


@pytest.fixture
def ride() -> Callable[..., str]:
    def one(number: int, user: int = 1, day: str = "2015-03-02", hour: int = 8, way: str = "1,2", until: str = ":10:00") -> str:
        return f"{number},{user},{day} {hour:02}:00:00,{day} {hour:02}{until},{way}"

    return one
