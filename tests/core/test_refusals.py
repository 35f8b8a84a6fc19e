"""A refusal is a sentence in two languages with a code that is a promise (style section 5)."""

import importlib
import json
import pickle
import pkgutil
import re
import string
from pathlib import Path

import pytest

import carbonhui
from carbonhui.core.refusals import Refusal, all_refusals
from carbonhui.core.words import KINDS, STATES, in_chinese
from carbonhui.ledger import Kind


def _import_everything() -> None:
    for module in pkgutil.walk_packages(carbonhui.__path__, "carbonhui."):
        if not module.name.endswith("__main__") and ".versions." not in module.name and not module.name.endswith(".env"):
            importlib.import_module(module.name)


_import_everything()
EVERY = all_refusals()


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_there_are_refusals_of_every_room() -> None:
    rooms = {kind.__module__.split(".")[1] for kind in EVERY}
    assert {"core", "ledger", "approvals", "policy", "issuance", "merchants", "publicfees", "fund"} <= rooms
    assert len(EVERY) >= 40


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.code)
def test_a_refusal_has_a_code_and_a_sentence_in_both_languages_with_the_same_facts(kind: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", kind.code)
    assert kind.sentence and kind.sentence_zh
    # A fact that is itself a phrase has a Chinese twin of the same name.
    assert _placeholders(kind.sentence) == {name.removesuffix("_zh") for name in _placeholders(kind.sentence_zh)}
    assert re.search(r"[\u4e00-\u9fff]", kind.sentence_zh) and not re.search(r"[\u4e00-\u9fff]", kind.sentence)
    assert kind.sentence.rstrip().endswith((".", "}")) and kind.sentence_zh.rstrip().endswith(("。", "}"))


def test_no_two_refusals_share_a_code_and_every_one_has_its_own() -> None:
    waiting, own = [Refusal], []
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("carbonhui."):
                own.append(kind)
    codes = [kind.code for kind in own if kind.code]
    assert len(codes) == len(set(codes))
    for kind in own:
        assert kind.code or kind.__subclasses__(), f"{kind} has no code"


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.code)
def test_a_refusal_tells_its_facts_and_survives_the_way_between_processes(kind: type[Refusal]) -> None:
    facts = dict.fromkeys(_placeholders(kind.sentence) | _placeholders(kind.sentence_zh), 7)
    refusal = kind(**facts)
    again = pickle.loads(pickle.dumps(refusal))
    assert type(again) is kind and again.facts == facts
    assert str(again) == refusal.text("en") and refusal.text("zh") != refusal.text("en")
    assert "{" not in refusal.text("en").replace("{7", "") and json.dumps(again.facts)


class _Example(Refusal):
    """Only of this test: outside the product, so all_refusals leaves it out."""

    code = "example_of_a_test"
    sentence = "{thing} was asked."
    sentence_zh = "请求了 {thing}。"


def test_a_sentence_that_names_a_missing_fact_fails_at_once() -> None:
    assert str(_Example(thing="bread")) == "bread was asked."
    assert _Example(thing="bread").text("zh") == "请求了 bread。"
    with pytest.raises(KeyError):
        _Example(nothing="bread")
    assert _Example not in all_refusals()


class _State(Refusal):
    """Only of this test."""

    code = "example_of_a_state"
    sentence = "The {thing} is {state}."
    sentence_zh = "{thing} 的状态为{state_zh}。"


def test_a_state_is_told_in_chinese_in_a_chinese_sentence() -> None:
    assert _State(thing="bill", state="cancelled").text("zh") == "bill 的状态为已取消。"
    assert _State(thing="bill", state="cancelled", state_zh="已撤回").text("zh") == "bill 的状态为已撤回。"
    assert _State(thing="bill", state="authorised or captured").text("zh") == "bill 的状态为已授权或已收款。"
    with pytest.raises(KeyError):
        _Example().text("zh")


def test_every_state_of_the_store_and_every_kind_of_account_has_a_chinese_word() -> None:
    released = Path(carbonhui.__file__).parent / "core" / "migrations" / "versions"
    columns = [found for sql in released.glob("*.sql") for found in re.findall(r"CHECK \(state IN \((.*?)\)", sql.read_text("utf-8"))]
    states = {word for column in columns for word in re.findall(r"'(\w+)'", column)}
    assert {"captured", "lapsed", "reached"} <= states <= STATES.keys()
    assert {kind.name.lower() for kind in Kind} <= KINDS.keys()
    assert not STATES.keys() & KINDS.keys(), "a word has one meaning"
    assert all(in_chinese(word) != word for word in states)
