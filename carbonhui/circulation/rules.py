"""What may be said with a gift and with a request, and the states they go through. Nobody's own words are kept."""

GREETINGS = ("none", "thanks", "birthday", "new_year", "spring_festival", "mid_autumn", "congratulations", "well_done", "love")
REASONS = ("none", "family", "shared_purchase", "pool", "neutralisation")
STATES = ("waiting", "accepted", "declined", "cancelled", "lapsed")


def last_expired_vintage(year: int, life_years: int) -> int | None:
    """The newest vintage that may no longer be used in a year; None where credits live without end.

    A credit may be used through the end of the year that lies ``life_years`` after its
    vintage: rounded up to whole years, in favour of whoever holds it.

    >>> last_expired_vintage(2036, 10), last_expired_vintage(2037, 10), last_expired_vintage(2037, 0)
    (2025, 2026, None)
    """
    assert life_years >= 0
    return year - life_years - 1 if life_years else None
