"""A demonstration city in small: stations, rides, readings, approved methodologies."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from carbonhui import activity, approvals, consent, ledger, methodology, participants, policy, quantification
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database, connection_of
from carbonhui.methodology import Methodology

#: 1 and 2 stand 1,111 m apart, 3 stands where 1 does, 4 is 103 km from 1.
STATIONS = "id,lat,lon\n1,20.68,-103.35\n2,20.67,-103.35\n3,20.68,-103.35\n4,21.61,-103.35\n"
RIDES = "trip_id,user_id,start_local,end_local,origin_station,dest_station"
MONTHS = "customer_id,month,kwh,readings,expected,coverage"
HALF_HOURS = "customer_id,reading_datetime,general_supply_kwh"


class City:
    """Does in one line what the rooms below take three for."""

    def __init__(self, database: Database, clock: SetClock, folder: Path) -> None:
        self.database, self.clock, self.folder = database, clock, folder
        self.versions = methodology.installed_versions()
        (folder / "stations.csv").write_text(STATIONS)
        self._files = 0

    def methodology(self, id: str, version: str | None = None) -> Methodology:
        found = [one for one in self.versions if one.id == id and version in (None, one.version)]
        return max(found, key=lambda one: one.first_day)

    def profile(self, name: str, text: str) -> str:
        """An institution's own profile; its name."""
        folder = self.database.settings.profiles_folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text)
        return name

    def receive(self, profile: str, header: str, *rows: str) -> activity.BatchReport:
        self._files += 1
        path = self.folder / f"{self._files}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        chosen = activity.profile_named(profile, self.database.settings.profiles_folder)
        report = activity.load(
            self.database, self.database.settings, path, profile, received_by="t", clock=self.clock,
            stations=self.folder / "stations.csv" if chosen.stations else None,
        )
        assert report.refused_by == {}
        return report

    def rides(self, *rows: str) -> activity.BatchReport:
        return self.receive("mibici", RIDES, *rows)

    def months(self, *rows: str) -> activity.BatchReport:
        return self.receive("sgsc-monthly", MONTHS, *rows)

    def approve(self, id: str, start: date = date(2020, 1, 1), version: str | None = None) -> None:
        with self.database.begin() as session:
            found = self.methodology(id, version)
            matter = methodology.propose(session, found, start=start, source="minutes", proposed_by="office")
            self._decide(session, matter)

    def approve_fingerprint(self, id: str, fingerprint: str, start: date) -> None:
        """A version of which only the fingerprint is known here."""
        with self.database.begin() as session:
            self._decide(session, policy.propose_fingerprint(
                session, id, fingerprint=fingerprint, start=start, source="minutes", proposed_by="office", demonstration=True,
            ))  # fmt: skip

    def approve_numbers(self) -> None:
        """One credit for 100 g."""
        with self.database.begin() as session:
            self._decide(session, policy.propose_number(
                session, policy.EXCHANGE_RATIO, number=100_000, start=date(2018, 1, 1), source="minutes", proposed_by="office",
                demonstration=True,
            ))  # fmt: skip

    def received_on(self) -> date:
        """The city's day on which a batch that is loaded now is received."""
        return self.clock.today()

    def _decide(self, session, matter: int) -> None:
        for body in approvals.BODIES:
            approvals.decide(session, matter, body=body, approved=True, decided_by=body, document_number="1")
        policy.come_into_force(session, matter)

    def enrol(self, profile: str, since: date = date(2020, 1, 1)) -> None:
        """An account for everybody of a profile's source."""
        chosen = activity.profile_named(profile, self.database.settings.profiles_folder)
        with self.database.begin() as session:
            found = activity.subjects(session, self.database.settings, chosen.source)
            participants.enrol(session, chosen.scheme, found, since)
            self._consent(session, chosen)

    def consent(self, profile: str) -> None:
        """Everybody who holds an identifier of a profile's source consents to it, from its first day on."""
        with self.database.begin() as session:
            self._consent(session, activity.profile_named(profile, self.database.settings.profiles_folder))

    def _consent(self, session, chosen: activity.Profile) -> None:
        consent.grant_for_demo(
            session, source=chosen.source, scheme=chosen.scheme, on=self.clock.today(), sensitive=chosen.lake_kind == "trip"
        )

    def holder(self, scheme: str) -> int:
        """The account of the only identifier of a scheme."""
        with self.database.begin() as session:
            [link] = participants.accounts_of(session, scheme)
            return link.account_id

    def link(self, profile: str, account: int, since: date = date(2020, 1, 1), until: date | None = None) -> None:
        """Give an account every identifier of a profile's source that nobody holds."""
        chosen = activity.profile_named(profile, self.database.settings.profiles_folder)
        with self.database.begin() as session:
            held = {link.subject for link in participants.accounts_of(session, chosen.scheme)}
            for subject in activity.subjects(session, self.database.settings, chosen.source):
                if subject not in held:
                    participants.link(session, scheme=chosen.scheme, subject=subject, account_id=account, valid_from=since)
                    if until is not None:
                        participants.unlink(session, chosen.scheme, subject, on=until)
            self._consent(session, chosen)

    def quantify(self, **more: object) -> quantification.QuantifyReport:
        return quantification.quantify(self.database, self.database.settings, self.versions, **more)

    def reductions(self) -> list[tuple[object, ...]]:
        with self.database.begin() as session:
            query = "SELECT account_id, methodology, fingerprint, day, mg, batch_id FROM reduction ORDER BY account_id, day, batch_id"
            return connection_of(session).execute(query).fetchall()



@pytest.fixture
def template() -> str:
    """Files are judged by approved thresholds."""
    return "template_city"


@pytest.fixture
def city(database: Database, clock: SetClock, tmp_path: Path) -> Iterator[City]:
    """When the test is done, nothing was processed outside anybody's consent."""
    yield City(database, clock, tmp_path)
    with database.begin() as session:
        assert ledger.run_checks(session, consent.CHECKS) == {"I12": []}


@pytest.fixture
def ride() -> Callable[..., str]:
    def one(number: int, user: int = 1, day: str = "2015-03-02", hour: int = 8, way: str = "1,2", until: str = ":10:00") -> str:
        return f"{number},{user},{day} {hour:02}:00:00,{day} {hour:02}{until},{way}"

    return one
