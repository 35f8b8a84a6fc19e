"""What people may rightly try and not get.

A refusal names the thing, the limit and the numbers, so that the reader knows
what would have worked. Its code is a promise: published once, it never changes
meaning and is never reused. ``docs/refusals.md`` lists them all.
"""

from typing import Any, ClassVar

from carbonhui.core.words import in_chinese


class Refusal(Exception):
    """A stable code and one sentence, in English and in Chinese.

    ``sentence`` and ``sentence_zh`` are format templates over the facts given to
    the constructor; a template that names a missing fact is a mistake of ours and
    fails at once. Where the Chinese sentence names ``state_zh`` and the facts hold a
    ``state`` only, its Chinese word is meant (`core.words`).
    """

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    sentence_zh: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence.format(**facts))

    def text(self, language: str = "en") -> str:
        """The sentence in ``"en"`` or ``"zh"``."""
        template = self.sentence_zh if language == "zh" else self.sentence
        return template.format_map(_Facts(self.facts))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (type(self), self.facts))


class _Facts(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        stem = name.removesuffix("_zh")
        if stem == name:
            raise KeyError(name)
        return in_chinese(str(self[stem]))


def _again(kind: type[Refusal], facts: dict[str, Any]) -> Refusal:
    return kind(**facts)


def all_refusals() -> list[type[Refusal]]:
    """Every kind of refusal that has been imported, by code."""
    found: dict[str, type[Refusal]] = {}
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.code and kind.__module__.startswith("carbonhui."):
                assert found.get(kind.code, kind) is kind, f"two refusals share the code {kind.code}"
                found[kind.code] = kind
    return [found[code] for code in sorted(found)]
