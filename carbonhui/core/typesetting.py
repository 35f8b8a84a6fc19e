"""Setting a text in lines: which characters the type has, and where a line may break."""

import functools
import re
import unicodedata
from collections.abc import Callable
from importlib import resources

#: What printers set for a type that is not in the case; its number follows on the same line.
STAND_IN = "〓"
_AFTER_CHINESE = re.compile("(?<=[\u3001-\u9fff\u201d])[,;:]")
_NEVER_FIRST = frozenset(
    ",.;:!?)]}%\u3001\u3002\uff0c\uff0e\uff1b\uff1a\uff01\uff1f\uff09\u3011\u300b\u300d\u300f\u3009\u3015"
    "\u201d\u2019\u2026\u2014\u00b7\u2103"
)
_NEVER_LAST = frozenset(STAND_IN + "([{\uff08\u3010\u300a\u300c\u300e\u3008\u3014\u201c\u2018")


@functools.cache
def characters() -> frozenset[int]:
    """The characters that the bundled type can draw."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    with resources.as_file(resources.files("carbonhui.core") / "fonts" / "NotoSansSC.woff") as path, TTFont(path, lazy=True) as font:
        drawn = frozenset(font.getBestCmap())
    return frozenset(number for number in drawn if unicodedata.category(chr(number)) not in ("Cc", "Cf"))


def drawable(text: str) -> tuple[str, list[str]]:
    """The text with a visible stand-in for each character that the type lacks, and those characters.

    Control and invisible characters are lacked too: what a reader cannot see is shown, not obeyed.

    >>> drawable("王𠮷")
    ('王〓[U+20BB7]', ['𠮷'])
    """
    has, lacked, drawn = characters(), [], []
    for character in text:
        if ord(character) in has:
            drawn.append(character)
        else:
            lacked.append(character)
            drawn.append(f"{STAND_IN}[U+{ord(character):04X}]")
    return "".join(drawn), lacked


def chinese_marks(text: str) -> str:
    """Our own sentence with Chinese punctuation after Chinese characters, as print has it; the sources are written with plain marks.

    Not for what people wrote, which stays as it is.

    >>> chinese_marks("共 1,200 个,见附页")
    '共 1,200 个\uff0c见附页'
    """
    return _AFTER_CHINESE.sub(lambda found: chr(ord(found[0]) + 0xFEE0), text)


def _pieces(text: str) -> list[str]:
    """What a line may not break: a word of letters and digits, or one Chinese character with its punctuation."""
    pieces: list[str] = []
    for character in text:
        last = pieces[-1][-1] if pieces else " "
        joined = character in _NEVER_FIRST or last in _NEVER_LAST or (_is_of_a_word(character) and _is_of_a_word(last))
        if pieces and (joined or character == " "):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _is_of_a_word(character: str) -> bool:
    return character != " " and ord(character) < 0x2E80


def lines_of(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The text in lines no wider than ``width``, by the ``measure`` of the type; a word too long for a line is cut."""
    lines, line = [], ""
    for piece in _pieces(text):
        if measure((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line:
            lines.append(line.rstrip())
        line = ""
        for character in piece:
            if line and measure(line + character) > width:
                lines.append(line.rstrip())
                line = ""
            line += character
    return [*lines, line.rstrip()]
