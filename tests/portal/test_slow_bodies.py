"""The real web server and clients that are slow, send too much, or are odd: nobody else waits for them."""

import datetime as dt
import json
import select
import socket
from contextlib import closing
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from leads.connectors.inbound import connections
from leads.intake.forms.services.build import create_form, publish_version
from leads.models import Lead
from portal.rsgi import AHEAD
from tests import cast, form_cast
from tests.api import token_for
from tests.webserver import WebServer

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 12  # three for each thread of the server's
FOR_EVER = "3600"
WAITS = 60  # seconds; a machine can be busy


def head(address, length, *more, method="POST"):
    lines = (f"{method} {address} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *more, "", "")
    return "\r\n".join(lines).encode("latin-1")


@pytest.fixture
def server(tmp_path):
    running = []

    def start(**env):
        running.append(WebServer(tmp_path, **env))
        return running[-1]

    yield start
    for one in running:
        one.kill()


@pytest.fixture
def doors():
    """Addresses that take bodies, each with headers that open it: a form, the API and its batch, and inbound."""
    at = timezone.now()
    cast.agreement(at=at - dt.timedelta(days=365))
    people = cast.people()
    form = create_form(name="F", slug="f", by=people.marketer, at=at, document=form_cast.ROI)
    publish_version(form_id=form.pk, by=people.marketer, at=at)
    _, token, _ = connections.add_connection(name="J", kind="json", event_kind="told", by=people.admin, at=at)
    key = (f"Authorization: Bearer {token_for(people.marketer)}", "Content-Type: application/json")
    posted = ("Content-Type: application/x-www-form-urlencoded",)
    return {
        "/f/f/": posted, "/api/v1/leads": key, "/api/v1/leads:batch": key, f"/in/json/{token}/": key[1:],
    }  # fmt: skip


def test_clients_that_never_send_their_bodies_hold_no_thread(doors, server):
    web = server(WEB_PATIENCE=FOR_EVER)
    slow = [web.open(head(address, 1000, *more) + b"{") for address, more in [*doors.items()] * (CLIENTS // 4)]
    try:
        for one in slow:
            one.sendall(b'"')
        body = json.dumps({"email": "a@corvane.example"}).encode()
        key = doors["/api/v1/leads"]
        assert b" 201 " in web.ask(head("/api/v1/leads", len(body), *key, "Connection: close") + body)
        for one in slow:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)
    finally:
        for one in slow:
            one.close()


def test_a_body_that_drips_is_cut_off_and_nothing_is_saved(doors, server):
    web = server(WEB_PATIENCE="1")
    for length in (1000, AHEAD + 1000):  # awaited before a thread begins, and read by one
        [*_, (address, more)] = doors.items()
        slow = [web.open(head(address, length, *more) + b'{"email":') for _ in range(CLIENTS // 2)]
        for one in slow:
            with closing(one):
                assert one.recv(65536).startswith(b"HTTP/1.1 408 "), length
        assert web.answers()
    assert not Lead.objects.exists()


OWN_COOKIE = ("Cookie: csrftoken=" + "a" * 32, "Content-Type: multipart/form-data; boundary=x")


@pytest.mark.parametrize(
    ("address", "length", "said"),
    [("/account/login/", 10**10, b" 413 "), ("/me/theme/", 10**10, b" 413 "), ("/import/upload/", 10**8, b" 302 ")],
)
def test_nobody_without_a_sign_in_lets_the_portal_wait_for_a_large_form(server, address, length, said):
    web = server(WEB_PATIENCE=FOR_EVER)
    slow = [web.open(head(address, length, *OWN_COOKIE) + b"--x\r\n") for _ in range(CLIENTS // 2)]
    for one in slow:
        with closing(one):
            assert said in one.recv(65536)[:16]


def test_the_length_that_a_body_is_said_to_have_buys_no_time(server):
    web = server(WEB_PATIENCE="1")  # and not the minutes that such a length might take
    slow = [web.open(head("/account/login/", 5 * 10**6, *OWN_COOKIE) + b"--x\r\n") for _ in range(CLIENTS // 2)]
    for one in slow:
        with closing(one):
            assert one.recv(65536).startswith(b"HTTP/1.1 408 ")


# --- who is signed in, or has a key --------------------------------------------------------------------
FILE = 4 * 10**8  # bytes: nearly as large as an upload may be


def upload(person, length=FILE):
    """The head and the beginning of an upload."""
    client = Client()
    client.force_login(person)
    cookie = f"Cookie: sessionid={client.cookies['sessionid'].value}; csrftoken={'a' * 32}"
    return head("/import/upload/", length, cookie, *OWN_COOKIE[1:], "Connection: close") + b"--x\r\n"


def answered(connections):
    """The first of them that has an answer."""
    [one, *_] = select.select(connections, [], [], WAITS)[0]
    return one


def test_files_that_signed_in_people_drip_stop_nobody_who_sends_none(doors, server):
    web, people = server(WEB_PATIENCE=FOR_EVER), cast.people()
    several = (people.marketer, people.marketing_leader, people.admin, people.rep)
    slow = [web.open(upload(person)) for person in several * 3]
    try:
        for one in slow:
            one.sendall(b"-")
        key = doors["/api/v1/leads"]
        for name in "abc":
            body = json.dumps({"email": f"{name}@corvane.example"}).encode()
            assert b" 201 " in web.ask(head("/api/v1/leads", len(body), *key, "Connection: close") + body)
    finally:
        for one in slow:
            one.close()


def test_one_person_sends_two_files_at_once_and_stops_nobody_elses(doors, server):
    web, people = server(WEB_PATIENCE=FOR_EVER), cast.people()
    slow = [web.open(upload(people.marketer)) for _ in range(3)]
    try:
        refused = answered(slow)
        assert refused.recv(65536).startswith(b"HTTP/1.1 429 ")
        assert b" 400 " in web.ask(upload(people.admin, 300_000) + b"x" * 299_995)[:16]  # read, and no form
        assert select.select([one for one in slow if one is not refused], [], [], 0)[0] == []
    finally:
        for one in slow:
            one.close()


def test_one_key_sends_two_batches_at_once(doors, server):
    web, address = server(WEB_PATIENCE=FOR_EVER), "/api/v1/leads:batch"
    slow = [web.open(head(address, 10**6, *doors[address]) + b"[") for _ in range(3)]
    try:
        said = answered(slow).recv(65536)
        assert said.startswith(b"HTTP/1.1 429 ")
        assert b"too_many_requests" in said
    finally:
        for one in slow:
            one.close()


def test_a_file_has_an_end_however_fast_it_comes(doors, server):
    web = server(WEB_PATIENCE=FOR_EVER, WEB_LONGEST="1")
    with closing(web.open(upload(cast.people().marketer))) as one:
        assert one.recv(65536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("length", [5 * 10**6, 10**12])
def test_a_body_that_is_too_large_is_refused_before_a_byte_of_it_is_sent(doors, server, length):
    web = server(WEB_PATIENCE=FOR_EVER)
    for address, more in doors.items():
        with closing(web.open(head(address, length, *more))) as one:
            assert one.recv(65536).startswith(b"HTTP/1.1 413 "), address


def test_the_server_says_what_django_says(doors, server, settings):
    web, close = server(), "Connection: close"
    said = web.ask(head("/account/login/?next=%2Fme%2F", 0, close, "Cookie: a=1", "Cookie: b=2", method="GET"))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"</html>" in said
    assert b"</html>" not in web.ask(head("/account/login/", 0, close, method="HEAD"))
    script = web.ask(head("/static/js/track.js", 0, close, method="GET"))  # in pieces, as every file
    assert script.endswith((Path(settings.BASE_DIR) / "static/js/track.js").read_bytes())
    assert b" 404 " in web.ask(head("/f/%C3%A9%FF/", 0, close, method="GET"))
    assert b" 200 " in web.ask(head("/healthz", 0, close, "X-Odd: \xff", "X_Forwarded_For: 1.2.3.4", method="GET"))
    assert web.answers()
    chunked = b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + close.encode()
    assert b" 4" in web.ask(chunked + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n")[:13]


def test_a_client_that_leaves_in_the_middle_of_a_file_leaves_no_thread_behind(doors, server):
    web = server(WEB_THREADS="1")
    for _ in range(3):
        with closing(web.open(head("/static/js/track.js", 0, method="GET"))) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert web.answers()
