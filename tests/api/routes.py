"""Small routes that do one thing each, for the tests of the foundations."""

import threading
from typing import Any

from marshmallow import fields
from sqlalchemy import text

from carbonhui.api.fields import (
    Choice,
    Day,
    Flag,
    Handle,
    Instant,
    Many,
    Page,
    Part,
    Pattern,
    Strict,
    Text,
    Whole,
    page_of,
    refuse,
)
from carbonhui.api.operation import Answer, Blueprint, Call, Refused, operation
from carbonhui.api.permissions import ANYBODY, PERSON
from carbonhui.core.refusals import Refusal

#: What a slow note waits for.
GO_ON = threading.Event()
blueprint = Blueprint("tests", __name__, description="Routes of the tests.")
TABLE = "CREATE TABLE IF NOT EXISTS note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text, author text)"


class NoteTooDear(Refusal):
    code = "note_too_dear"
    sentence = "The note costs {asked}; at most {most} may be."
    sentence_zh = "便条价格为 {asked};至多 {most}。"


class Inner(Strict):
    n = Whole(1, 5, required=True)


class Everything(Strict):
    """One of each field."""

    credits = Whole(1, 1000)
    word = Text(10)
    code = Pattern("[0-9]{6}")
    choice = Choice("bus", "metro")
    flag = Flag()
    day = Day()
    instant = Instant()
    handle = Handle()
    many = Many(Whole(0, 9), most=3)
    inner = Part(Inner)
    nullable = Whole(1, 2, allow_none=True)


class Note(Strict):
    id = fields.Integer(required=True)
    word = fields.String(required=True)


class NoteAsked(Strict):
    word = Text(40, required=True)
    price = Whole(0, 100, load_default=0)


@operation(blueprint, "POST", "/v1/echo", "echo", body=Everything, answer=Everything, keyed=False, needs_store=False, summary="Echo")
def echo(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return body


@operation(
    blueprint, "POST", "/v1/notes", "writeNote", body=NoteAsked, answer=Note, status=201, refuses=(NoteTooDear,), summary="Write"
)
def write_note(call: Call, body: dict[str, Any]) -> Answer:
    number = call.session.scalar(
        text("INSERT INTO note (word, author) VALUES (:word, :author) RETURNING id"), {"word": body["word"], "author": call.caller.actor}
    )
    if body["word"] == "slow":
        assert GO_ON.wait(50)
    if body["price"] > 10:
        raise NoteTooDear(asked=body["price"], most=10)
    if body["word"] == "unfit":
        raise refuse("This does not go together with the rest.", "与其他内容不相符。")
    if body["word"] == "broken":
        raise RuntimeError("the secret of 13800138000")
    call.after_commit(lambda: call.services.clock.now())
    return Answer({"id": number, "word": body["word"], "author": call.caller.actor}, {"Location": f"/v1/notes/{number}"})


@operation(blueprint, "POST", "/v1/counted", "countTry", body=NoteAsked, refuses=(NoteTooDear,), status=204, summary="Count a wrong try")
def count_try(call: Call, body: dict[str, Any]) -> Refused:
    call.session.execute(text("INSERT INTO note (word, author) VALUES (:word, 'counted')"), {"word": body["word"]})
    return Refused(NoteTooDear(asked=body["price"], most=10))


@operation(blueprint, "GET", "/v1/notes/<whole:number>", "readNote", answer=Note, one_statement=True, summary="Read")
def read_note(call: Call, number: int) -> Any:
    row = call.session.execute(text("SELECT id, word FROM note WHERE id = :id"), {"id": number}).mappings().one_or_none()
    return row or {"id": number, "word": "none"}


@operation(blueprint, "GET", "/v1/notes", "listNotes", query=Page, answer=page_of(Note), summary="List")
def list_notes(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    after = call.cursor.read(query["cursor"]) or 0
    found = call.session.execute(
        text("SELECT id, word FROM note WHERE id > :after ORDER BY id LIMIT :most"), {"after": after, "most": query["limit"] + 1}
    )
    items, following = call.cursor.page([dict(row) for row in found.mappings()], query["limit"], lambda row: row["id"])
    return {"items": items, "next": following}


@operation(
    blueprint, "PUT", "/v1/notes/<whole:number>", "changeNote", body=NoteAsked, answer=Note, needs_match=True, summary="Change"
)
def change_note(call: Call, number: int, body: dict[str, Any]) -> dict[str, Any]:
    call.require_match(f'"{number}"')
    return {"id": number, "word": body["word"]}


@operation(
    blueprint, "POST", "/v1/files", "uploadFile", upload=("text/csv", "application/gzip"), answer=Note, status=201, summary="Upload"
)
def upload_file(call: Call, body: Any) -> dict[str, Any]:
    return {"id": body.size, "word": body.file.read(5).decode()}


@operation(blueprint, "GET", "/v1/broken/<string:how>", "breakDown", answer=Note, summary="Break down")
def break_down(call: Call, how: str) -> Any:
    if how == "slow":
        call.session.execute(text("SET LOCAL statement_timeout = 20"))
        call.session.execute(text("SELECT pg_sleep(5)"))
    call.session.execute(text("SELEKT"))


@operation(blueprint, "GET", "/v1/open", "readOpen", answer=Note, needs_store=False, summary="For anybody")
def read_open(call: Call) -> dict[str, Any]:
    return {"id": 1, "word": call.language}


ROLES = {
    **dict.fromkeys(
        ("echo", "writeNote", "countTry", "readNote", "listNotes", "changeNote", "uploadFile", "breakDown"), PERSON
    ),
    "readOpen": ANYBODY,
}  # fmt: skip
