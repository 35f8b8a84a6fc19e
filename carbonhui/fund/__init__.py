"""The reward fund: its yearly budget, and buying departments' credits at par (Articles 19, 31)."""

from carbonhui.fund.operations import Purchase, purchase_at_par, receive_budget
from carbonhui.fund.refusals import NothingOwed, PurseOfAnother

__all__ = ["NothingOwed", "Purchase", "PurseOfAnother", "purchase_at_par", "receive_budget"]
