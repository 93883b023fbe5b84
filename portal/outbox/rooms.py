"""Verbs on chat rooms: add one, change what it hears, try it, retire it."""

import structlog
from django.db import IntegrityError, transaction

from portal.accounts.permissions import May, require
from portal.outbox.mail import Mail
from portal.outbox.models import Room
from portal.outbox.post import NotPosted, permitted, post
from portal.outbox.preferences import chat_kinds
from portal.shared.refusal import Refusal
from portal.shared.sealed import seal

log = structlog.get_logger(__name__)
LONGEST_NAME, LONGEST_ADDRESS = 80, 1000


class RoomIncomplete(Refusal):
    code = "room_incomplete"
    sentence = "Give the room a name and say whether it is Slack’s or Teams’. Nothing was saved."
    field = "name"


class RoomNameTaken(Refusal):
    code = "room_name_taken"
    sentence = "A room with this name exists already. Nothing was saved."
    field = "name"


class AddressRefused(Refusal):
    code = "address_refused"
    sentence = "This address cannot be posted to. Nothing was saved."
    field = "address"


class RoomSilent(Refusal):
    code = "room_silent"
    sentence = "The room did not take the message."


@transaction.atomic(durable=True)
def add_room(*, name, style, address, kinds, by, at, team=None):
    """A chat room that listens to `kinds` (keys): of one team's leads, or of all. Returns the Room.

    Refuses: NotPermitted, RoomIncomplete, AddressRefused, RoomNameTaken.
    """
    require(by, May.MANAGE_MESSAGES)
    if not name.strip() or style not in Room.Style.values:
        raise RoomIncomplete
    if len(name.strip()) > LONGEST_NAME:
        raise RoomIncomplete(f"A room’s name has at most {LONGEST_NAME} characters. Nothing was saved.")
    address = address.strip()
    try:
        permitted(address if len(address) <= LONGEST_ADDRESS else "")
    except NotPosted as problem:
        raise AddressRefused(f"{problem} Nothing was saved.") from None
    try:
        with transaction.atomic():
            room = Room.objects.create(
                name=name.strip(), style=style, address=seal(address), team=team, kinds=_known(kinds), created_at=at,
                created_by=by,
            )  # fmt: skip
    except IntegrityError:
        raise RoomNameTaken from None
    log.info("room_added", room=room.pk, by=by.pk)
    return room


@transaction.atomic(durable=True)
def change_room(*, room_id, kinds, by, team=None):
    """What the room listens to, and of which team's leads. Returns the Room. Refuses: NotPermitted."""
    require(by, May.MANAGE_MESSAGES)
    room = Room.objects.active().select_for_update().get(pk=room_id)
    room.kinds, room.team = _known(kinds), team
    room.save(update_fields=["kinds", "team"])
    log.info("room_changed", room=room.pk, by=by.pk)
    return room


@transaction.atomic(durable=True)
def retire_room(*, room_id, by, at):
    """The room hears nothing more, and its secret is forgotten. Returns the Room. Refuses: NotPermitted."""
    require(by, May.MANAGE_MESSAGES)
    room = Room.objects.active().select_for_update().get(pk=room_id)
    room.retired_at, room.retired_by, room.address = at, by, ""
    room.save(update_fields=["retired_at", "retired_by", "address"])
    log.info("room_retired", room=room.pk, by=by.pk)
    return room


def try_room(*, room_id, by):
    """Post a greeting at once: whoever set the room up sees that it works. Refuses: NotPermitted, RoomSilent."""
    require(by, May.MANAGE_MESSAGES)
    room = Room.objects.active().get(pk=room_id)
    try:
        post(room, Mail("Handoff can post here", f"{by.name} tried the connection.", "/", "Open Handoff"))
    except NotPosted as problem:
        raise RoomSilent(f"The room did not take the message. {problem}") from None


def _known(kinds):
    return [kind.key for kind in chat_kinds() if kind.key in set(kinds)]
