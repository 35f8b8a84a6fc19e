"""Reading the XML of somebody's workbook piece by piece, in bounded memory.

What an honest workbook never has is an end of it: a document type (entities that blow
up), elements within elements without end, a single tag or comment of a megabyte.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO
from xml.parsers import expat

#: A small piece, because a cell of thirty bytes may stand for a text of a hundred thousand.
_PIECE_BYTES = 16 * 1024
_LONGEST_TOKEN_BYTES = 1024 * 1024
_DEEPEST = 60

Attributes = dict[str, str]
Begin = Callable[[str, Attributes], None]


class BadXml(Exception):
    """The text is not the XML of an honest workbook."""


class Reader:
    """Tells the beginning, the text and the end of each element; names come without their namespace."""

    def __init__(self, begin: Begin, end: Callable[[str], None] | None = None, text: Callable[[str], None] | None = None) -> None:
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._begin, self._end, self._depth = begin, end, 0
        self._parser.StartElementHandler = self._begun
        self._parser.EndElementHandler = self._ended
        if text is not None:
            self._parser.CharacterDataHandler = text
        self._parser.StartDoctypeDeclHandler = _refuse_document_type

    def _begun(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadXml("elements lie too deep within one another")
        self._begin(_own_name(name), attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        if self._end is not None:
            self._end(_own_name(name))

    def pieces(self, member: IO[bytes]) -> Iterator[None]:
        """Read the member, pausing after each piece. Raises `BadXml`."""
        fed = 0
        try:
            while piece := member.read(_PIECE_BYTES):
                fed += len(piece)
                self._parser.Parse(piece, False)
                if fed - self._parser.CurrentByteIndex > _LONGEST_TOKEN_BYTES:
                    raise BadXml("a tag or a comment is too long")
                yield
            self._parser.Parse(b"", True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise BadXml(type(error).__name__) from None
        yield


@lru_cache(maxsize=1_000)
def _own_name(name: str) -> str:
    return name.rpartition("}")[2]


def _refuse_document_type(*_: object) -> None:
    raise BadXml("it has a document type")


def elements(member: IO[bytes]) -> Iterator[tuple[str, Attributes]]:
    """The elements of a small part, in their order. Raises `BadXml`."""
    found: list[tuple[str, Attributes]] = []
    for _ in Reader(lambda name, attributes: found.append((name, attributes))).pieces(member):
        yield from found
        found.clear()


def attribute(attributes: Attributes, name: str) -> str:
    """An attribute by its own name, whichever namespace it stands in; empty if it is not there."""
    return next((value for key, value in attributes.items() if key.rpartition("}")[2] == name), "")
