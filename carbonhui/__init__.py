"""The carbon-inclusive (碳普惠) personal credit ledger.

The rooms below follow a credit's way: activity, reduction, issuance, use, close.
``setup.cfg`` draws the storeys; ``docs/articles.md`` leads from an article of the
regulation to the room that implements it.
"""

__version__ = "0.1.0"
