"""What a request says is taken exactly as it is said, or refused (RFC 8259, RFC 7493; DESIGN section 10)."""

import io
import json

import pytest
from marshmallow import Schema, ValidationError

from carbonhui.api.logs import Gathered, open_log
from carbonhui.api.strict_json import depth_of, read_object
from carbonhui.core.refusals import Refusal
from tests.api.routes import Everything

UUID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
#: A field of the route /v1/echo, what is taken, and what is refused.
TAKEN = [
    ("credits", 1), ("credits", 1000), ("word", "碳惠"), ("word", "x" * 10), ("code", "000000"), ("choice", "bus"), ("flag", False),
    ("day", "2024-02-29"), ("handle", UUID), ("many", []), ("many", [0, 9, 9]), ("inner", {"n": 5}), ("nullable", None), ("nullable", 2),
]  # fmt: skip
REFUSED = [
    *(("credits", value) for value in (0, -1, 1001, 2**31, 2**53, "1", " 1", "１２", "٣", "", None, True, False, [], {}, [1])),
    *(("word", value) for value in ("", "x" * 11, "a\0b", "a\u202eb", "a\u200bb", 1, None, [], {})),
    *(("code", value) for value in ("00000", "0000000", "00000a", "０００００１", "000000\n", 0, None)),
    *(("choice", value) for value in ("BUS", "bus ", "", "bike", 1, None, ["bus"])),
    *(("flag", value) for value in (0, 1, "true", "", None, [])),
    *(("day", value) for value in ("2023-02-29", "2024-2-9", "20240229", "２０２４-02-29", "2024-02-29T00:00:00", "", 20240229, None)),
    *(("instant", value) for value in ("2024-02-29T12:00:00", "2024-02-29 12:00:00Z", "2024-02-29T25:00:00Z", "now", 0, None)),
    *(("handle", value) for value in (UUID[:-1], UUID + "0", UUID.replace("-", ""), "{" + UUID + "}", "urn:uuid:" + UUID, 0, None)),
    *(("many", value) for value in ([1] * 4, ["1"], [None], [10], {}, "1", None)),
    *(("inner", value) for value in ({}, {"n": 6}, {"n": 1, "m": 1}, [], "n", None)),
    ("nullable", 3),
    ("unknown", 1),
    ("role", "staff:operator"),
]


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_what_is_right_is_taken_as_it_is(ann, name, value):
    answer = ann.post("/v1/echo", {name: value}, key=None)
    assert (answer.status_code, answer.json) == (200, {name: value})


def test_what_is_wrong_is_refused_field_by_field(ann):
    for name, value in REFUSED:
        answer = ann.post("/v1/echo", {name: value}, key=None)
        assert answer.status_code == 422, (name, value, answer.json)
        assert answer.mimetype == "application/problem+json"
        if answer.json["code"] == "fields_invalid":
            assert all(error["pointer"].startswith(f"/{name}") for error in answer.json["errors"])
            assert answer.json["facts"] == {"count": len(answer.json["errors"])}


def test_every_wrong_field_is_named_in_the_readers_language(ann):
    answer = ann.post("/v1/echo", {"inner": {"n": 9}, "a/b~": 1, "word": 1}, key=None, Accept_Language="zh-CN")
    assert {error["pointer"]: error["detail"] for error in answer.json["errors"]} == {
        "/inner/n": "应在 1 至 5 之间。", "/a~1b~0": "未知字段。", "/word": "应为文本。",
    }  # fmt: skip
    assert ann.post("/v1/notes", {}, Accept_Language="zh").json["errors"] == [{"pointer": "/word", "detail": "缺少该字段。"}]


def test_an_instant_is_told_in_utc(ann):
    answer = ann.post("/v1/echo", {"instant": "2026-11-20T12:00:00+08:00"}, key=None)
    assert answer.json == {"instant": "2026-11-20T04:00:00Z"}


BODIES = [
    b"", b" ", b"{", b"}", b"[]", b"1", b'"a"', b"null", b"NaN", b'{"credits": NaN}', b'{"credits": Infinity}', b'{"credits": -Infinity}',
    b'{"credits": 1.0}', b'{"credits": 1e2}', b'{"credits": 1E400}', b'{"credits": -0}', b'{"credits": 01}', b'{"credits": +1}',
    b'{"credits": 0x10}', b'{"credits": 1_000}', b'{"credits": 12345678901234567}', b'{"credits": ' + b"9" * 5000 + b"}",
    b'{"credits": 1, "credits": 1}', b'{"inner": {"n": 1, "n": 2}}', b'{"credits": 1} x', b'{"credits": 1}{}', b"{} // why",
    b"{'credits': 1}", b'{"credits": 1,}', b'{credits: 1}', b'\xef\xbb\xbf{}', '{"word": "a"}'.encode("utf-16"), b'{"word": "\xff"}',
    b'{"word": "\\ud800"}', b'{"\\udfff": 1}', b'{"word": "\xed\xa0\x80"}', b'{"word": "a\nb"}', b'{"word": "\\x"}',
    b'{"many": ' + b"[" * 32 + b"]" * 32 + b"}", b"[" * 30_000, b'{"a":' * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_a_body_that_is_not_strict_json_is_refused(ann, body):
    answer = ann.post("/v1/echo", data=body, key=None)
    assert (answer.status_code, answer.json["code"]) == (400, "json_invalid")


def test_sixteen_digits_and_thirty_two_levels_are_read():
    assert read_object(b'{"a": 1234567890123456}') == {"a": 1234567890123456}
    deep = b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}"
    assert depth_of(deep) == 32
    read_object(deep)
    with pytest.raises(Refusal):
        read_object(b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}")


def test_brackets_inside_texts_are_not_depth():
    assert read_object(json.dumps({"a": "[{" * 40 + '\\"'}).encode())["a"].startswith("[{")


def test_a_whole_surrogate_pair_is_a_character():
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content_Type": "text/plain"}, "media_type_unsupported"),
        ({"Content_Type": "application/json; charset=gbk"}, "media_type_unsupported"),
        ({"Content_Type": ""}, "media_type_unsupported"),
        ({"Content_Encoding": "gzip"}, "media_type_unsupported"),
        ({"Accept": "text/html"}, "not_acceptable"),
        ({"Accept": "application/json;q=0, */*"}, "not_acceptable"),
    ],
)
def test_another_form_is_refused(ann, headers, code):
    answer = ann.post("/v1/echo", {}, key=None, **headers)
    assert answer.json["code"] == code
    assert answer.status_code in (406, 415)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, application/*;q=0.1", "application/problem+json, */*;q=0.1"])
def test_the_form_that_is_offered_may_be_asked_for(ann, accept):
    assert ann.post("/v1/echo", {}, key=None, Accept=accept, Content_Type='application/json; charset="utf-8"').status_code == 200


def test_a_body_at_its_limit_is_read_and_one_byte_more_is_not(make_app):
    from tests.api.conftest import As

    ann = As(make_app(body_bytes_max=1024).test_client(), "ann")
    padded = b'{"credits": 1}'.ljust(1024)
    assert ann.post("/v1/echo", data=padded, key=None).status_code == 200
    answer = ann.post("/v1/echo", data=padded + b" ", key=None)
    assert (answer.status_code, answer.json["code"], answer.json["facts"]) == (413, "body_too_large", {"most": 1024})


def test_a_body_that_nobody_reads_is_refused(client):
    assert client.get("/v1/open", data=b"x").json["code"] == "body_unexpected"
    assert client.get("/v1/open", headers={"Content-Length": "0"}).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=1&limit=1", "limit=", "limit=１", "limit=+1", "limit=01", "limit=1.0", "limit=1e1", "unknown=1",
     "limit", "limit=1&", "cursor=%ff", "cursor=a%20b", "a=" + "x" * 9000],
)  # fmt: skip
def test_query_parameters_are_read_as_strictly(ann, query):
    answer = ann.get(f"/v1/notes?{query}")
    assert answer.status_code == 400
    assert answer.json["code"] == "query_invalid"


def test_a_parameter_where_none_is_known_is_refused(client):
    assert client.get("/v1/open?a=1").json["code"] == "query_invalid"


@pytest.mark.parametrize("number", ["0", "01", "-1", "１", "1.0", "99999999999999999", "a", "1%00"])
def test_a_number_in_an_address_is_ascii_digits(ann, number):
    assert ann.get(f"/v1/notes/{number}").status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        {}, {"word": "a"}, {"word": "碳 a", "credits": 1}, {"word": " a"}, {"word": "a "}, {"word": ""}, {"word": "１２"}, {"word": None}, {"word": 1},
        {"unknown": 1}, {"credits": 0, "word": " a"}, {"nullable": None}, {"inner": {"n": 1}}, {"inner": {"n": 9}}, {"inner": {}}, {"many": [1, "2"]},
        {"choice": "bus"}, {"choice": "tram"}, {"day": "2026-02-30"}, {"flag": 1}, {"word": "a\tb"}, {"word": "a\x7fb"}, {"day": "2026-02-28", "no": 1},
    ],
)  # fmt: skip
def test_what_is_read_at_once_is_read_as_marshmallow_reads_it(given):
    def told(read):
        try:
            return read(given)
        except (ValidationError, Refusal) as error:
            return type(error), getattr(error, "messages", None) or str(error)

    schema = Everything()
    assert told(schema.load) == told(lambda data: Schema.load(schema, data))


def test_lines_that_wait_are_written_at_the_end():
    stream = io.StringIO()
    lines = Gathered(stream)
    log = open_log(lines)
    for number in range(3):
        log.info("request", number=number)
    lines.write_out()
    assert [json.loads(line)["number"] for line in stream.getvalue().splitlines()] == [0, 1, 2]
