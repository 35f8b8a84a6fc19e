"""Strict, bounded fields: what a request says is taken as it is said or refused, never coerced.

A query parameter is always text, so numbers there are read from ASCII digits; in a
body a number is a JSON number and nothing else.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from carbonhui import privacy
from carbonhui.core.amounts import LARGEST_AMOUNT

_WHOLE = re.compile(r"(?:0|-?[1-9][0-9]{0,15})", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_HANDLE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Said(str):
    """A sentence in English that carries its Chinese."""

    zh: str

    def __new__(cls, en: str, zh: str) -> "Said":
        said = super().__new__(cls, en)
        said.zh = zh
        return said


class FromQuery(str):
    """A text that came as a query parameter."""


def refuse(en: str, zh: str) -> ValidationError:
    return ValidationError(Said(en, zh))


class Strict(Schema):
    """A request or an answer whose fields are all known."""

    class Meta:
        unknown = RAISE

    error_messages = {
        "unknown": Said("This field is not known here.", "未知字段。"),
        "type": Said("This must be an object.", "应为对象。"),
    }

    def load(self, data: Any, **options: Any) -> Any:
        """As marshmallow does it, which reads anew whatever is not right at once."""
        if type(data) is dict and not options and not self.many and not self.partial and not any(self._hooks.values()):
            found = self._read(data)
            if found is not None:
                return found
        return super().load(data, **options)

    def _read(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """The fields of an object in which nothing is wrong; None for any other."""
        found: dict[str, Any] = {}
        known = 0
        try:
            for name, field in self.load_fields.items():
                key = name if field.data_key is None else field.data_key
                given = data.get(key, missing)
                known += given is not missing
                value = field.deserialize(given, key, data)
                if value is not missing:
                    found[field.attribute or name] = value
        except ValidationError:
            return None
        return found if known == len(data) else None


#: What marshmallow itself says, in Chinese.
CHINESE = {
    "Missing data for required field.": "缺少该字段。",
    "Field may not be null.": "该字段不可为 null。",
    "Invalid value.": "该值不可用。",
    "Invalid input type.": "类型不正确。",
}


class Whole(fields.Integer):
    """A whole number from ``lowest`` to ``highest``."""

    def __init__(self, lowest: int = 1, highest: int = LARGEST_AMOUNT, **options: Any) -> None:
        assert -LARGEST_AMOUNT <= lowest <= highest <= LARGEST_AMOUNT
        self.lowest, self.highest = lowest, highest
        metadata = {"minimum": lowest, "maximum": highest, "format": "int64", **options.pop("metadata", {})}
        super().__init__(strict=True, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if isinstance(value, FromQuery) and _WHOLE.fullmatch(value):
            value = int(value)
        if type(value) is not int:
            raise refuse("This must be a whole number.", "应为整数。")
        if not self.lowest <= value <= self.highest:
            raise refuse(f"This must be from {self.lowest} to {self.highest}.", f"应在 {self.lowest} 至 {self.highest} 之间。")
        return value


class Text(fields.String):
    """A text of ``shortest`` to ``longest`` characters without Unicode traps, in its one form (NFC)."""

    def __init__(self, longest: int, *, shortest: int = 1, **options: Any) -> None:
        self.shortest, self.longest = shortest, longest
        super().__init__(metadata={"minLength": shortest, "maxLength": longest, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        text = _text(value)
        if not self.shortest <= len(text) <= self.longest:
            raise refuse(
                f"This must have {self.shortest} to {self.longest} characters.", f"应为 {self.shortest} 至 {self.longest} 个字符。"
            )
        # Printable ASCII is what it looks like.
        if not text or (text.isascii() and text.isprintable() and text == text.strip()):
            return text
        return privacy.clean_text(text, field=attr or "", longest=self.longest)


class Pattern(fields.String):
    """A text of one exact form, told as an ASCII regular expression."""

    def __init__(self, pattern: str, *, longest: int = 200, **options: Any) -> None:
        self.form, self.longest = re.compile(pattern, re.ASCII), longest
        metadata = {"pattern": f"^(?:{pattern})$", "maxLength": longest, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        text = _text(value)
        if len(text) > self.longest or not self.form.fullmatch(text):
            raise refuse("This does not have the form it must have.", "格式不正确。")
        return text


class Choice(fields.String):
    """One of a few words."""

    def __init__(self, *words: str, **options: Any) -> None:
        self.words = frozenset(words)
        # Read by the OpenAPI document; the test itself is below.
        super().__init__(validate=validate.OneOf(words), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        text = _text(value)
        if text not in self.words:
            told = ", ".join(sorted(self.words))
            raise refuse(f"This must be one of: {told}.", f"应为以下之一:{told}。")
        return str(text)


class Flag(fields.Boolean):
    """True or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        if isinstance(value, FromQuery):
            value = {"true": True, "false": False}.get(value, value)
        if type(value) is not bool:
            raise refuse("This must be true or false.", "应为 true 或 false。")
        return value


class Day(fields.Date):
    """A day such as 2026-11-20 (RFC 3339, full-date)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> date:
        try:
            if not _DAY.fullmatch(_text(value)):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise refuse("This must be a day such as 2026-11-20.", "应为日期,例如 2026-11-20。") from None


class Instant(fields.DateTime):
    """An instant such as 2026-11-20T12:00:00+08:00 (RFC 3339, date-time); told in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> datetime:
        try:
            if not _INSTANT.fullmatch(_text(value)):
                raise ValueError
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise refuse(
                "This must be an instant such as 2026-11-20T12:00:00+08:00.", "应为时刻,例如 2026-11-20T12:00:00+08:00。"
            ) from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Handle(fields.UUID):
    """Somebody's or something's public name: a UUID (RFC 9562)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> UUID:
        if not _HANDLE.fullmatch(_text(value)):
            raise refuse("This must be a UUID.", "应为 UUID。")
        return UUID(value)


class Mobile(fields.String):
    """A mobile number of mainland China, taken with or without +86 and told as +8613800138000."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"pattern": r"^(\+86)?1[3-9][0-9]{9}$", **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        return privacy.mobile_number(_text(value))


class Many(fields.List[Any]):
    """Several of the same, from ``fewest`` to ``most``."""

    def __init__(self, inner: Any, *, most: int, fewest: int = 0, **options: Any) -> None:
        self.fewest, self.most = fewest, most
        super().__init__(inner, metadata={"minItems": fewest, "maxItems": most, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise refuse("This must be a list.", "应为列表。")
        if not self.fewest <= len(value) <= self.most:
            raise refuse(f"This must have {self.fewest} to {self.most} entries.", f"应有 {self.fewest} 至 {self.most} 项。")
        return super()._deserialize(value, attr, data, **options)


#: An object inside an object.
Part = fields.Nested


class Page(Strict):
    """What every list is asked with: where to go on, and how many at most."""

    cursor = Pattern(r"[A-Za-z0-9_-]+", longest=600, load_default=None, metadata={"description": "`next` of the page before."})
    limit = Whole(1, 100, load_default=20, metadata={"description": "The most items on the page."})


@cache
def page_of(item: type[Schema]) -> type[Schema]:
    """The answer of a list of these, one schema for each item: ``items`` and ``next``, null on the last page."""
    name = item.__name__.removesuffix("Schema") + "Page"
    return Strict.from_dict(
        {"items": fields.List(fields.Nested(item), required=True), "next": fields.String(required=True, allow_none=True)}, name=name
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refuse("This must be a text.", "应为文本。")
    return value
