"""What credits are worth on a bill, and how much of it they may pay."""

from carbonhui.core.amounts import Credits, Fen


def offset_cap(bill_fen: Fen, *, percent: int) -> Fen:
    """The most of this bill that credits may pay.

    Rounded down, because rounding up would pass the tenth that the article allows.

    >>> offset_cap(1999, percent=10)
    199
    """
    assert bill_fen >= 0 and 0 <= percent <= 10
    return Fen(bill_fen * percent // 100)


def worth(credits: Credits, *, par_fen_per_1000: int) -> Fen:
    """What credits are worth at par. Rounded down, in favour of the reward fund.

    >>> worth(37, par_fen_per_1000=20_500)
    758
    """
    assert credits >= 0 and par_fen_per_1000 > 0
    return Fen(credits * par_fen_per_1000 // 1000)


def useful_credits(credits: Credits, cap_fen: Fen, *, par_fen_per_1000: int) -> Credits:
    """The fewest of these credits that are worth as much as they can be within the cap; 0 when that is nothing.

    What would be rounded away stays with the resident.

    >>> useful_credits(1_000, 199, par_fen_per_1000=20_500), useful_credits(8, 199, par_fen_per_1000=20_500)
    (9, 8)
    >>> useful_credits(199, 10, par_fen_per_1000=10)
    100
    """
    assert credits >= 0 and cap_fen >= 0 and par_fen_per_1000 > 0
    within_cap = ((cap_fen + 1) * 1000 - 1) // par_fen_per_1000
    fen = worth(Credits(min(credits, within_cap)), par_fen_per_1000=par_fen_per_1000)
    return Credits(-(-fen * 1000 // par_fen_per_1000))
