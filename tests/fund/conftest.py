"""One store for all tests of a file."""

from tests.ledger.books import town

__all__ = ["town"]
