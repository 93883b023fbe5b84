"""Messages written in the transaction of the fact that they tell, what people want of them, and where chat listens."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from portal.outbox.mail import TOPICS, WAYS
from portal.shared.sealed import SEALED, SealBroken, unseal
from portal.shared.triggers import refuse

USER = settings.AUTH_USER_MODEL
FORGOTTEN = "About somebody who was forgotten"  # the title of a notice that was blanked
# the number beside the bell is a sum that the database keeps, whatever writes
COUNT_NEW = """
    UPDATE accounts_user u SET unread = u.unread + n.rows
    FROM (SELECT person_id, count(*) AS rows FROM new_rows WHERE read_at IS NULL GROUP BY person_id) n
    WHERE u.id = n.person_id;
    RETURN NULL;
"""
COUNT_READ = """
    UPDATE accounts_user u SET unread = u.unread - n.rows
    FROM (SELECT o.person_id, count(*) AS rows FROM old_rows o JOIN new_rows n USING (id)
          WHERE o.read_at IS NULL AND n.read_at IS NOT NULL GROUP BY o.person_id) n
    WHERE u.id = n.person_id;
    RETURN NULL;
"""


class MessageQuerySet(models.QuerySet):
    def waiting(self):
        """Neither delivered nor given up."""
        return self.filter(delivered_at=None, dead_at=None)

    def due(self, *, at):
        """Undelivered messages whose next attempt has come, oldest first."""
        return self.waiting().filter(next_attempt_at__lte=at).order_by("next_attempt_at", "id")

    def dead(self):
        """Given up after the last attempt, the newest first."""
        return self.filter(dead_at__isnull=False).order_by("-dead_at", "-id")


class Message(models.Model):
    """One message. `key` makes it idempotent: the same fact is told once, however often the verb runs.

    It is for one person, for one chat room, or for neither: a fact that rooms and subscribers may listen to.
    """

    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=120, unique=True)
    payload = models.JSONField(default=dict)
    recipient = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    room = models.ForeignKey("outbox.Room", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    delivered_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            # the worker's question, small at any table size
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(delivered_at=None, dead_at=None),
                name="outbox_message_due",
            ),
            # the dead letters' page
            models.Index(fields=["-dead_at", "-id"], condition=Q(dead_at__isnull=False), name="outbox_message_dead"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(dead_at=None), name="outbox_message_delivered_or_dead"
            ),
            models.CheckConstraint(condition=Q(recipient=None) | Q(room=None), name="outbox_message_one_addressee"),
        ]

    def __str__(self):
        return f"{self.topic} {self.key}"

    @property
    def about(self):
        """What it is about, in the words in which people choose their messages."""
        topic = TOPICS.get(self.topic)
        return topic.kind.label if topic and topic.kind else self.topic


class NoticeQuerySet(models.QuerySet):
    def unread(self):
        return self.filter(read_at=None)


class Notice(models.Model):
    """What the bell shows a person: once for each message, unread until it is opened."""

    person = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="notices", db_index=False)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="notice")
    title = models.CharField(max_length=150)
    text = models.TextField(blank=True, default="")
    path = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "-id"], name="outbox_notice_newest"),
            models.Index(fields=["person"], condition=Q(read_at=None), name="outbox_notice_unread"),
        ]
        constraints = [models.CheckConstraint(condition=Q(path__startswith="/"), name="outbox_notice_path_is_local")]
        triggers = [
            pgtrigger.Trigger(
                name="counts_new",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=COUNT_NEW,
            ),
            pgtrigger.Trigger(
                name="counts_read",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
                func=COUNT_READ,
            ),
            pgtrigger.Trigger(
                name="only_read",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'UPDATE' AND NEW.title = '{FORGOTTEN}' AND NEW.text = ''
                        AND to_jsonb(NEW) - ARRAY['title', 'text'] = to_jsonb(OLD) - ARRAY['title', 'text'] THEN
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'DELETE' OR OLD.read_at IS NOT NULL OR NEW.read_at IS NULL
                        OR (OLD.id, OLD.person_id, OLD.message_id, OLD.title, OLD.path)
                        IS DISTINCT FROM (NEW.id, NEW.person_id, NEW.message_id, NEW.title, NEW.path) THEN
                        {refuse("a notice changes only by being read, once, or by being blanked")}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return self.title


class Preference(models.Model):
    """The ways by which a person wants one kind of message; none at all: not. Without a row: the kind's own."""

    person = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=30)
    ways = ArrayField(models.CharField(max_length=4), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="outbox_preference_once"),
            models.CheckConstraint(condition=Q(ways__contained_by=list(WAYS)), name="outbox_preference_ways_known"),
        ]

    def __str__(self):
        return f"{self.kind}: {', '.join(self.ways) or 'off'}"


class QuietHours(models.Model):
    """When a person wants no mail: from `begins` to `ends` on their own clock, over midnight where it ends earlier."""

    person = models.OneToOneField(USER, on_delete=models.CASCADE, primary_key=True, related_name="quiet_hours")
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(begins=F("ends")), name="outbox_quiet_hours_end")]

    def __str__(self):
        return f"{self.begins:%H:%M} to {self.ends:%H:%M}"


class RoomQuerySet(models.QuerySet):
    def active(self):
        return self.filter(retired_at=None)


class Room(models.Model):
    """A chat room that listens: an incoming webhook of Slack or Teams, for the organisation or for one team."""

    class Style(models.TextChoices):
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    name = models.CharField(max_length=80)
    style = models.CharField(max_length=5, choices=Style)
    address = models.TextField(blank=True, help_text="sealed: whoever knows it can post; empty: retired")
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kinds = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+", db_index=False)
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(retired_at=None), name="outbox_room_name_once"),
            models.CheckConstraint(condition=Q(style__in=["slack", "teams"]), name="outbox_room_style_known"),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None) | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="outbox_room_retired_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(address="", retired_at__isnull=False) | Q(address__startswith=SEALED, retired_at=None),
                name="outbox_room_address_sealed",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def masked(self):
        """Enough of the address to tell two apart, too little to post with: "hooks.slack.com/…XyZ9"."""
        try:
            address = unseal(self.address)
        except SealBroken:
            return "sealed under another SECRET_KEY"
        return f"{address.partition('://')[2].partition('/')[0]}/…{address[-4:]}"
