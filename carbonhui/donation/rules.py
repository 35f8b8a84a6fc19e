"""Who gives, what a charity may do with what it received, and how long a campaign runs."""

from carbonhui import policy
from carbonhui.ledger import Kind, Purpose

#: Article 21: persons, merchants and departments; Article 22 adds other organisations and what was pooled.
DONORS = (Kind.PERSON, Kind.MERCHANT, Kind.DEPARTMENT, Kind.ORGANISATION, Kind.CAMPAIGN)
#: A campaign lies within so many days of its proposal.
DAYS_LONGEST = 731
TITLE_LONGEST, PURPOSE_LONGEST, REASON_LONGEST = 120, 2000, 500
STATES = ("proposed", "approved", "refused", "ended")

#: Each use by the purpose of its transfer. Nothing is sold before there is a market; then its purpose is entered here.
PURPOSE_OF: dict[str, Purpose | None] = {
    "redeemed": Purpose.REDEEM, "retired": Purpose.RETIRE, "sold": None, "refunded": Purpose.REFUND,
}  # fmt: skip
#: The rule of the city that lets a charity do it; what was refunded needs none.
RULE_OF = {"redeemed": policy.CHARITY_MAY_REDEEM, "retired": policy.CHARITY_MAY_RETIRE, "sold": policy.CHARITY_MAY_SELL}
USES = tuple(PURPOSE_OF)


def left_after(received: int, used: dict[str, int]) -> int:
    """Credits of a campaign that are not accounted for yet, by how many went each way.

    None are left where a gift was corrected after it was used; the checks name that campaign.

    >>> left_after(10, {"redeemed": 4, "refunded": 1}), left_after(3, {"retired": 4})
    (7, 0)
    """
    spent = sum(credits for what, credits in used.items() if what != "refunded") - used.get("refunded", 0)
    return max(received - spent, 0)
