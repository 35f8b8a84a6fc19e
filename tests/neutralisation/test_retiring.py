"""Credits that neutralised emissions never move again (Article 22)."""

from typing import Any

import psycopg
import pytest

from carbonhui import ledger, neutralisation
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, code_of, fresh, give, holds, organisation, resident


def words(owner: int, credits: int) -> dict[str, Any]:
    return {"owner": owner, "credits": credits, "reference": fresh("retirement"), "business_date": DAY}


def test_what_is_retired_is_gone_for_good_and_its_serials_are_known(town: Database) -> None:
    with town.begin() as session:
        owner = resident(session, 10)
        retired = neutralisation.retire(session, **words(owner, 7))
        [(first, last)] = ledger.runs_of(session, retired.id)
        history = ledger.history_of(session, last)
    assert last - first + 1 == 7 and holds(town, owner) == 3
    assert [event.purpose for event in history] == [Purpose.MINT, Purpose.RETIRE]


def test_nothing_leaves_retirement_whoever_asks_and_however(town: Database) -> None:
    with town.begin() as session:
        owner, neighbour = resident(session, 10), resident(session)
        retired = neutralisation.retire(session, **words(owner, 7))
        retirement = ledger.system_account(session, Kind.RETIREMENT)
    before = holds(town, retirement)
    attempts = (
        lambda session: give(session, retirement, neighbour, 1),
        lambda session: give(session, retirement, ledger.system_account(session, Kind.CANCELLATION_POOL), 1),
        lambda session: ledger.reverse(session, retired.id, reference=fresh(), business_date=DAY),
        lambda session: neutralisation.retire(session, **words(ledger.system_account(session, Kind.CANCELLATION_POOL), 1)),
        lambda session: ledger.hold(
            session, purpose=Purpose.GIVE, source=retirement, target=neighbour, amount=1, reference=fresh(), business_date=DAY, seconds=9
        ),
    )
    for attempt in attempts:
        assert code_of(town, attempt) == "account_never_sends"
    with town.begin() as session:
        transfer = ledger.Transfer(
            purpose=Purpose.GIVE, source=retirement, target=neighbour, amount=1, reference=fresh(), business_date=DAY
        )
        [outcome] = ledger.post_many(session, [transfer])
    assert outcome.refusal is not None and outcome.refusal.code == "account_never_sends"
    assert holds(town, retirement) == before


def test_retirement_cannot_retire_itself(town: Database) -> None:
    with town.begin() as session:
        retirement = ledger.system_account(session, Kind.RETIREMENT)
    assert code_of(town, lambda session: neutralisation.retire(session, **words(retirement, 1))) == "self_transfer"


@pytest.mark.parametrize("kind", [Kind.MERCHANT, Kind.CHARITY, Kind.ORGANISATION, Kind.DEPARTMENT])
def test_organisations_neutralise_too(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        owner = organisation(session, kind)
        give(session, resident(session, 5), owner, 5)
        neutralisation.retire(session, **words(owner, 5))
    assert holds(town, owner) == 0
    assert code_of(town, lambda session: neutralisation.retire(session, **words(owner, 1))) == "not_enough"


def test_a_retirement_that_is_repeated_is_made_once(town: Database) -> None:
    with town.begin() as session:
        owner = resident(session, 10)
    asked = words(owner, 4)
    for again in (False, True):
        with town.begin() as session:
            assert neutralisation.retire(session, **asked).again is again
    assert code_of(town, lambda session: neutralisation.retire(session, **(asked | {"credits": 5}))) == "reference_reused"
    assert holds(town, owner) == 6


def test_nobody_removes_a_retirement_from_the_journal(town: Database) -> None:
    with town.begin() as session:
        retired = neutralisation.retire(session, **words(resident(session, 10), 7))
    with pytest.raises(psycopg.Error, match="never changed or removed"), town.connect_as_owner() as connection:
        connection.execute("DELETE FROM transfer WHERE id = %s", (retired.id,))
