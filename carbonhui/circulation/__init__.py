"""Giving credits from person to person (Article 18)."""

from carbonhui.circulation.operations import give

__all__ = ["give"]
