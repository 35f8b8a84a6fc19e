"""The house tests of STYLE: they keep the writing honest, whoever writes.

Each rule is a function over given sources that answers with its complaints. The house must give it
none to make, and a bad sample some: a rule that never complains is not a rule.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import string
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

import carbonhui
from carbonhui.cli import carbonhui as program
from carbonhui.core.refusals import Refusal, all_refusals

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

#: The one acquaintance on a storey: the command line has a command that plays the demonstration.
KNOWN_SIDEWAYS = {("cli", "demo")}
VOCABULARY = "carbonhui.methodology.formula"

#: Who writes which table. Only a room's own files write its own tables.
TABLES = {
    "core": ("deployment",),
    "ledger": (
        "asset", "account_kind", "purpose", "account", "balance", "incoming", "transfer", "move", "hold", "block",
        "issue", "reel",
    ),
    "approvals": ("matter", "decision"),
    "policy": ("policy_name", "policy_value", "policy_in_force"),
    "participants": ("link",),
    "activity": ("batch", "batch_file"),
    "quantification": ("reduction", "measurement", "measured_month"),
    "issuance": ("mint", "carry"),
    "publicfees": ("bill_offset",),
    "fund": ("par_purchase",),
}  # fmt: skip
OWNER = {table: room for room, tables in TABLES.items() for table in tables}


# The sources -------------------------------------------------------------------------------------


@cache
def sources(*folders: str) -> dict[str, str]:
    """The Python files below these folders, by their path from the root of the house."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@cache
def kept_files() -> dict[str, str]:
    """Every file of text that is, or is about to be, in the repository; of a checkout without git, none."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    found = {}
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                found[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return found


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


# Imports go downwards ----------------------------------------------------------------------------


@dataclass(frozen=True)
class House:
    """How high each room stands (0 is the top), and the names at each room's door."""

    height: Mapping[str, int]
    doors: Mapping[str, frozenset[str]]


@cache
def storeys() -> dict[str, list[str]]:
    drawn = ConfigParser()
    drawn.read(ROOT / "setup.cfg", encoding="utf-8")
    return {storey: rooms.split() for storey, rooms in drawn["carbonhui:storeys"].items()}


@cache
def house() -> House:
    height = {room: number for number, rooms in enumerate(storeys().values()) for room in rooms}
    doors = {room: door(sources("carbonhui").get(f"carbonhui/{room}/__init__.py", "")) for room in height}
    # The console stands at the height of the faces, in a top-level package of its own.
    return House({**height, "admin": 0}, doors)


def door(source: str) -> frozenset[str]:
    """The names in ``__all__``."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(statement.value))
    return frozenset()


def complaints_about_storeys(folders: Iterable[str], drawn: Mapping[str, list[str]]) -> list[str]:
    placed = [room for rooms in drawn.values() for room in rooms]
    twice = {room for room in placed if placed.count(room) > 1}
    return (
        [f"{folder} is on no storey" for folder in sorted(set(folders) - set(placed))]
        + [f"{room} is on a storey and is no folder" for room in sorted(set(placed) - set(folders))]
        + [f"{room} is on two storeys" for room in sorted(twice)]
    )


def imported(path: str, source: str) -> Iterator[tuple[int, str, str | None]]:
    """Line, module and name of every import, wherever in the file it stands, even one spelt as a call."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((node.lineno, module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value, None


def complaints_about_imports(path: str, source: str, among: House) -> list[str]:
    found = []
    for line, module, name in imported(path, source):
        wrong = _wrong_import(path, module, name, among)
        if wrong:
            found.append(f"{path}:{line}: {wrong}")
    return found + _past_the_door(path, source, among)


def _wrong_import(path: str, module: str, name: str | None, among: House) -> str | None:
    top, own = path.split("/")[0], _room_of(path)
    if top == "methodologies":
        return None if module == VOCABULARY else f"a methodology imports only the formula vocabulary, not {module}"
    parts = module.split(".")
    if parts[0] in ("tests", "bench", "methodologies", "admin"):
        return None if parts[0] == top else f"the product imports {parts[0]}"
    if parts[0] != "carbonhui" or module == "carbonhui" and name == "__version__":
        return None
    if len(parts) == 1:
        parts, name = [*parts, name or "__init__"], None
    room = parts[1]
    if room in (own, "core") and own is not None:
        return None
    if own not in among.height or room not in among.height:
        return f"{own} and {room} are not both on a storey"
    if among.height[own] >= among.height[room] and (own, room) not in KNOWN_SIDEWAYS:
        return f"{own} imports {room}, which is not below it"
    if len(parts) > 2:
        return f"{module} reaches past the door of {room}"
    if name is not None and name not in among.doors[room]:
        return f"{name} is not at the door of {room}"
    return None


def _room_of(path: str) -> str | None:
    parts = path.split("/")
    if parts[0] == "carbonhui":
        return parts[1] if len(parts) > 2 else None
    return parts[0]


def _past_the_door(path: str, source: str, among: House) -> list[str]:
    """Uses such as ``ledger.posting.call``: the room was imported rightly, and then reached through."""
    own = _room_of(path)
    rooms = {
        name: name
        for _, module, name in imported(path, source)
        if module == "carbonhui" and name in among.doors and name not in ("core", own)
    }
    return [
        f"{path}:{node.lineno}: {node.value.id}.{node.attr} is not at the door of {node.value.id}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in rooms
        and node.attr not in among.doors[node.value.id]
    ]


def test_every_room_is_on_exactly_one_storey():
    folders = [path.parent.name for path in (ROOT / "carbonhui").glob("*/__init__.py")]
    assert complaints_about_storeys(folders, storeys()) == []


def test_imports_go_downwards_and_through_doors():
    files = sources("carbonhui", "methodologies", "admin")
    assert [wrong for path, source in files.items() for wrong in complaints_about_imports(path, source, house())] == []


def test_a_room_beside_the_storeys_is_complained_about():
    drawn = {"faces": ["cli"], "books": ["ledger", "cli"]}
    assert len(complaints_about_storeys(["cli", "cellar"], drawn)) == 3


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("carbonhui/ledger/posting.py", "from carbonhui import fund"),
        ("carbonhui/ledger/posting.py", "def late():\n    from carbonhui.issuance import mint"),
        ("carbonhui/ledger/posting.py", "import importlib\nimportlib.import_module('carbonhui.fund')"),
        ("carbonhui/ledger/posting.py", "from .. import fund"),
        ("carbonhui/merchants/operations.py", "from carbonhui import circulation"),
        ("carbonhui/merchants/operations.py", "from carbonhui.ledger.posting import call"),
        ("carbonhui/merchants/operations.py", "import carbonhui.ledger.posting"),
        ("carbonhui/merchants/operations.py", "from carbonhui.ledger import call"),
        ("carbonhui/merchants/operations.py", "from carbonhui import ledger\nledger.posting.call"),
        ("carbonhui/core/clock.py", "from carbonhui import ledger"),
        ("carbonhui/core/clock.py", "import tests.conftest"),
        ("carbonhui/demo/story.py", "from carbonhui.cli import main"),
        ("carbonhui/__init__.py", "from carbonhui import ledger"),
        ("carbonhui/cellar/wine.py", "from carbonhui import ledger"),
        ("carbonhui/fund/operations.py", "import methodologies.metro"),
        ("methodologies/metro/formula.py", "import datetime"),
        ("methodologies/metro/formula.py", "from carbonhui import methodology"),
        ("admin/pages.py", "from carbonhui.cli import main"),
    ],
)
def test_an_import_upstairs_sideways_or_past_a_door_is_complained_about(path, source):
    assert complaints_about_imports(path, source, house())


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("carbonhui/fund/operations.py", "from carbonhui import ledger, publicfees\nledger.post(publicfees.owed())"),
        ("carbonhui/fund/operations.py", "from carbonhui.ledger import Kind\nfrom carbonhui.core.amounts import Fen"),
        ("carbonhui/fund/operations.py", "from carbonhui.fund.refusals import NothingOwed"),
        ("carbonhui/cli/measuring.py", "from carbonhui.demo import play"),
        ("methodologies/metro/formula.py", "from carbonhui.methodology.formula import Whole"),
        ("admin/pages.py", "from carbonhui import ledger"),
    ],
)
def test_an_import_downstairs_is_not_complained_about(path, source):
    assert complaints_about_imports(path, source, house()) == []


# Only a room's own files write its own tables -----------------------------------------------------

_WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO)\s+(?:ONLY\s+)?(\w+)")


def complaints_about_writers(path: str, source: str) -> list[str]:
    own = _room_of(path)
    return [
        f"{path}:{line}: {own} writes {table}, which belongs to {OWNER[table]}"
        for line, text in _texts(source)
        for table in _WRITES.findall(text)
        if table in OWNER and OWNER[table] != own
    ]


def _texts(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def tables_made(migrations: Iterable[str]) -> set[str]:
    return {table for sql in migrations for table in re.findall(r"^CREATE TABLE (\w+)", sql, flags=re.MULTILINE)}


def migrations() -> list[str]:
    folder = ROOT / "carbonhui" / "core" / "migrations" / "versions"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))]


def test_every_table_has_one_owner():
    assert tables_made(migrations()) == set(OWNER)


def test_only_a_room_writes_its_own_tables():
    found = sources("carbonhui")
    assert [wrong for path, source in found.items() for wrong in complaints_about_writers(path, source)] == []


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO transfer VALUES (1)", "UPDATE balance SET held = 0", "DELETE FROM block", "COPY move FROM STDIN"],
)
def test_a_room_that_writes_the_books_of_another_is_complained_about(statement):
    assert complaints_about_writers("carbonhui/fund/operations.py", f"SQL = '''{statement}'''")
    assert not complaints_about_writers("carbonhui/ledger/operations.py", f"SQL = '''{statement}'''")


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
    names = {text for _, text in _texts(source) if re.fullmatch(r"(?:CARBONHUI|DATABASE|XDG)_[A-Z_]+", text)}
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


# The front -----------------------------------------------------------------------------------------


def complaints_about_front(pyproject: str, readme: str) -> list[str]:
    sections = sorted(tomllib.loads(pyproject))
    found = [] if sections == ["build-system"] else [f"pyproject.toml holds {', '.join(sections)}"]
    return found + [f"README.md does not show {word}" for word in ("make demo", "make test") if word not in readme]


def test_the_front_is_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert complaints_about_front((ROOT / "pyproject.toml").read_text(encoding="utf-8"), readme) == []


def test_a_front_with_more_or_less_is_complained_about():
    assert len(complaints_about_front("[build-system]\n[tool.ruff]", "Read the manual.")) == 3


# In two pieces, so that this file does not complain about itself.
_LEFTOVERS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_SOMEBODYS_MACHINE = re.compile(r"(?<![\w./:-])/(?:work|home|Users|root)/" r"[\w.-]+")


def complaints_about_leftovers(files: Mapping[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {found[0]}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := _LEFTOVERS.search(line) or _SOMEBODYS_MACHINE.search(line))
    ]


def test_nothing_is_left_over():
    assert complaints_about_leftovers(kept_files()) == []


def test_what_is_left_over_is_complained_about():
    samples = {"a.py": "# TO" + "DO: later", "b.md": "see /home" + "/ann/notes", "c.cfg": "home = /work" + "/x"}
    assert len(complaints_about_leftovers(samples)) == 3
    assert complaints_about_leftovers({"d.md": "/var/lib/carbonhui and ~/.local/share"}) == []
