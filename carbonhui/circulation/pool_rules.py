"""What a pool may be: its purposes, limits, and what comes back when it is over."""

from collections.abc import Iterable

from carbonhui.ledger import Kind

PURPOSES = ("neutralisation", "donation", "purchase")
STATES = ("open", "reached", "missed", "cancelled", "ended")
#: States in which what was not used goes back.
OVER = ("missed", "cancelled", "ended")
#: Whose account a pool of this purpose is meant for.
TARGETS = {"donation": Kind.CHARITY, "purchase": Kind.MERCHANT}
TITLE_LONGEST = 120
#: The longest that credits may be asked for; whoever put some in waits so long at most to get them back.
DAYS_LONGEST = 366
#: Pools of one owner that may take credits at one time.
OPEN_MOST = 20
#: Days for which a late refund into a pool that is over and empty still finds its way back.
LATE_DAYS = 800
#: What they received goes to the cancellation pool (Articles 19, 20), unless they give it to charity (Article 21).
_ONLY_TO_CHARITY = (Kind.MERCHANT, Kind.DEPARTMENT)


def may_contribute(kind: Kind, purpose: str) -> bool:
    """Whether an account of this kind may put credits into a pool of this purpose.

    Persons and emitters always; a merchant or department into a pool for charity only,
    because what they received is not theirs to circulate. A charity uses credits directly.

    >>> may_contribute(Kind.PERSON, "purchase"), may_contribute(Kind.MERCHANT, "purchase"), may_contribute(Kind.MERCHANT, "donation")
    (True, False, True)
    """
    assert purpose in PURPOSES
    return kind in (Kind.PERSON, Kind.ORGANISATION) or (kind in _ONLY_TO_CHARITY and purpose == "donation")


def shares(owed: Iterable[int], *, left: int) -> list[int]:
    """How much of ``left`` each gets of what is owed to them, in their order: all of it while there is some.

    Whole credits throughout, so nothing is rounded; the sum is ``left`` or all that is owed, whichever is less.

    >>> shares([4, 5, 3], left=7)
    [4, 3, 0]
    """
    assert left >= 0
    found = []
    for one in owed:
        assert one >= 0
        found.append(min(one, left))
        left -= found[-1]
    return found
