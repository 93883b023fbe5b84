"""Addresses of chat rooms are sealed: whoever reads the database, or a copy of it, cannot post."""

from django.db import migrations, models
from django.db.models import Q

from portal.shared.sealed import seal, unseal


def seal_addresses(apps, _):
    _each(apps, seal)


def unseal_addresses(apps, _):
    _each(apps, unseal)


def _each(apps, change):
    room = apps.get_model("outbox", "Room")
    for one in room.objects.exclude(address=""):
        room.objects.filter(pk=one.pk).update(address=change(one.address))


class Migration(migrations.Migration):
    dependencies = [("outbox", "0003_erasure")]

    operations = [
        migrations.AlterField(
            "room",
            "address",
            models.TextField(blank=True, help_text="sealed: whoever knows it can post; empty: retired"),
        ),
        migrations.RunPython(seal_addresses, unseal_addresses),
        migrations.AddConstraint(
            "room",
            models.CheckConstraint(
                condition=Q(address="", retired_at__isnull=False) | Q(address__startswith="gAAAA", retired_at=None),
                name="outbox_room_address_sealed",
            ),
        ),
    ]
