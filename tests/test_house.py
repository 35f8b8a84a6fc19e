"""The house tests of STYLE: they keep the writing honest, whoever writes.

Each rule is a function over given sources that answers with its complaints. The house must give it
none to make, and a bad sample some: a rule that never complains is not a rule.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import turns

ROOT = Path(__file__).resolve().parents[1]

#: The acquaintances on a storey: the command line has commands that play the demonstration, serve the API and run the schedule.
KNOWN_SIDEWAYS = {("cli", "demo"), ("cli", "api"), ("cli", "schedule")}
VOCABULARY = "carbonhui.methodology.formula"

#: Who writes which table. Only a room's own files write its own tables.
TABLES = {
    "core": ("deployment",),
    "ledger": (
        "asset", "account_kind", "purpose", "account", "balance", "incoming", "transfer", "move", "hold", "block",
        "issue",
    ),
    "approvals": ("matter", "decision", "countersignature"),
    "policy": ("policy_name", "policy_value", "policy_in_force"),
    "participants": (
        "link", "person", "guardianship", "identity_try", "staff", "organisation", "organisation_step", "member", "scheme_keeper", "link_code",
        "link_claim",
    ),
    "access": (
        "one_time_code", "signing_key", "device", "refresh_token", "staff_session", "api_key", "request_nonce",
    ),
    "consent": ("consent_text", "agreement", "consent", "consent_since"),
    "notifications": (
        "announcement", "inbox_message", "webhook_endpoint", "webhook_secret", "webhook_subscription", "webhook_delivery",
    ),
    "schedule": ("job_run",),
    "api": ("api_answer", "rate_lease"),
    "privacy": ("data_subject", "data_key", "personal_field", "personal_index", "personal_read", "retired_key"),
    "methodology": ("methodology_file",),
    "activity": ("batch", "batch_file", "used_elsewhere", "refused_to_forget"),
    "quantification": ("reduction", "measurement", "measured_period"),
    "issuance": ("mint", "carry"),
    "circulation": ("gift", "credit_request", "pool", "pool_contribution", "pool_return"),
    "merchants": (
        "merchant_grade", "alliance_membership", "shop", "till", "offer", "offer_shop", "offer_stock", "offer_count",
        "payment_code_used", "payment_limit", "merchant_sandbox", "charge", "charge_refund",
        "settlement", "settlement_item",
    ),
    "donation": ("donation_campaign", "donation_gift", "donation_use"),
    "publicfees": ("fee_item", "bill", "bill_shown", "bill_try", "bill_offset"),
    "fund": ("par_purchase",),
    "neutralisation": ("certificate",),
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
        for line, text in texts(source)
        for table in _WRITES.findall(text)
        if table in OWNER and OWNER[table] != own
    ]


def texts(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def tables_made(migrations: Iterable[str]) -> set[str]:
    made, dropped = (
        {table for sql in migrations for table in re.findall(rf"^{word} (?:UNLOGGED )?TABLE (\w+)", sql, flags=re.MULTILINE)}
        for word in ("CREATE", "DROP")
    )
    return made - dropped


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


def test_every_file_that_has_a_turn_of_its_own_is_there():
    assert [file for file in {*turns.SPARK, *turns.LONGEST} - {turns.TOGETHER} if not (ROOT / file).is_file()] == []


def test_nothing_is_left_over():
    assert complaints_about_leftovers(kept_files()) == []


def test_what_is_left_over_is_complained_about():
    samples = {"a.py": "# TO" + "DO: later", "b.md": "see /home" + "/ann/notes", "c.cfg": "home = /work" + "/x"}
    assert len(complaints_about_leftovers(samples)) == 3
    assert complaints_about_leftovers({"d.md": "/var/lib/carbonhui and ~/.local/share"}) == []
