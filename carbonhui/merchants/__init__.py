"""Redeeming credits at merchants, who hand them on to the cancellation pool (Articles 18, 20)."""

from carbonhui.merchants.operations import redeem, settle
from carbonhui.merchants.refusals import NothingToSettle

__all__ = ["NothingToSettle", "redeem", "settle"]
