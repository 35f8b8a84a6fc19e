"""Each notice arrives at least once, in order, whoever else fails (design, I13; Standard Webhooks 1.0.0)."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from psycopg.conninfo import make_conninfo

from carbonhui import notifications
from carbonhui.core.clock import SystemClock
from carbonhui.notifications import relaying
from carbonhui.notifications.carrying import Answer, HttpCarrier
from carbonhui.notifications.relaying import RETRIES
from tests.notifications.conftest import ORGANISATION, Received, Receiver, add, broken, states, tell, wait_for

SECOND = timedelta(seconds=1)


class Told:
    """A carrier that notes what it carries and answers as it is told."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []

    async def carry(self, url, *, headers, body):
        self.ids.append(headers["webhook-id"])
        return self.answers.pop(0) if self.answers else Answer("delivered", 204)


REFUSED = Answer("refused", 500)


def test_the_published_schedule_is_kept_to_the_second_over_75_6_hours(database, vault, clock):
    add(database, vault, "http://127.0.0.1:9/")
    carrier, began = Told(*[REFUSED] * 10), clock.instant
    tell(database)
    for made, wait in enumerate(RETRIES):
        clock.instant += wait - SECOND
        if made:
            notifications.relay(database, vault, clock=clock, http=carrier)
            assert len(carrier.ids) == made, "an attempt was made too early"
        clock.instant += SECOND
        notifications.relay(database, vault, clock=clock, http=carrier)
        assert len(carrier.ids) == made + 1
    assert clock.instant - began == sum(RETRIES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert len(set(carrier.ids)) == 1, "the id stays the same over all attempts"
    assert states(database) == [("dead", 10, "refused")]
    clock.instant += timedelta(days=365)
    assert notifications.relay(database, vault, clock=clock, http=carrier).attempts == 0


def test_a_dead_letter_is_told_and_replayed_from_the_first_attempt_on(database, vault, clock):
    add(database, vault, "http://127.0.0.1:9/")
    tell(database)
    for wait in RETRIES:
        clock.instant += wait
        notifications.relay(database, vault, clock=clock, http=Told(REFUSED))
    with database.begin() as session:
        (letter,) = notifications.dead_letters(session)
        assert (letter.organisation, letter.topic, letter.attempts, letter.outcome, letter.status) == (
            ORGANISATION, "activity.batch.received", 10, "refused", 500,
        )  # fmt: skip
        assert notifications.dead_letters(session, organisation=8) == []
        assert notifications.dead_letters(session, before=letter.delivery) == []
        with pytest.raises(notifications.DeliveryUnknown):
            notifications.replay(session, letter.delivery, organisation=8)
        with pytest.raises(notifications.DeliveryUnknown):
            notifications.replay(session, 999)
        notifications.replay(session, letter.delivery)
        with pytest.raises(notifications.DeliveryNotDead):
            notifications.replay(session, letter.delivery)
    assert notifications.relay(database, vault, clock=clock, http=Told()).delivered == 1
    assert states(database) == [("delivered", 1, "delivered")]


def test_notices_of_one_matter_keep_their_order_and_others_do_not_wait(database, vault, clock):
    add(database, vault, "http://127.0.0.1:9/")
    first, second, other = tell(database, 1, key="a"), tell(database, 2, key="a"), tell(database, 3, key="b")
    alone = tell(database, 4)
    carrier = Told(REFUSED)
    notifications.relay(database, vault, clock=clock, http=carrier)
    assert carrier.ids == [first, other, alone]
    notifications.relay(database, vault, clock=clock, http=carrier)
    assert carrier.ids == [first, other, alone], "the second does not overtake the first while that waits"
    clock.instant += RETRIES[1]
    notifications.relay(database, vault, clock=clock, http=carrier)
    assert carrier.ids == [first, other, alone, first, second]


def test_what_is_dead_no_longer_holds_back_what_follows(database, vault, clock):
    add(database, vault, "http://127.0.0.1:9/")
    tell(database, 1, key="a")
    second = tell(database, 2, key="a")
    for wait in RETRIES:
        clock.instant += wait
        notifications.relay(database, vault, clock=clock, http=Told(REFUSED))
    carrier = Told()
    notifications.relay(database, vault, clock=clock, http=carrier)
    assert carrier.ids == [second] or states(database)[1][0] == "delivered"


def test_a_receiver_that_hangs_does_not_hold_back_another(database, vault, receiver):
    enough, patient = threading.Event(), HttpCarrier(loopback=True, timeout_s=120)
    with Receiver(script=lambda received: (enough.wait(120), (204, b""))[1]) as hanging:
        add(database, vault, hanging.url)
        add(database, vault, receiver.url)
        tell(database)
        with ThreadPoolExecutor(1) as pool:
            passing = pool.submit(notifications.relay, database, vault, clock=SystemClock(), http=patient)
            wait_for(lambda: len(receiver.got) == 1 and len(hanging.got) == 1)
            assert not passing.done(), "the other was told while the first still hangs"
            tell(database)
            assert notifications.relay(database, vault, clock=SystemClock()).delivered == 1, "a second pass leaves its lane alone"
            assert len(receiver.got) == 2 and len(hanging.got) == 1
            enough.set()
            assert passing.result().delivered == 2


def test_410_disables_the_endpoint_and_its_organisation_is_told_elsewhere(database, vault, clock):
    gone, _ = add(database, vault, "http://127.0.0.1:9/gone")
    tell(database)
    tell(database)
    report = notifications.relay(database, vault, clock=clock, http=Told(Answer("gone", 410)))
    assert (report.attempts, report.disabled) == (1, 1)
    assert states(database) == [("dead", 0, "gone")] * 2
    add(database, vault, "http://127.0.0.1:9/here")
    tell(database)
    with database.begin() as session:
        assert [(one.id, one.state) for one in notifications.endpoints_of(session, ORGANISATION)][0] == (gone, "disabled")
        with pytest.raises(notifications.EndpointNotActive):
            notifications.replay(session, notifications.dead_letters(session)[0].delivery)
        with pytest.raises(notifications.EndpointNotActive):
            notifications.ping(session, gone)
    with database.begin() as session:
        notifications.resume_endpoint(session, gone)
        notifications.replay(session, notifications.dead_letters(session)[0].delivery)
    tell(database)
    assert notifications.relay(database, vault, clock=clock, http=Told()).delivered == 4
    with database.connect() as connection:
        assert connection.execute("SELECT payload FROM announcement WHERE topic = 'webhook.disabled'").fetchone() == ({"endpoint": gone},)


def test_what_waits_for_a_removed_endpoint_is_dead(database, vault, clock):
    endpoint, _ = add(database, vault, "http://127.0.0.1:9/")
    tell(database)
    with database.begin() as session:
        with pytest.raises(notifications.EndpointUnknown):
            notifications.remove_endpoint(session, endpoint, organisation=8)
        notifications.remove_endpoint(session, endpoint, organisation=ORGANISATION)
        with pytest.raises(notifications.EndpointUnknown):
            notifications.remove_endpoint(session, endpoint)
        assert notifications.endpoints_of(session, ORGANISATION) == []
    tell(database)
    assert notifications.relay(database, vault, clock=clock, http=Told()).attempts == 0
    assert states(database) == [("dead", 0, "endpoint_removed")]


def test_an_organisation_has_ten_endpoints_and_not_one_more(database, vault, clock):
    for _ in range(10):
        add(database, vault, "http://127.0.0.1:9/", topics=("credit.received",))
    with pytest.raises(notifications.EndpointsTooMany):
        add(database, vault, "http://127.0.0.1:9/")
    add(database, vault, "http://127.0.0.1:9/", organisation=8)
    for topics, refusal in (((), notifications.TopicsMissing), (("credit.stolen",), notifications.TopicUnknown), (("ping",), notifications.TopicUnknown)):
        with pytest.raises(refusal):
            add(database, vault, "http://127.0.0.1:9/", topics=topics)


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        (200, b"", "delivered"), (299, b"", "delivered"), (301, b"", "redirected"), (307, b"", "redirected"), (400, b"", "refused"),
        (410, b"", "gone"), (429, b"", "refused"), (503, b"", "refused"), (200, b"x" * 5_000_000, "delivered"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),
)  # fmt: skip
def test_only_2xx_is_an_acceptance_and_nobody_is_followed(receiver, status, answer, outcome):
    receiver.script = lambda received: (status, answer)
    carried = asyncio.run(HttpCarrier(loopback=True).carry(receiver.url, headers={}, body=b"{}"))
    assert carried == Answer(outcome, status)
    assert [received.path for received in receiver.got] == ["/notices"]


def test_of_a_huge_answer_only_the_beginning_is_read():
    with socket.create_server(("127.0.0.1", 0)) as server:
        # What the machine would keep for a slow reader is no part of the question.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        sent = []

        def pour() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    for _ in range(2000):
                        sent.append(connection.send(b"x" * 65536))
                except OSError:
                    pass

        pouring = threading.Thread(target=pour)
        pouring.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert asyncio.run(HttpCarrier(loopback=True).carry(url, headers={}, body=b"{}")).is_delivered
        pouring.join()
    assert sum(sent) < 20_000_000, "the rest stays in the buffers of the machine"


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n", b""], ids=["headers", "body", "silence"])
def test_a_slow_drip_is_cut_when_the_whole_time_is_over(part):
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(part)
                while not over.wait(0.05):
                    connection.sendall(b"x" if part else b"")

        dripping = threading.Thread(target=drip)
        dripping.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert asyncio.run(HttpCarrier(loopback=True, timeout_s=0.4).carry(url, headers={}, body=b"{}")) == Answer("timeout")
        over.set()
        dripping.join()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"])
def test_an_answer_that_is_none_is_a_failed_attempt(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                heard = b""
                while not heard.endswith(b"{}"):
                    heard += connection.recv(65536)
                connection.sendall(answer)

        speaking = threading.Thread(target=speak)
        speaking.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert asyncio.run(HttpCarrier(loopback=True).carry(url, headers={}, body=b"{}")) == Answer("broken_answer")
        speaking.join()


def test_where_nobody_listens_is_a_failed_attempt():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert asyncio.run(HttpCarrier(loopback=True).carry(url, headers={}, body=b"{}")) == Answer("unreachable")


class Died(BaseException):
    """A relay that is no more."""


def test_a_relay_that_dies_before_or_after_sending_leaves_nothing_untold(database, vault, receiver, clock):
    class Dying(HttpCarrier):
        def __init__(self, *, sends: bool) -> None:
            super().__init__(loopback=True)
            self.sends = sends

        async def carry(self, url, *, headers, body):
            if self.sends:
                await super().carry(url, headers=headers, body=body)
            raise Died

    add(database, vault, receiver.url)
    notices = [tell(database, number) for number in range(3)]
    for sends in (False, True):
        with pytest.raises(Died):
            notifications.relay(database, vault, clock=clock, http=Dying(sends=sends))
    assert receiver.ids() == notices[:1]
    assert states(database) == [("waiting", 0, None)] * 3
    notifications.relay(database, vault, clock=clock)
    assert receiver.ids() == [notices[0], *notices], "told twice, and by its id the receiver knows"


PROCESS = """
import os, sys
from dataclasses import replace
from pathlib import Path
from carbonhui import notifications, privacy
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import Database
from carbonhui.core.settings import read_settings

class Named(notifications.HttpCarrier):
    async def carry(self, url, *, headers, body):
        return await super().carry(url, headers={**headers, "x-process": str(os.getpid())}, body=body)

settings = replace(read_settings(profile="demo"), keys=Path(sys.argv[2]))
database = Database(parameters={"conninfo": sys.argv[1]}, settings=settings, server=None)
while True:
    notifications.relay(database, privacy.open_vault(settings), clock=SystemClock(), http=Named(loopback=True, timeout_s=600))
"""


def test_relays_that_are_killed_while_they_send_tell_everything_at_least_once(database, vault, settings, receiver):
    """Three processes; the receiver kills the sender twice, after it took the notice and before it answers."""

    def script(received: Received) -> tuple[int, bytes]:
        if len(receiver.got) in (5, 25):
            os.kill(int(received.headers["x-process"]), signal.SIGKILL)
        return 204, b""

    receiver.script = script
    add(database, vault, receiver.url)
    notices = [tell(database, number, key="one") for number in range(40)]
    address = make_conninfo(**database.parameters)
    relays = [subprocess.Popen([sys.executable, "-c", PROCESS, address, str(settings.keys)]) for _ in range(3)]
    try:
        wait_for(lambda: all(state == "delivered" for state, _, _ in states(database)), 300)
    finally:
        for one in relays:
            one.kill()
            one.wait()
    counts = Counter(receiver.ids())
    assert set(counts) == set(notices)
    assert sum(counts.values()) == len(notices) + 2, "only what was under way is told again"
    assert list(dict.fromkeys(receiver.ids())) == notices, "and in order"
    assert broken(database) == []


def test_two_relays_at_once_tell_nothing_twice(database, vault, receiver, monkeypatch):
    monkeypatch.setattr(relaying, "LANE_SECONDS", 600.0)
    patient = HttpCarrier(loopback=True, timeout_s=600)
    for path in range(3):
        add(database, vault, f"{receiver.url}/{path}")
    for number in range(12):
        tell(database, number, key="one")
    with ThreadPoolExecutor(4) as pool:
        passes = [pool.submit(notifications.relay, database, vault, clock=SystemClock(), http=patient) for _ in range(8)]
        assert sum(each.result().delivered for each in passes) == 36
    assert len(receiver.got) == len({(one.path, one.headers["webhook-id"]) for one in receiver.got}) == 36


def test_ten_ways_to_fail_in_simulated_time_end_with_everything_told_or_dead(database, vault, clock):
    """Half of all attempts fail, in each of the ways a receiver can; no notice is forgotten and the order of a matter stays."""
    chance = random.Random(4401)
    ways = [Answer("refused", code) for code in (400, 404, 429, 500, 502)] + [
        Answer(word) for word in ("timeout", "unreachable", "certificate", "broken_answer", "host_refused")
    ]

    class Failing(Told):
        accepted: list[str] = []

        async def carry(self, url, *, headers, body):
            answer = chance.choice(ways) if chance.random() < 0.5 else Answer("delivered", 200)
            if answer.is_delivered:
                self.accepted.append(headers["webhook-id"])
            return answer

    add(database, vault, "http://127.0.0.1:9/")
    matters = {key: [tell(database, number, key=key) for number in range(20)] for key in "abcde"}
    carrier = Failing()
    for _ in range(400):
        notifications.relay(database, vault, clock=clock, http=carrier)
        with database.connect() as connection:
            row = connection.execute("SELECT min(due_at) FROM webhook_delivery WHERE state = 'waiting' AND due_at > '-infinity'").fetchone()
        if row is None or row[0] is None:
            break
        clock.instant = max(clock.instant, row[0])
    left = Counter(state for state, _, _ in states(database))
    assert left["waiting"] == 0 and left["delivered"] == len(set(carrier.accepted)) == len(carrier.accepted)
    for notices in matters.values():
        told = [notice for notice in carrier.accepted if notice in notices]
        assert told == [notice for notice in notices if notice in told]
