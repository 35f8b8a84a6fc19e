"""Benchmarks, never tests: each prints what was measured beside a yardstick of the same run."""
