"""One key, one effect, one answer (draft-ietf-httpapi-idempotency-key-header-07)."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from carbonhui.api import forget_answers, purge_answers
from tests.api.conftest import As
from tests.api.routes import GO_ON


def count(database, table="note"):
    with database.begin() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}"))


def test_a_change_without_a_key_is_refused(ann, unchecked_database):
    answer = ann.post("/v1/notes", {"word": "a"}, key=None)
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_missing")
    assert count(unchecked_database) == 0


@pytest.mark.parametrize("key", ["a b", "钥匙", "x" * 129, '""', "a,b", '"'])
def test_a_key_of_another_form_is_refused(ann, key):
    answer = ann.post("/v1/notes", {"word": "a"}, key=key.encode().decode("latin-1"))
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_invalid")


def test_the_longest_key_is_taken(ann):
    assert ann.post("/v1/notes", {"word": "a"}, key="x" * 128).status_code == 201


def test_a_repetition_is_answered_byte_for_byte_and_does_nothing(ann, unchecked_database):
    first = ann.post("/v1/notes", {"word": "碳"}, key="one")
    second = ann.post("/v1/notes", {"word": "碳"}, key='"one"')
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert first.json == {"id": 1, "word": "碳"}
    for name in ("Location", "Content-Type", "Content-Language"):
        assert first.headers[name] == second.headers[name]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(unchecked_database) == 1


@pytest.mark.parametrize("body", [{"word": "other"}, {"word": "same", "price": 0}])
def test_another_body_under_the_same_key_is_refused(ann, unchecked_database, body):
    ann.post("/v1/notes", {"word": "same"}, key="one")
    answer = ann.post("/v1/notes", body, key="one")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert count(unchecked_database) == 1


def test_another_address_under_the_same_key_is_refused(ann):
    ann.post("/v1/notes", {"word": "same"}, key="one")
    assert ann.post("/v1/counted", {"word": "same"}, key="one").json["code"] == "idempotency_key_reused"


def test_two_callers_may_use_one_key(ann, client, unchecked_database):
    assert ann.post("/v1/notes", {"word": "hers"}, key="one").json["id"] == 1
    assert As(client, "ben").post("/v1/notes", {"word": "his"}, key="one").json["id"] == 2


def test_what_was_refused_may_be_tried_again_under_its_key(ann, unchecked_database):
    assert ann.post("/v1/notes", {"word": "a", "price": 11}, key="one").status_code == 422
    assert count(unchecked_database) == 0
    assert count(unchecked_database, "api_answer") == 0
    assert ann.post("/v1/notes", {"word": "a", "price": 10}, key="one").status_code == 201


def test_a_refusal_that_counts_is_committed_and_not_remembered(ann, unchecked_database):
    answer = ann.post("/v1/counted", {"word": "a", "price": 3}, key="one")
    assert (answer.status_code, answer.json["code"]) == (422, "note_too_dear")
    assert answer.json["facts"] == {"asked": 3, "most": 10}
    assert ann.post("/v1/counted", {"word": "a", "price": 3}, key="one").status_code == 422
    assert count(unchecked_database) == 2
    assert count(unchecked_database, "api_answer") == 0


def test_a_failure_undoes_everything_and_tells_nothing(ann, unchecked_database, log):
    answer = ann.post("/v1/notes", {"word": "broken"})
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "13800138000" not in answer.text + log.getvalue()
    assert '"error": "builtins.RuntimeError"' in log.getvalue()
    assert count(unchecked_database) == 0


def test_fields_that_do_not_go_together_are_told_as_fields_and_undo_everything(ann, unchecked_database):
    answer = ann.post("/v1/notes", {"word": "unfit"}, Accept_Language="zh")
    assert (answer.status_code, answer.json["code"]) == (422, "fields_invalid")
    assert answer.json["errors"] == [{"pointer": "", "detail": "与其他内容不相符。"}]
    assert count(unchecked_database) == 0


def test_while_the_first_is_running_its_twin_is_told_to_wait(app, unchecked_database):
    answers = []

    def twin():
        answers.append(As(app.test_client(), "ann").post("/v1/notes", {"word": "slow"}, key="one"))

    threads = [threading.Thread(target=twin) for _ in range(4)]
    GO_ON.clear()
    for thread in threads:
        thread.start()
    # The first to come writes until the three others have been answered.
    until = time.monotonic() + 45
    while len(answers) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    GO_ON.set()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    waiting = next(answer for answer in answers if answer.status_code == 409)
    assert (waiting.json["code"], waiting.headers["Retry-After"]) == ("request_running", "1")
    assert count(unchecked_database) == 1


def test_a_storm_of_twins_has_one_effect_a_key(app, unchecked_database):
    """Eight copies of each key at once, from eight threads; a 409 is repeated."""
    seen = {}

    def copy():
        caller = As(app.test_client(), "ann")
        for number in range(40):
            while (answer := caller.post("/v1/notes", {"word": f"w{number}"}, key=f"key-{number}")).status_code == 409:
                pass
            seen.setdefault(number, set()).add((answer.status_code, answer.data))

    threads = [threading.Thread(target=copy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(answers) for answers in seen.values()} == {1}
    assert count(unchecked_database) == 40


def test_a_file_may_be_sent_twice_and_counts_once(ann):
    first = ann.post("/v1/files", data=b"a,b\n1,2\n", key="file", Content_Type="text/csv")
    assert (first.status_code, first.json) == (201, {"id": 8, "word": "a,b\n1"})
    assert ann.post("/v1/files", data=b"a,b\n1,2\n", key="file", Content_Type="text/csv").headers["Idempotency-Replayed"] == "true"
    assert ann.post("/v1/files", data=b"a,b\n1,3\n", key="file", Content_Type="text/csv").status_code == 422


def test_neither_key_nor_answer_can_be_read_in_the_store(ann, unchecked_database):
    ann.post("/v1/notes", {"word": "canary-word"}, key="canary-key")
    with unchecked_database.begin() as session:
        row = session.execute(text("SELECT * FROM api_answer")).one()
    assert b"canary" not in b"".join(bytes(part) for part in (row.id, row.request, row.sealed))


def test_answers_are_kept_seven_days(ann, unchecked_database):
    for key, age in (("young", timedelta(days=7) - timedelta(minutes=1)), ("old", timedelta(days=7, minutes=1))):
        ann.post("/v1/notes", {"word": key}, key=key)
        with unchecked_database.connect_as_owner() as owner:
            owner.execute("SET session_replication_role = replica")
            owner.execute("UPDATE api_answer SET at = now() - %s WHERE at > now() - interval '1 minute'", (age,))
    with unchecked_database.begin() as session:
        assert purge_answers(session) == 1
    assert ann.post("/v1/notes", {"word": "young"}, key="young").headers.get("Idempotency-Replayed") == "true"
    assert "Idempotency-Replayed" not in ann.post("/v1/notes", {"word": "old"}, key="old").headers


def test_the_answers_of_one_caller_are_forgotten(ann, client, unchecked_database):
    ann.post("/v1/notes", {"word": "hers"}, key="one")
    As(client, "ben").post("/v1/notes", {"word": "his"}, key="one")
    with unchecked_database.begin() as session:
        assert forget_answers(session, "person:1") == 1
        assert forget_answers(session, "person:1") == 0


def test_an_answer_is_never_changed(ann, unchecked_database):
    ann.post("/v1/notes", {"word": "a"})
    with unchecked_database.connect_as_owner() as owner, pytest.raises(Exception, match="never changed"):
        owner.execute("UPDATE api_answer SET sealed = 'x'")
