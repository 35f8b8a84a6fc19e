"""What every command needs: settings, the store, the clock, the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from carbonhui.core.clock import Clock, SystemClock
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import Settings, read_settings

Value = TypeVar("Value")


class Face:
    """One run of the program."""

    def __init__(self, *, profile: str | None, chosen_language: str | None) -> None:
        self.profile = profile
        self.chosen_language = chosen_language
        self.clock: Clock = SystemClock()

    @cached_property
    def settings(self) -> Settings:
        return read_settings(profile=self.profile)

    @property
    def language(self) -> str:
        return self.chosen_language or self.settings.language

    @contextmanager
    def database(self) -> Iterator[Database]:
        with open_database(self.settings) as opened:
            yield opened


pass_face = click.make_pass_decorator(Face)


def console() -> Console:
    """Where results go. Tables keep their width when the output is not a terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=120, soft_wrap=True)


def progress_on(console: Console) -> Progress:
    """A bar for a long step; nothing when the output is not a terminal."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
    )
