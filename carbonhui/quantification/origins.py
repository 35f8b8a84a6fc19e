"""By which methodologies minted reductions were measured."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of


def methodologies_minted(session: Session, minted: Sequence[tuple[int, int, int]]) -> list[str]:
    """The methodologies of the reductions that these accounts had in these mints in these years, by name.

    Each of ``minted`` is an account, a mint and a vintage year.
    """
    accounts, mints, years = ([one[at] for one in minted] for at in range(3))
    rows = connection_of(session).execute(
        """SELECT DISTINCT r.methodology FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS m (account_id, mint_id, year)
           JOIN reduction r ON r.account_id = m.account_id AND r.mint_id = m.mint_id
            AND r.day BETWEEN make_date(m.year, 1, 1) AND make_date(m.year, 12, 31) ORDER BY 1""",
        (accounts, mints, years),
    )
    return [name for (name,) in rows]
