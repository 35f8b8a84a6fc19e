"""The texts that the cells of a workbook refer to by number."""

from array import array

from carbonhui.activity.cells import unescaped
from carbonhui.activity.lines import LONGEST_LINE_BYTES
from carbonhui.activity.workbooks import MIB, Workbook, too_large
from carbonhui.activity.xml_parts import Attributes, BadXml, Reader

#: They are held in memory while the sheet is read; a million rows of four texts each have 150 MiB.
MOST_BYTES = 192 * MIB
MOST_TEXTS = 8_000_000


class SharedTexts:
    """Millions of texts one after the other, without the overhead of as many objects."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


def shared_texts(book: Workbook) -> SharedTexts:
    """Raises `WorkbookTooLarge`."""
    reading = _Reading()
    if book.texts_part is None:
        return reading.found
    size = book.archive.getinfo(book.texts_part).file_size
    if size > MOST_BYTES:
        found, most = size // MIB, MOST_BYTES // MIB
        raise too_large(book.path, f"its texts have {found} MiB, and at most {most} are read", f"其文本为 {found} MiB,上限为 {most} MiB")
    with book.open(book.texts_part) as member:
        for _ in Reader(reading.begin, reading.end, reading.text).pieces(member):
            if len(reading.found) > MOST_TEXTS:
                raise BadXml("it has too many texts")
    return reading.found


class _Reading:
    """A text is what its runs say, one after the other, without their phonetic guides."""

    def __init__(self) -> None:
        self.found = SharedTexts()
        self._pieces: list[str] = []
        self._inside = self._phonetic = False

    def begin(self, name: str, _: Attributes) -> None:
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._phonetic = True
        self._inside = name == "t" and not self._phonetic

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            # What is longer than a row may be is cut there, and the row that says it is refused.
            self.found.add(unescaped("".join(self._pieces))[: LONGEST_LINE_BYTES + 1])

    def text(self, piece: str) -> None:
        if self._inside:
            self._pieces.append(piece)
