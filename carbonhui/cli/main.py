"""The root command, and how refusals are told."""

import sys
from typing import Any

import click
import psycopg
from sqlalchemy.exc import DBAPIError

from carbonhui import __version__, policy
from carbonhui.cli import (
    access,
    accounts,
    activities,
    billing,
    books,
    charging,
    circulating,
    clockwork,
    consents,
    countersigning,
    donating,
    exporting,
    governance,
    measuring,
    merchanting,
    methodologies,
    neutralising,
    notices,
    people,
    pooling,
    serving,
    settling,
    using,
    vault,
)
from carbonhui.cli.context import Face
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import LANGUAGES, PROFILES, SettingInvalid

REFUSED = 3


class OneLine(click.Group):
    """A group whose commands tell what was refused in one line, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            click.echo(f"{refusal.code}: {_told(ctx, refusal)}", err=True)
            ctx.exit(REFUSED)
        except (psycopg.Error, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            click.echo(f"database_failed: {str(cause).splitlines()[0]}", err=True)
            ctx.exit(REFUSED)
        except UnicodeEncodeError as error:
            raise click.UsageError("an argument holds bytes that are not UTF-8") from error


def _told(ctx: click.Context, refusal: Refusal) -> str:
    """In the reader's language, and with the city's name of the credit where the settings can be read."""
    try:
        return policy.refusal_told(refusal, _language(ctx), ctx.obj.settings.city)
    except (AttributeError, SettingInvalid):
        return refusal.text(_language(ctx))


def _language(ctx: click.Context) -> str:
    """The reader's language; English where the settings that would say it are what is refused."""
    try:
        return ctx.obj.language if isinstance(ctx.obj, Face) else "en"
    except SettingInvalid:
        return "en"


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="carbonhui")
@click.option("--profile", type=click.Choice(PROFILES), help="Whose books: the real ones or the demonstration's.")
@click.option("--language", type=click.Choice(LANGUAGES), help="The language of sentences.")
@click.pass_context
def carbonhui(ctx: click.Context, profile: str | None, language: str | None) -> None:
    """The carbon-inclusive (碳普惠) personal credit ledger.

    Settings come from the environment; docs/settings.md lists them. Exit codes:
    0 done, 1 a check found something, 2 misspelt command, 3 refused.
    """
    ctx.obj = Face(profile=profile, chosen_language=language)


_PARTS = (
    books, methodologies, activities, measuring, governance, countersigning, accounts, using, circulating, billing, merchanting, charging, people,
    consents, access, vault, exporting, notices, clockwork, serving, neutralising, settling, pooling, donating,
)  # fmt: skip
for commands in _PARTS:
    for command in commands.COMMANDS:
        carbonhui.add_command(command)


def main() -> None:
    """The entry point of the installed program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    carbonhui(prog_name="carbonhui")
