"""A home of its own for each benchmark, gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonhui.core import embedded


@contextmanager
def bench_home(name: str) -> Iterator[str]:
    """A new directory that PostgreSQL's user can reach, removed at the end."""
    home = tempfile.mkdtemp(prefix=f"carbonhui-bench-{name}-")
    Path(home).chmod(0o755)
    try:
        yield home
    finally:
        embedded.wait_until_stopped(Path(home))
        shutil.rmtree(home)
