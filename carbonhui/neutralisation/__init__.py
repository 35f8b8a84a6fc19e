"""Retiring credits against one's own emissions, for good (Article 22)."""

from carbonhui.neutralisation.operations import retire

__all__ = ["retire"]
