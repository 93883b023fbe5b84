"""Chat rooms: they hear what they listen to, once; only public https addresses are posted to; secrets stay secret."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from ipaddress import ip_address

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from portal.outbox.deliver import deliver_due
from portal.outbox.mail import Mail
from portal.outbox.models import Message, Room
from portal.outbox.post import NotPosted, permitted, post, slack, teams
from portal.outbox.rooms import AddressRefused, RoomNameTaken, RoomSilent, add_room, retire_room, try_room
from portal.shared.outward import Forbidden, public
from portal.shared.sealed import unseal

pytestmark = pytest.mark.django_db


class Chat(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def chat(settings):
    """A chat server on this machine, which the setting allows."""
    settings.CHAT_PRIVATE_ADDRESSES = True
    server = HTTPServer(("127.0.0.1", 0), Chat)
    server.heard, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.address = f"http://localhost:{server.server_port}/services/T00/B00/s3cr3t-XyZ9"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def room(chat, people, now):
    def make(**changes):
        given = {"name": "Sales", "style": "slack", "address": chat.address, "kinds": ["new_lead", "breach"]}
        return add_room(**given | changes, by=people.admin, at=now)

    return make


def test_a_room_hears_of_a_new_lead_once(agreement, room, chat, open_lead, now):
    room()
    Message.objects.all().delete()
    handoff = open_lead()
    deliver_due(at=now)
    deliver_due(at=now)
    [heard] = chat.heard
    assert "New lead: Henrike Solvang" in heard["text"]
    assert f"/leads/{handoff.pk}/|Open the lead>" in heard["text"]


def test_a_room_hears_only_its_own_team_and_kinds(agreement, room, chat, open_lead, people, now):
    room(name="North", team=people.north)
    room(name="South", team=people.south)
    room(name="Breaches only", kinds=["breach"])
    Message.objects.all().delete()
    open_lead(owner=people.south_rep)
    deliver_due(at=now)
    assert [m.room.name for m in Message.objects.exclude(room=None)] == ["South"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_room_that_does_not_take_it_is_tried_again_and_no_redirect_is_followed(
    agreement, room, chat, open_lead, now, status
):
    room()
    Message.objects.all().delete()
    open_lead()
    chat.status = status
    deliver_due(at=now)
    [message] = Message.objects.waiting()
    assert (message.attempts, len(chat.heard)) == (1, 1)
    assert str(status) in message.last_error
    assert "s3cr3t" not in message.last_error


def test_a_room_that_cannot_be_reached_gives_its_secret_to_no_log(chat, room):
    silent = room()
    chat.server_close()
    chat.shutdown()
    with pytest.raises(NotPosted) as problem:
        post(silent, Mail("Subject", "Body", "/"))
    assert "s3cr3t" not in str(problem.value)


def test_a_retired_room_hears_nothing_more_and_its_secret_is_forgotten(agreement, room, chat, open_lead, people, now):
    listening = room()
    Message.objects.all().delete()
    open_lead()
    retired = retire_room(room_id=listening.pk, by=people.admin, at=now)
    deliver_due(at=now)
    assert (chat.heard, retired.address) == ([], "")
    room()  # its name is free again


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.slack.com/services/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:192.168.0.1]/x",
        "https://localhost/x",
        "https://me:secret@hooks.slack.com/x",
        "file:///etc/passwd",
        "https://",
        "https://host:port/x",
    ],
)
def test_addresses_inside_the_house_are_refused(people, now, address):
    with pytest.raises(AddressRefused):
        add_room(name="Inside", style="slack", address=address, kinds=[], by=people.admin, at=now)
    assert not Room.objects.exists()


def test_the_address_is_looked_at_again_at_every_post(room, settings):
    """A name that leads into the house by now is not posted to."""
    rebound = room()
    settings.CHAT_PRIVATE_ADDRESSES = False
    with pytest.raises(Forbidden):
        post(rebound, Mail("Subject", "Body", "/"))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_addresses_of_the_internet_are_posted_to(address):
    assert public(ip_address(address))
    bracketed = f"[{address}]" if ":" in address else address
    assert permitted(f"https://{bracketed}/x") == address


def test_a_leads_name_calls_nobody_in_slack():
    text = slack(Mail("New lead: <!channel> & Co", "<https://evil.example|click>", "/leads/1/"))["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; Co" in text


def test_teams_gets_a_card_with_one_click_to_the_lead(settings):
    settings.PORTAL_URL = "https://handoff.example"
    card = teams(Mail("New lead", "One\nTwo", "/leads/1/"))["attachments"][0]["content"]
    assert card["actions"][0]["url"] == "https://handoff.example/leads/1/"
    assert card["body"][1]["text"] == "One\n\nTwo"


def test_a_leads_name_is_no_link_in_teams():
    card = teams(Mail("New lead: [Sign in](https://evil.example)", "[a]: https://evil.example", "/"))
    title, text = (block["text"] for block in card["attachments"][0]["content"]["body"])
    assert "](" not in title
    assert "]:" not in text


def test_an_address_that_a_translator_leads_into_the_house_is_refused():
    assert not public(ip_address("64:ff9b::10.0.0.1"))
    assert public(ip_address("64:ff9b::8.8.8.8"))


def test_two_rooms_never_share_a_name(room):
    room()
    with pytest.raises(RoomNameTaken):
        room()


def test_the_page_adds_tries_changes_and_retires_a_room_without_showing_its_secret(client, chat, people):
    client.force_login(people.admin)
    form = {"name": "Sales", "style": "teams", "address": chat.address, "kinds": ["breach"], "team": ""}
    client.post(reverse("rooms"), form)
    made = Room.objects.get()
    page = client.get(reverse("rooms")).content.decode()
    assert "…XyZ9" in page
    assert "s3cr3t" not in page
    tried = client.post(reverse("room_try", args=[made.pk]), follow=True).content.decode()
    assert "A greeting stands in Sales now." in tried
    chat.status = 500
    tried = client.post(reverse("room_try", args=[made.pk]), follow=True).content.decode()
    assert "The chat server answered 500." in tried
    client.post(reverse("room", args=[made.pk]), {"kinds": ["new_lead"], "team": people.north.pk})
    made.refresh_from_db()
    assert (made.kinds, made.team) == (["new_lead"], people.north)
    client.post(reverse("room_retire", args=[made.pk]))
    assert not Room.objects.active().exists()


def test_the_page_says_why_an_address_is_refused_and_does_not_repeat_it(client, people):
    client.force_login(people.admin)
    form = {"name": "Inside", "style": "slack", "address": "https://10.0.0.1/s3cr3t", "kinds": ["breach"]}
    answer = client.post(reverse("rooms"), form)
    assert answer.status_code == 422
    assert "inside the house" in answer.content.decode()
    assert "s3cr3t" not in answer.content.decode()


# --- sealed ------------------------------------------------------------------------------------------
def test_the_database_holds_no_address_that_could_be_posted_to(room, chat):
    room()
    [(kept,)] = Room.objects.values_list("address")
    assert "s3cr3t" not in kept
    assert unseal(kept) == chat.address
    with pytest.raises(IntegrityError, match="outbox_room_address_sealed"), transaction.atomic():
        Room.objects.update(address="https://hooks.slack.com/plain")


def test_a_room_sealed_under_another_key_says_so_and_posts_nothing(room, chat, people, settings):
    made = room()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, long enough to be one", []
    assert made.masked == "sealed under another SECRET_KEY"
    with pytest.raises(RoomSilent, match="SECRET_KEY_FALLBACKS"):
        try_room(room_id=made.pk, by=people.admin)
    assert chat.heard == []


def test_the_migration_seals_what_was_plain_and_opens_it_again(room, chat):
    migration = import_module("portal.outbox.migrations.0004_sealed_rooms")
    room()
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE outbox_room DROP CONSTRAINT outbox_room_address_sealed"
        )
    migration.unseal_addresses(apps, None)
    assert Room.objects.get().address == chat.address
    migration.seal_addresses(apps, None)
    assert unseal(Room.objects.get().address) == chat.address
