"""Refusals as problem details (RFC 9457): a stable code, a sentence in the reader's language, no insides."""

import json
from datetime import date
from functools import lru_cache
from typing import Any

from carbonhui import policy
from carbonhui.api.fields import CHINESE, Said
from carbonhui.api.refusals import InternalError, ServiceUnavailable
from carbonhui.api.statuses import REFUSED, RETRY_AFTER, STATUSES, title_of
from carbonhui.core.refusals import Refusal

MEDIA_TYPE = "application/problem+json"
#: What only an operator can mend is told to the operator, in the log.
_INSIDE = ("carbonhui.core.embedded", "carbonhui.core.migrations", "carbonhui.core.settings", "carbonhui.privacy.keep")
_INSIDE_CODES = frozenset({"key_file_open", "key_file_wrong", "key_file_unreadable", "seal_broken", "vault_key_missing", "setting_invalid"})
ERRORS_MAX = 50


def status_of(refusal: Refusal | type[Refusal]) -> int:
    """The status that a refusal answers with."""
    return STATUSES.get(refusal.code, REFUSED)


def public(refusal: Refusal) -> Refusal:
    """The refusal as a stranger may read it."""
    if refusal.code in ("database_busy", "database_unreachable"):
        return ServiceUnavailable()
    if refusal.code in _INSIDE_CODES or type(refusal).__module__.startswith(_INSIDE):
        return InternalError()
    return refusal


def problem(
    refusal: Refusal, *, language: str, city: str, request_id: str, public_url: str, errors: list[dict[str, Any]] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that tell this refusal, in the city's own words."""
    told = public(refusal)
    status = status_of(told)
    body: dict[str, Any] = {
        "type": f"{public_url}/v1/problems/{told.code}",
        "title": title_of(status, language),
        "status": status,
        "detail": policy.refusal_told(told, language, city),
        "code": told.code,
        "instance": f"urn:carbonhui:request:{request_id}",
        "facts": facts_of(told),
    }
    if errors is not None:
        body["errors"] = errors
    headers = {"Content-Type": MEDIA_TYPE, "Content-Language": language, "Cache-Control": "no-store"}
    if told.code in RETRY_AFTER:
        headers["Retry-After"] = str(RETRY_AFTER[told.code])
    elif status == 429 and "seconds" in told.facts:
        headers["Retry-After"] = str(told.facts["seconds"])
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="carbonhui"'
    return status, headers, json.dumps(body, ensure_ascii=False).encode()


def facts_of(refusal: Refusal) -> dict[str, int | bool | str]:
    """The numbers and days that the sentence names, so that a program need not read it."""
    return {
        name: fact.isoformat() if isinstance(fact, date) else fact
        for name, fact in refusal.facts.items()
        if isinstance(fact, (int, date)) and not (type(fact) is int and abs(fact) >= 2**53)
    }


def errors_of(messages: Any, language: str, pointer: str = "") -> list[dict[str, str]]:
    """What marshmallow found, field by field, as JSON pointers (RFC 6901) and sentences.

    A name that nobody knows is the sender's text; it is told back shortened.
    """
    found: list[dict[str, str]] = []
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = pointer if name == "_schema" else f"{pointer}/{_step(name)}"
            found += errors_of(inner, language, step)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            found.append({"pointer": pointer, "detail": _said(message, language)})
    return found[:ERRORS_MAX]


def _step(name: Any) -> str:
    return str(name)[:100].replace("~", "~0").replace("/", "~1")


def _said(message: Any, language: str) -> str:
    if language != "zh":
        return str(message)
    return message.zh if isinstance(message, Said) else CHINESE.get(str(message), "该值不可用。")


@lru_cache(maxsize=512)
def language_of(accepted: str, default: str) -> str:
    """``en`` or ``zh``, whichever the header Accept-Language likes better (RFC 9110, section 12.5.4).

    >>> language_of("fr, zh-CN;q=0.8, en;q=0.7", "en")
    'zh'
    >>> language_of("", "zh")
    'zh'
    """
    best, liked = default, 0.0
    for part in accepted.lower().split(","):
        name, _, rest = part.strip().partition(";")
        primary = name.strip().split("-")[0]
        weight = weight_of(rest)
        if primary == "*":
            primary = default
        if primary in ("en", "zh") and weight > liked:
            best, liked = primary, weight
    return best


def weight_of(parameters: str) -> float:
    """The q of a header's part; 1 where it says none, 0 where it cannot be read.

    >>> weight_of("q=0.5"), weight_of(""), weight_of("q=five")
    (0.5, 1.0, 0.0)
    """
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            text = value.strip()
            plain = text.replace(".", "", 1)
            return float(text) if plain.isascii() and plain.isdigit() and len(text) <= 5 else 0.0
    return 1.0


@lru_cache(maxsize=512)
def accepts(header: str, offered: str) -> bool:
    """Whether the header Accept takes this media type.

    >>> accepts("text/html, application/*;q=0.5", "application/json"), accepts("text/html", "application/json")
    (True, False)
    """
    if not header:
        return True
    best: tuple[int, float] = (-1, 0.0)
    kind = offered.split("/")[0]
    for part in header.lower().split(","):
        name, _, rest = part.partition(";")
        rank = {"*/*": 0, f"{kind}/*": 1, offered: 2}.get(name.strip(), -1)
        if rank > best[0]:
            best = (rank, weight_of(rest))
    return best[1] > 0
