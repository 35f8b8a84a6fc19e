"""The page of the routes is what the routes are."""

import re
from pathlib import Path

import pytest

from carbonhui.api.application import operations_of
from carbonhui.api.operation import Operation
from carbonhui.api.permissions import ANY_ORGANISATION, ANY_STAFF, ANYBODY, PERMISSIONS
from tests.api.product.people import City

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api-routes.md"


def who(roles: frozenset[str]) -> str:
    if roles == ANYBODY:
        return "anybody"
    groups = {"person": frozenset({"person"}), "staff": ANY_STAFF, "organisation": ANY_ORGANISATION}
    told = [name for name, group in groups.items() if group <= roles]
    return ", ".join([*told, *sorted(roles - frozenset().union(*(groups[name] for name in told)))])


def row(one: Operation) -> str:
    path = re.sub(r"<(?:[^:>]*:)?([^>]+)>", r"{\1}", one.path)
    return f"| `{one.id}` | `{one.method} {path}` | {who(PERMISSIONS[one.id])} | {one.summary} |"


def test_every_operation_stands_on_the_page_with_who_may_call_it(town: City):
    told = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(told) == sorted(row(one) for one in operations_of(town.client.application))


def test_every_operation_says_what_it_does_and_what_its_verb_refuses(town: City):
    for one in operations_of(town.client.application):
        assert one.summary and not one.summary.endswith("."), one.id
        assert one.route.__name__ == re.sub(r"(?<!^)([A-Z])", lambda upper: f"_{upper[1].lower()}", one.id), one.id


@pytest.mark.filterwarnings("error")
def test_every_field_of_money_and_credits_is_a_whole_number(town: City):
    schemas = town.client.get("/v1/openapi.json").json["components"]["schemas"]
    for name, schema in schemas.items():
        for field, said in schema.get("properties", {}).items():
            assert said.get("type") != "number", f"{name}.{field}"
