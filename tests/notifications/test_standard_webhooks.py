"""Notices are signed by Standard Webhooks 1.0.0, whose published vector our headers reproduce."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from carbonhui import notifications
from carbonhui.core.clock import CITY_TIME, SetClock, SystemClock
from carbonhui.notifications.endpoints import OVERLAP, SECRET_BYTES
from carbonhui.notifications.relaying import signed
from tests.notifications.conftest import ORGANISATION, add, tell

#: The vector that the libraries of the standard share.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_AT = 1614265330
VECTOR_BODY = '{"test": 2432232314}'
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

HANDLE = UUID("7d0f7f0e-6f0a-4d55-9a53-1c2f3a4b5c6d")
BODY = '{"data":{},"type":"ping"}'


def test_the_published_vector_is_reproduced_by_our_headers():
    class Named:
        def __str__(self) -> str:
            return VECTOR_ID

    headers = signed([Webhook(SECRET)], Named(), datetime.fromtimestamp(VECTOR_AT, UTC), VECTOR_BODY)  # type: ignore[arg-type]
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (VECTOR_ID, str(VECTOR_AT))
    assert headers["webhook-signature"] == VECTOR


def test_the_city_clock_signs_the_same_instant_as_any_other():
    instant = datetime(2026, 11, 20, 12, tzinfo=CITY_TIME)
    assert signed([Webhook(SECRET)], HANDLE, instant, BODY) == signed([Webhook(SECRET)], HANDLE, instant.astimezone(UTC), BODY)


def headers_at(moment: datetime, *secrets: str) -> dict[str, str]:
    return signed([Webhook(secret) for secret in secrets or (SECRET,)], HANDLE, moment, BODY)


@pytest.mark.parametrize("seconds", [-290, 0, 290])
def test_a_notice_within_five_minutes_is_verified(seconds):
    Webhook(SECRET).verify(BODY, headers_at(datetime.now(UTC) + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-310, 310])
def test_an_old_or_a_future_notice_is_refused(seconds):
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers_at(datetime.now(UTC) + timedelta(seconds=seconds)))


OTHER = "whsec_" + base64.b64encode(b"another secret of 24 bytes").decode()


@pytest.mark.parametrize(
    ("secret", "body", "changed"),
    [
        (OTHER, BODY, {}),
        (SECRET, BODY + " ", {}),
        (SECRET, BODY, {"webhook-id": "another"}),
        (SECRET, BODY, {"webhook-signature": VECTOR}),
        (SECRET, BODY, {"webhook-signature": ""}),
        (SECRET, BODY, {"webhook-timestamp": "soon"}),
    ],
    ids=["another secret", "an altered body", "another id", "another signature", "no signature", "no timestamp"],
)
def test_what_was_altered_is_refused(secret, body, changed):
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**headers_at(datetime.now(UTC)), **changed})


def test_a_signature_under_another_prefix_is_not_looked_at():
    headers = headers_at(datetime.now(UTC))
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


def test_one_right_signature_among_several_is_enough():
    headers = headers_at(datetime.now(UTC), OTHER, SECRET)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)


def test_what_is_delivered_verifies_and_says_what_happened(database, vault, receiver):
    _, verifier = add(database, vault, receiver.url)
    notice = tell(database, 41)
    notifications.relay(database, vault, clock=SystemClock())
    (received,) = receiver.got
    told = verifier.verify(received.body, received.headers)
    assert received.headers["webhook-id"] == notice
    assert (told["type"], told["data"]) == ("activity.batch.received", {"batch": 41})
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() == timedelta(0)


def test_a_secret_is_shown_once_long_enough_and_sealed_for_its_own_endpoint(database, vault, receiver):
    with database.begin() as session:
        endpoint, secret = notifications.add_endpoint(
            session, vault, organisation=ORGANISATION, url=receiver.url, topics=["credit.received"]
        )
    plain = base64.b64decode(secret.removeprefix("whsec_"))
    assert secret.startswith("whsec_") and 24 <= len(plain) == SECRET_BYTES <= 64
    with database.connect() as connection:
        ((wrapped,),) = connection.execute("SELECT wrapped FROM webhook_secret").fetchall()
    assert plain not in bytes(wrapped)
    assert vault.unwrap(f"webhook_secret|{endpoint}", bytes(wrapped)) == plain


def test_for_a_day_after_rotation_both_secrets_sign_and_then_the_new_one_alone(database, vault, receiver):
    clock = SetClock(datetime.now(UTC))
    endpoint, old = add(database, vault, receiver.url)
    with database.begin() as session:
        new = Webhook(notifications.rotate_secret(session, vault, endpoint, clock=clock))
    tell(database)
    notifications.relay(database, vault, clock=clock)
    for verifier in (old, new):
        verifier.verify(receiver.got[-1].body, receiver.got[-1].headers)
    clock.instant += OVERLAP
    tell(database)
    notifications.relay(database, vault, clock=clock)
    assert receiver.got[-1].headers["webhook-signature"].count("v1,") == 1
