"""No command is left untried: each is run with its own words somewhere in these tests."""

import ast
from itertools import pairwise
from pathlib import Path

from carbonhui.cli import carbonhui
from tests.test_house_pages import commands

TESTS = Path(__file__).resolve().parents[1]
#: Where commands are tried.
ROOMS = ("cli", "demo", "participants", "access", "privacy", "notifications", "schedule", "export", "api")


def words_run(source: str) -> set[str]:
    """Every word, and every two and three that follow each other, of the calls, tuples and lists that spell commands out."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        spelt = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
        words = [part.value if isinstance(part, ast.Constant) else "" for part in spelt]
        found |= {str(word) for word in words} | {f"{one} {two}" for one, two in pairwise(words)}
        found |= {" ".join(map(str, three)) for three in zip(words, words[1:], words[2:], strict=False)}
    return found


def test_every_command_is_run_by_a_test():
    sources = [path.read_text(encoding="utf-8") for room in ROOMS for path in (TESTS / room).glob("*.py")]
    tried = set().union(*(words_run(source) for source in sources if "words_run" not in source))
    assert set(commands(carbonhui)) - tried == set()


def test_a_command_that_nobody_runs_is_noticed():
    assert words_run("run('fund', 'budget', 5)") == {"fund", "budget", "5", "fund budget", "budget 5", "fund budget 5"}
