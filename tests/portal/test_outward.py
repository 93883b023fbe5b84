"""Posting to addresses that people typed in: none inside the house, however it is written; bounded; no redirects."""

import socket
import time
from ipaddress import ip_address

import pytest

from portal.shared import outward
from portal.shared.outward import Forbidden, NotPosted, permitted, post, public
from tests.receiver import receiver

INSIDE = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",  # 127.0.0.1 as one number
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127.0.0.1./",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://3232235777/",  # 192.168.1.1
    "https://100.64.0.1/",  # carrier-grade
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",  # 169.254.169.254
    "https://0xa9fea9fe/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[ff02::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[fec0::1]/",
)
ILL_FORMED = (
    "",
    "https://",
    "//example.com/",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "javascript:alert(1)",
    "https://me:secret@example.com/",
    "https://example.com:port/",
    "https://example.com:99999/",
    "https://[::1/",
    "https://exa mple.com/",
    "https://-.invalid/",
    f"https://{'a' * 300}.example/",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_the_house_is_refused_however_it_is_written(address):
    with pytest.raises(NotPosted):
        permitted(address)


@pytest.mark.parametrize("address", ILL_FORMED)
def test_what_is_no_web_address_is_refused(address):
    with pytest.raises(NotPosted):
        permitted(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address):
    assert public(ip_address(address))


def looked_up_as(monkeypatch, *addresses):
    """Names lead to `addresses`; how often one was looked up is counted in the list that is returned."""
    asked, real = [], socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host != "hooks.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    looked_up_as(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(Forbidden):
        permitted("https://hooks.example/")


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to(monkeypatch):
    """A name that changes its mind between the check and the post (DNS rebinding) leads nowhere else."""
    asked = looked_up_as(monkeypatch, "127.0.0.1")
    with receiver() as server:
        answer = post(f"http://hooks.example:{server.server_port}/a?b=c d", b"{}", {}, private=True)
    assert (answer.status, asked) == (200, ["hooks.example"])
    assert server.heard[0].path == "/a?b=c%20d"
    assert server.heard[0].headers["host"] == f"hooks.example:{server.server_port}"


def test_the_certificate_is_checked_against_the_name(monkeypatch):
    """The server speaks no TLS at all: what it says is no answer."""
    looked_up_as(monkeypatch, "127.0.0.1")
    with receiver() as server, pytest.raises(NotPosted, match="SSL"):
        post(f"https://hooks.example:{server.server_port}/", b"{}", {}, private=True)
    assert not server.heard


def test_no_redirect_is_followed():
    with receiver() as elsewhere, receiver() as server:
        server.statuses, server.headers = [307], {"Location": elsewhere.address}
        assert post(server.address, b"{}", {}, private=True).status == 307
        assert not elsewhere.heard


def test_a_silent_server_is_cut_off():
    with receiver() as server:
        server.delay, began = 30, time.monotonic()
        with pytest.raises(NotPosted, match="within 1 seconds"):
            post(server.address, b"{}", {}, private=True, within=1.0)
        assert time.monotonic() - began < 10


def test_a_server_that_answers_a_byte_at_a_time_takes_no_longer_than_it_may():
    with receiver() as server:
        server.drips, began = 600, time.monotonic()
        assert len(post(server.address, b"{}", {}, private=True, within=5.0).text) < 300
        assert time.monotonic() - began < 30


def test_of_a_long_answer_only_the_beginning_is_read():
    with receiver() as server:
        server.answer = b"a\0" + b"y" * 5_000_000
        answer = post(server.address, b"{}", {}, private=True)
    assert len(answer.text) == outward.MOST_READ - 1


def test_an_error_holds_nothing_of_the_address():
    with receiver() as server:
        address = server.address
    with pytest.raises(NotPosted) as problem:
        post(address, b"{}", {}, private=True)
    assert "s3cr3t" not in str(problem.value)
    assert "localhost" not in str(problem.value)
