"""The list of attacks (docs/attacks.md) names tests that there are; and those attacks that go along all doors."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from leads.intake.models import ImportJob
from leads.models import Handoff, Touch
from portal.accounts.models import Role
from tests import cast
from tests.test_rules import address, routes, views

LIST = Path(settings.BASE_DIR, "docs", "attacks.md")
# what takes posts without a token of ours: another proof stands for it
PROVED_OTHERWISE = {
    "inbound": "a secret address, and signatures",
    "form_embed": "a signed token of the page",
    "form_embed_send": "a signed token of the page",
    "form_embed_thanks": "a signed token of the page",
    "form_public": "a signed token of the page",
    "form_public_part": "a signed token of the page",
    "form_public_thanks": "a signed token of the page",
    "form_preview_frame": "nothing is written",
    "form_preview_part": "nothing is written",
}
OF_A_HANDOFF = ("inbox_", "handoff", "deal_", "bulk_", "queue_")


def named():
    """Every `path::test` of the list."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", LIST.read_text())


@pytest.mark.parametrize(("path", "test"), named())
def test_each_test_of_the_list_is_there(path, test):
    assert re.search(rf"^def {test}\(", Path(settings.BASE_DIR, path).read_text(), re.MULTILINE)


def test_each_attack_of_the_list_names_a_test():
    rows = [row for row in LIST.read_text().splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 12
    assert [row for row in rows if "::test_" not in row] == []


def test_no_door_takes_a_post_from_another_site(agreement, people):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.user("Every Body", *Role.values, team=people.north))
    taken = {
        name
        for name, route in routes()
        if name in views() and browser.post(address(name, route)).status_code != 403 and not route.startswith("api/")
    }
    assert taken == set(PROVED_OTHERWISE), sorted(taken)


def test_the_id_of_somebody_elses_lead_opens_nothing(client, open_lead, people):
    handoff = open_lead(owner=people.rep)
    client.force_login(people.south_rep)
    tried = []
    for name, route in routes():
        if name.startswith(OF_A_HANDOFF) and "<int:" in route:
            to = address(name, route, **dict.fromkeys(re.findall(r"<int:(\w+)>", route), handoff.pk))
            tried += [(name, client.get(to).status_code), (name, client.post(to, {"outcome": "reached"}).status_code)]
    assert len(tried) > 20
    assert [one for one in tried if one[1] not in (403, 404, 405)] == []
    handoff.refresh_from_db()
    assert (handoff.status, handoff.owner, Touch.objects.count()) == ("open", people.rep, 0)
    assert Handoff.objects.count() == 1


def bomb():
    """A thousand times larger unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("leads.csv", b"Email\n" + b"a" * 50_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bomb, "Nothing was imported"),
        (lambda: b"Email,Company\n" + b'a@x.example,"' + b"x" * 3_000_000, ""),
        (lambda: b",".join(b"c%d" % n for n in range(200_000)) + b"\n1\n", "200,000 columns"),
        (lambda: b"\0" * 1_000_000, "Nothing was imported"),
        (lambda: b"Email\n" + b"\n" * 2_000_000, ""),
    ],
    ids=["zip", "a field without end", "columns without end", "nothing but NUL", "blank rows without end"],
)
def test_a_bomb_among_the_files_is_no_fault_and_leaves_nothing(client, people, tmp_path, settings, content, why):
    settings.DATA_DIR = tmp_path
    client.force_login(people.marketer)
    answer = client.post(reverse("import_upload"), {"file": SimpleUploadedFile("leads.csv", content())})
    assert answer.status_code in (302, 422)
    if why:
        assert why in answer.content.decode()
    if answer.status_code == 422:
        assert not ImportJob.objects.exists()
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    else:
        page = client.get(answer["Location"])
        assert page.status_code == 200
