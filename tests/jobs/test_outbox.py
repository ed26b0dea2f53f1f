"""E-mails and webhooks: sent once, signed, tried again, given up visibly, never to metadata."""

import hashlib
import hmac
import json
import multiprocessing
import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from portal.jobs.models import Job, Outgoing
from portal.jobs.outbox import MAX_TRIES, deliver, given_up, pause_after, send_due
from portal.jobs.retention import prune
from portal.jobs.webhook import RefusedError, check_address
from portal.runtime import Runtime
from tests.waiting import wait_until


class Mailbox:
    def __init__(self):
        self.messages = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (aiosmtpd's name)
        self.messages.append(envelope)
        return "250 OK"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.answer)
        if self.server.answer == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def receiver(answer=200):
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.answer = [], answer
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mailbox():
    box = Mailbox()
    with socket.socket() as probe:  # aiosmtpd asks itself on the port that it was given
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def with_settings(make_settings, clock):
    opened = []

    def make(**values):
        runtime = Runtime.open(make_settings(**values), clock=clock)
        opened.append(runtime)
        return runtime

    yield make
    for runtime in opened:
        runtime.close()


def put(runtime, channel, target):
    payload = {"subject": "Export failed", "text": "Export failed: no disk", "job": "a" * 32}
    with runtime.sessions.begin() as session:
        now = runtime.clock()
        row = Outgoing(
            channel=channel, target=target, payload=payload, next_try_at=now, created_at=now
        )
        session.add(row)
        session.flush()
        return row.id


def send_in_two_processes(settings):
    """How many messages each of two processes sent, which began at the same moment."""
    context = multiprocessing.get_context("spawn")
    start, sent = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(settings, start, sent)) for _ in range(2)]
    for racer in racers:
        racer.start()
    counts = [sent.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join(timeout=20)
    return counts


def race(settings, start, sent):
    runtime = Runtime.open(settings)
    start.wait(timeout=50)
    sent.put(send_due(runtime))
    runtime.close()


def row_of(runtime, outgoing_id):
    with runtime.reads() as session:
        return session.get(Outgoing, outgoing_id)


def test_a_message_is_mailed_once(with_settings, mailbox):
    runtime = with_settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}")
    put(runtime, "email", "anna@example.org")
    assert [send_due(runtime), send_due(runtime)] == [1, 0]
    (message,) = mailbox.messages
    assert message.rcpt_tos == ["anna@example.org"]
    assert b"Subject: Export failed" in message.content


def test_two_processes_racing_send_each_message_once(with_settings, mailbox):
    runtime = with_settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}")
    people = {f"user{number}@example.org" for number in range(10)}
    for address in people:
        put(runtime, "email", address)
    assert sum(send_in_two_processes(runtime.settings)) == len(people)
    assert sorted(message.rcpt_tos[0] for message in mailbox.messages) == sorted(people)


def test_messages_are_sent_beside_everything_else_until_the_end(with_settings, mailbox):
    runtime = with_settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}", reconcile_seconds=0.05)
    over = threading.Event()
    post = threading.Thread(target=deliver, args=(runtime,), kwargs={"over": over})
    post.start()
    for address in ("anna@example.org", "mia@example.org"):
        known = len(mailbox.messages)
        put(runtime, "email", address)
        wait_until(lambda known=known: len(mailbox.messages) > known)
    over.set()
    post.join(timeout=20)
    assert not post.is_alive()


def test_a_webhook_carries_a_signature_that_its_receiver_can_check(with_settings):
    with receiver() as (server, url):
        runtime = with_settings(webhook_secret="hush")
        put(runtime, "webhook", url)
        assert send_due(runtime) == 1
    headers, body = server.received[0]
    stamp, digest = (part.partition("=")[2] for part in headers["Portal-Signature"].split(","))
    wanted = hmac.new(b"hush", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert digest == wanted
    assert json.loads(body)["text"] == "Export failed: no disk"


def test_a_refused_webhook_is_tried_again_later(with_settings, clock):
    with receiver(500) as (server, url):
        runtime = with_settings()
        outgoing_id = put(runtime, "webhook", url)
        assert send_due(runtime) == 0
        assert "It answered 500." in row_of(runtime, outgoing_id).error
        assert send_due(runtime) == 0
        assert len(server.received) == 1
        server.answer = 204
        clock.move(minutes=1)
        assert send_due(runtime) == 1


def test_a_redirect_is_not_followed(with_settings):
    with receiver(302) as (server, url):
        runtime = with_settings()
        outgoing_id = put(runtime, "webhook", url)
        send_due(runtime)
    assert len(server.received) == 1
    assert "redirects are not followed" in row_of(runtime, outgoing_id).error


def test_a_message_that_nobody_takes_is_given_up_and_told(with_settings, clock):
    runtime = with_settings(smtp_url="smtp://127.0.0.1:1")
    outgoing_id = put(runtime, "email", "anna@example.org")
    for _ in range(MAX_TRIES + 2):
        send_due(runtime)
        clock.move(days=1)
    assert row_of(runtime, outgoing_id).tries == MAX_TRIES
    with runtime.reads() as session:
        assert [lost.id for lost in given_up(session)] == [outgoing_id]


def test_a_target_that_fails_does_not_hold_up_others(with_settings):
    with receiver() as (server, url):
        runtime = with_settings()
        for _ in range(3):
            put(runtime, "webhook", "http://127.0.0.1:1/")
        put(runtime, "webhook", url)
        assert send_due(runtime) == 1
    assert len(server.received) == 1


def test_the_pause_doubles_up_to_six_hours():
    pauses = [pause_after(tries) for tries in (1, 2, 3, 10)]
    assert pauses == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), pauses[3]]
    assert pauses[3] <= timedelta(hours=6)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "168.63.129.16",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
    ],
)
def test_metadata_addresses_are_refused(address):
    with pytest.raises(RefusedError):
        check_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "2001:db8::1"])
def test_other_addresses_are_not(address):
    check_address(address)


def test_old_log_lines_and_tracebacks_go_and_jobs_stay(runtime, jobs, clock):
    talked, failed = jobs.ended("talk"), jobs.ended("fail", subject="2")
    clock.move(days=89)
    assert prune(runtime) == 0
    clock.move(days=2)
    assert prune(runtime) >= 2
    with runtime.reads() as session:
        assert set(session.scalars(select(Job.id))) == {talked, failed}


def test_sent_messages_are_forgotten_and_unsent_ones_are_not(runtime, clock):
    kept, sent = put(runtime, "webhook", "http://127.0.0.1:1/"), put(runtime, "email", "a@b.c")
    with runtime.sessions.begin() as session:
        session.execute(update(Outgoing).where(Outgoing.id == sent).values(sent_at=clock()))
    clock.move(days=31)
    assert prune(runtime) == 1
    assert row_of(runtime, kept) is not None
