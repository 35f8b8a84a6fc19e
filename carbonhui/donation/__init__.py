"""Giving credits to charities, by persons, merchants and departments (Article 21)."""

from carbonhui.donation.operations import donate

__all__ = ["donate"]
