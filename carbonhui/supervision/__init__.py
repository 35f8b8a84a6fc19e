"""Watching over the whole books: every room's invariants in one place (Articles 36-38)."""

from carbonhui.supervision.operations import CHECKS, Verdict, verify

__all__ = ["CHECKS", "Verdict", "verify"]
