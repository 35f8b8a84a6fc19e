"""A reference is the number of a paper, and nothing that a person goes by."""

import pytest

from carbonhui import privacy


@pytest.mark.parametrize("text", ["1", "form-2026/1187", "2026-00117", "A.B_C:7", "7" * 14, "7" * 16, "form-2380013800", "x" * 199 + "7"])
def test_numbers_of_papers_are_references(text: str):
    assert privacy.is_reference(text)


@pytest.mark.parametrize(
    "text",
    ["", "form", "form 7", "-7", "x" * 200 + "7", "表-7", "７", "a\n7", "13800138000", "8613800138000", "138-0013-8000", "JN13800138000", "1.3.8.0.0.1.3.8.0.0.0",
     "11010519491231002X", "110105194912310021", "110105491231002", "case:110105-19491231-002x"],
)  # fmt: skip
def test_names_spaces_and_numbers_of_persons_are_not(text: str):
    assert not privacy.is_reference(text)
