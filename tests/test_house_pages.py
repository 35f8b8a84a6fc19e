"""The house tests of the pages: what is written down and what is built are the same.

As in ``test_house.py``, each rule is a function over given sources, tried on the house and on a bad sample.
"""

import importlib
import inspect
import pkgutil
import re
import string
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import click
import pytest

import carbonhui
from carbonhui.cli import carbonhui as program
from carbonhui.core.refusals import Refusal, all_refusals
from tests.test_house import ROOT, house, kept_files, migrations, sources, storeys, texts

DOCS = ROOT / "docs"


def page(name: str) -> str:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def rows(text: str) -> list[list[str]]:
    """The cells of every table row of a page, without the headings' rules."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


def code_words(text: str) -> set[str]:
    """Every name that a page writes as code: in backticks, fenced, or indented."""
    pieces = re.findall(r"```.*?```|`[^`\n]+`|^ {4}.*$", text, flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"\w+", " ".join(pieces)))


# Refusals -----------------------------------------------------------------------------------------


@cache
def refusals() -> dict[str, type[Refusal]]:
    """Every refusal of the product, after every module was imported."""
    for module in pkgutil.walk_packages(carbonhui.__path__, "carbonhui."):
        # Alembic's environment can be imported by Alembic only, and its numbered steps are no names.
        if ".migrations." not in module.name:
            importlib.import_module(module.name)
    return {kind.code: kind for kind in all_refusals()}


def complaints_about_refusals(kinds: Iterable[type[Refusal]], text: str) -> list[str]:
    written = {row[0].strip("`"): row[1:] for row in rows(text) if re.fullmatch(r"`\w+`", row[0])}
    found, known = [], set()
    for kind in kinds:
        known.add(kind.code)
        if kind.code not in written:
            found.append(f"{kind.code} is not on the page")
        elif written[kind.code] != [kind.sentence, kind.sentence_zh]:
            found.append(f"{kind.code} has another sentence on the page")
        if _facts(kind.sentence) != _facts(kind.sentence_zh):
            found.append(f"{kind.code} names other facts in Chinese than in English")
    return found + [f"{code} is on the page and does not exist" for code in sorted(written.keys() - known)]


def _facts(template: str) -> set[str]:
    """The facts that a sentence names; one that is itself told in two languages is one fact."""
    return {name.removesuffix("_zh") for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_refusal_stands_on_its_page():
    assert complaints_about_refusals(refusals().values(), page("refusals.md")) == []


def test_every_code_that_the_database_raises_is_a_refusal():
    raised = {code for sql in migrations() for code in re.findall(r"(?:HINT = |v_code := (?:CASE .*?THEN )?)'(\w+)'", sql)}
    assert raised
    assert raised <= refusals().keys()


def test_a_refusal_that_is_missing_changed_or_invented_is_complained_about():
    class Sample(Refusal):
        code = "sample"
        sentence = "{one} of {two}."
        sentence_zh = "{one}。"

    assert len(complaints_about_refusals([Sample], "| `sample` | {one}. | {one}。 |\n| `ghost` | a | b |")) == 3
    assert len(complaints_about_refusals([Sample], "nothing")) == 2


# Commands -----------------------------------------------------------------------------------------


def complaints_about_help(command: click.Command, words: str = "carbonhui") -> list[str]:
    found = [] if (command.help or "").strip() else [f"{words} has no help"]
    found += [
        f"{words} {option.opts[0]} has no help"
        for option in command.params
        if isinstance(option, click.Option) and not (option.help or "").strip()
    ]
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            found += complaints_about_help(inner, f"{words} {name}")
    return found


def test_every_command_and_option_has_help():
    assert complaints_about_help(program) == []


def test_every_command_is_on_the_page_of_the_command_line():
    text = page("cli.md")
    assert [words for words in commands(program) if f"`{words}" not in text] == []


def commands(group: click.Group, before: str = "") -> list[str]:
    """The words of every command that does something, such as ``activity load``."""
    found = []
    for name, command in group.commands.items():
        words = f"{before}{name}"
        found += commands(command, f"{words} ") if isinstance(command, click.Group) else [words]
    return found


def test_a_command_without_help_is_complained_about():
    silent = click.Command("silent", params=[click.Option(["--loud"])])
    assert len(complaints_about_help(click.Group("sample", commands=[silent], help="A sample."))) == 2


# Pages --------------------------------------------------------------------------------------------


def complaints_about_articles(text: str, root: Path) -> list[str]:
    """Rows of article, matter, room, verb and test; the verb is importable and the test is there."""
    found = []
    led = [row for row in rows(text) if len(row) == 5 and re.match(r"\d", row[0])]
    for article, _, room, verbs, tests in led:
        for verb in re.findall(r"`([^`]+)`", verbs) or [""]:
            if not _is_verb(room.strip("`"), verb):
                found.append(f"Article {article}: {verb or 'nothing'} is no verb of {room}")
        for test in re.findall(r"`([^`]+)`", tests) or [""]:
            if not _is_test(root, test):
                found.append(f"Article {article}: there is no test {test}")
    return found if led else ["no article is led anywhere"]


def _is_verb(room: str, verb: str) -> bool:
    module, _, name = verb.partition(".")
    if module != room or room not in house().doors:
        return False
    return name in house().doors[room] and callable(getattr(importlib.import_module(f"carbonhui.{room}"), name))


def _is_test(root: Path, test: str) -> bool:
    name, _, function = test.partition("::")
    path = root / name
    if not name.startswith("tests/") or not path.is_file():
        return False
    return not function or f"def {function}(" in path.read_text(encoding="utf-8")


def test_every_article_leads_to_a_room_a_verb_and_a_test():
    assert complaints_about_articles(page("articles.md"), ROOT) == []


def test_an_article_that_leads_nowhere_is_complained_about():
    sample = "| 18 | Giving | `circulation` | `circulation.take` | `tests/circulation/test_nothing.py` |"
    assert len(complaints_about_articles(sample, ROOT)) == 2
    assert complaints_about_articles("Article 18 is about giving.", ROOT)


def verbs_of(room: str) -> set[str]:
    module = importlib.import_module(f"carbonhui.{room}")
    return {name for name in getattr(module, "__all__", ()) if inspect.isfunction(getattr(module, name))}


def complaints_about_page(room: str, verbs: Iterable[str], text: str) -> list[str]:
    if not text:
        return [f"docs/{room}.md is missing"]
    return [f"docs/{room}.md does not name {verb}" for verb in sorted(set(verbs) - code_words(text))]


@pytest.mark.parametrize("room", [room for rooms in storeys().values() for room in rooms])
def test_every_room_has_its_page_with_all_its_verbs(room):
    assert complaints_about_page(room, verbs_of(room), page(f"{room}.md")) == []


def test_a_verb_that_is_on_no_page_is_complained_about():
    assert complaints_about_page("ledger", ["post", "reverse"], "`ledger.post(session)` moves; reverse undoes.") == [
        "docs/ledger.md does not name reverse"
    ]
    assert complaints_about_page("cellar", [], "")


def complaints_about_settings(source: str, text: str) -> list[str]:
    names = {text for _, text in texts(source) if re.fullmatch(r"(?:CARBONHUI|DATABASE|XDG)_[A-Z_]+", text)}
    written = {row[0].strip("`") for row in rows(text) if re.fullmatch(r"`[A-Z_]+`", row[0])}
    return [f"{name} is not on the page" for name in sorted(names - written)] + [
        f"{name} is on the page and is read nowhere" for name in sorted(written - names)
    ]


def test_every_setting_stands_on_its_page():
    source = sources("carbonhui")["carbonhui/core/settings.py"]
    assert "CARBONHUI_HOME" in source
    assert complaints_about_settings(source, page("settings.md")) == []


def test_a_setting_that_is_missing_or_invented_is_complained_about():
    assert len(complaints_about_settings("env['CARBONHUI_HOME']", "| `CARBONHUI_HOUSE` | where |")) == 2


def complaints_about_index(index: str, names: Iterable[str]) -> list[str]:
    linked = set(re.findall(r"\]\(([\w.-]+\.md)\)", index))
    wanted = set(names) - {"README.md"}
    return [f"{name} is not in the index" for name in sorted(wanted - linked)] + [
        f"the index leads to {name}, which is not there" for name in sorted(linked - wanted)
    ]


def test_the_index_names_every_decision():
    names = [path.name for path in (DOCS / "decisions").glob("*.md")]
    assert complaints_about_index(page("decisions/README.md"), names) == []


def test_a_decision_outside_the_index_is_complained_about():
    assert len(complaints_about_index("[one](one.md)", ["two.md", "README.md"])) == 2


def complaints_about_links(name: str, text: str, root: Path) -> list[str]:
    """Links inside the repository lead to a file that is there."""
    targets = re.findall(r"\]\((?!\w+:)([^)#\s]+)", text)
    return [f"{name} leads to {target}" for target in targets if not (root / name).parent.joinpath(target).exists()]


def test_every_link_between_pages_leads_somewhere():
    pages = {name: text for name, text in kept_files().items() if name.endswith(".md")}
    assert [wrong for name, text in pages.items() for wrong in complaints_about_links(name, text, ROOT)] == []


def test_a_link_that_leads_nowhere_is_complained_about():
    assert complaints_about_links("docs/sample.md", "[x](cellar.md) [y](https://example.org) [z](#here)", ROOT) == [
        "docs/sample.md leads to cellar.md"
    ]
