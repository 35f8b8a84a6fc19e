"""A ferry trip instead of a drive around the harbour."""

raise RuntimeError("a methodology is read, never run")
