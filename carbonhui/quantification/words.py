"""Where the engines' SQL differs. What is not here both read alike."""

from dataclasses import dataclass

from carbonhui.methodology import DUCKDB, Dialect


@dataclass(frozen=True)
class Words:
    """How one engine says what the others say differently; {0} and {1} are expressions."""

    formula: Dialect
    #: Seconds since 1970 of a wall time.
    seconds: str
    #: Whole days from {0} to {1}.
    days_between: str
    #: The day {1} days after {0}.
    day_after: str

    def quotient(self, dividend: str, divisor: str) -> str:
        """The quotient of two whole numbers, of which neither is negative and the second is not 0."""
        return self.formula.operations["quotient"].format(dividend, divisor)


DUCKDB_WORDS = Words(
    formula=DUCKDB,
    seconds="(epoch_ms({0}) // 1000)",
    days_between="({1} - {0})",
    day_after="({0} + CAST({1} AS INTEGER))",
)


def day(value: object) -> str:
    """A day as a constant."""
    return f"DATE '{value}'"


def text(value: object) -> str:
    """A text as a constant."""
    return "'" + str(value).replace("'", "''") + "'"
