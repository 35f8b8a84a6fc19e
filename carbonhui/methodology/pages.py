"""The pages of the installed methodologies, and the sheet on which the three bodies decide."""

from collections.abc import Iterable

from carbonhui.approvals import BODIES
from carbonhui.methodology.checking import Examination
from carbonhui.methodology.markdown import Writer
from carbonhui.methodology.methodology import Methodology

#: The first line of every page, by which a later run knows its own.
GENERATED = "<!-- Written by: carbonhui methodology pages. Do not edit. -->"
LANGUAGES = ("en", "zh")


def pages(versions: Iterable[Methodology]) -> dict[str, str]:
    """A page for each version in each language, and the index, by file name."""
    listed = list(versions)
    found = {_name(one, language): _page(one, language) for one in listed for language in LANGUAGES}
    assert len(found) == len(listed) * len(LANGUAGES)
    return {**found, "README.md": _index(listed)}


def sheet(examined: Examination) -> str:
    """What the committee has on its table: the methodology in both languages, the verdict, the lines to sign.

    Only for a methodology that could be read.
    """
    found = examined.methodology
    assert found is not None
    writer = Writer(("zh", "en"))
    lines = [
        f"# {writer.word('sheet')}: {writer.title(found)}",
        *writer.body(found, examined.answers),
        *writer.section("verdict", _verdict(writer, examined)),
        *writer.section("signatures", _signatures(writer)),
    ]
    return "\n\n".join(lines) + "\n"


def _page(found: Methodology, language: str) -> str:
    [other] = [one for one in LANGUAGES if one != language]
    link = f"[{found.title[other]}]({_name(found, other)})"
    writer = Writer((language,))
    return "\n\n".join([GENERATED, f"# {writer.title(found)} {found.version}", link, *writer.body(found)]) + "\n"


def _index(listed: list[Methodology]) -> str:
    writer = Writer(("en", "zh"))
    rows = (
        (f"`{one.id}`", one.version, *(f"[{one.title[language]}]({_name(one, language)})" for language in LANGUAGES),
         writer.word(one.activity), one.first_day, writer.word("yes" if one.demonstration else "no"))
        for one in listed
    )  # fmt: skip
    columns = ("id", "version", "title", "title", "activity", "first_day", "demonstration")
    return "\n\n".join([GENERATED, f"# {writer.word('index')}", writer.table(columns, rows)]) + "\n"


def _name(found: Methodology, language: str) -> str:
    return f"{found.id}-{found.version}.{language}.md"


def _verdict(writer: Writer, examined: Examination) -> str:
    lines = [f"- {refusal.code}: {' / '.join(refusal.text(one) for one in writer.languages)}" for refusal in examined.problems]
    lines = lines or [f"- {writer.word('nothing_wrong')}"]
    lines += [f"- {engine}: {writer.word('not_run')}: {reason}" for engine, reason in examined.not_run.items()]
    return "\n".join(lines)


def _signatures(writer: Writer) -> str:
    columns = ("body", "decision", "document_number", "name_and_signature", "date")
    return writer.table(columns, ((writer.word(body), "", "", "", "") for body in BODIES))
