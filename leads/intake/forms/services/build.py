"""Building: a form is made, its draft written and published; then it never changes, and the next one follows."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.db.models import Max
from django.shortcuts import get_object_or_404
from django.utils.text import slugify

from leads.intake.forms import content as form_content
from leads.intake.forms.document import ContentError, read
from leads.intake.forms.faults import Fault, faults
from leads.intake.forms.models import ConsentText, Form, FormVersion
from leads.intake.forms.services.refusals import (
    ContentWrong,
    DraftMoved,
    FormRetired,
    HasFaults,
    NoDraftOfForm,
    NothingNew,
    SettingsWrong,
)
from leads.intake.forms.starter import starting_document
from portal.accounts.permissions import May, require
from sla import fingerprint
from sla.models import SLAVersion

HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:\d{1,5})?")
MOST_HOSTS = 50


@dataclass(frozen=True)
class FormSettings:
    """What of a form may change without a new version. Hosts as Form keeps them; counts as its fields say."""

    name: str
    embed_hosts: tuple[str, ...] = ()
    redirect_hosts: tuple[str, ...] = ()
    minimum_seconds: int = 3
    most_per_address: int = 20
    most_per_mailbox: int = 5


@transaction.atomic(durable=True)
def create_form(*, name, by, at, document=None, slug=None):
    """A form with its first draft. Returns the Form; `form.versions.draft()` is its FormVersion 1.

    document: what it asks, else the starter's questions. slug: its address, else made of the name; a taken one gets a
    number. by: the User, or None for the portal itself. Refuses: NotPermitted, SettingsWrong, ContentWrong.
    """
    _may_build(by)
    name = name.strip()
    if not 0 < len(name) <= 120:
        raise SettingsWrong("A form has a name of at most 120 characters.", field="name")
    form = Form.objects.create(
        name=name, slug=_free_slug(slug or name), created_at=at, created_by=by, updated_at=at, updated_by=by
    )
    _write(FormVersion(form=form, number=1, created_at=at, created_by=by), document or starting_document(name), by, at)
    return form


@transaction.atomic(durable=True)
def start_draft(*, form_id, by, at, start_from=None):
    """The draft of a form's next version; an open draft is returned as it is. Returns the FormVersion.

    start_from: the number of the published version that it is a copy of; None: the one that visitors are given.
    Refuses: NotPermitted, FormRetired.
    """
    form = _lock(form_id, by)
    draft, current = form.versions.draft(), form.versions.current()
    if draft:
        return draft
    if start_from is not None:
        current = get_object_or_404(form.versions.published(), number=start_from)
    number = form.versions.aggregate(last=Max("number"))["last"] + 1
    return _write(FormVersion(form=form, number=number, created_at=at, created_by=by), current.content, by, at)


@transaction.atomic(durable=True)
def save_draft(*, form_id, document, by, at, expects=None):
    """Say anew what the draft asks. Returns the FormVersion.

    document: see forms.document; it may have faults (forms.faults), but must be readable. expects: the fingerprint of
    the draft that the page showed; None overwrites whatever it is now.
    Refuses: NotPermitted, FormRetired, NoDraftOfForm, DraftMoved, ContentWrong.
    """
    draft = _draft(form_id, by, expects)
    return _write(draft, document, by, at)


@transaction.atomic(durable=True)
def discard_draft(*, form_id, by):
    """Throw the draft away; the published version stays as it is.

    A form that was never published keeps its draft: retire it. Refuses: NotPermitted, FormRetired, NoDraftOfForm.
    """
    draft = _draft(form_id, by)
    if draft.form.versions.current() is None:
        raise NoDraftOfForm("A form that was never published keeps its draft. Close the form instead.")
    draft.delete()


@transaction.atomic(durable=True)
def publish_version(*, form_id, by, at, expects=None):
    """Publish the draft: from now on visitors are given it, and it never changes. Returns the FormVersion.

    Pages that are open under the version before are still taken in, under theirs.
    Refuses: NotPermitted, FormRetired, NoDraftOfForm, DraftMoved, HasFaults, NothingNew.
    """
    draft = _draft(form_id, by, expects)
    current = draft.form.versions.current()
    if current and current.fingerprint == draft.fingerprint:
        raise NothingNew
    content = draft.as_content()
    if wrong := faults_of(draft.form, content, at=at):
        raise HasFaults(wrong)
    for question in content.questions:
        if question.type == form_content.CONSENT:
            consent_text(question.label, by=by, at=at)
    draft.published_at, draft.published_by = at, by
    draft.save(update_fields=["published_at", "published_by"])
    return draft


@transaction.atomic(durable=True)
def change_settings(*, form_id, settings, by, at):
    """Change what no version says: name, hosts, thresholds. settings: FormSettings. Returns the Form.

    Refuses: NotPermitted, FormRetired, SettingsWrong (field names the one at fault).
    """
    form = _lock(form_id, by)
    _check_settings(settings)
    for name, value in vars(settings).items():
        setattr(form, name, list(value) if isinstance(value, tuple) else value)
    form.updated_at, form.updated_by = at, by
    form.save()
    return form


@transaction.atomic(durable=True)
def retire_form(*, form_id, by, at):
    """Close a form: visitors read that it is closed; what was sent stays. Refuses: NotPermitted, FormRetired."""
    form = _lock(form_id, by)
    form.retired_at, form.retired_by = at, by
    form.save(update_fields=["retired_at", "retired_by"])
    return form


@transaction.atomic(durable=True)
def reopen_form(*, form_id, by):
    """Open a closed form again; an open one stays open. Refuses: NotPermitted."""
    _may_build(by)
    form = get_object_or_404(Form.objects.select_for_update(), pk=form_id)
    form.retired_at = form.retired_by = None
    form.save(update_fields=["retired_at", "retired_by"])
    return form


def faults_of(form, content, *, at):
    """Every forms.faults.Fault of a Content, and those that only the portal knows: tiers nobody has, addresses that
    the form may not send people to. at: the agreement in force then names the tiers.
    """
    found = faults(content)
    version = SLAVersion.objects.select_related("definition").in_force(at=at)
    tiers = set(version.definition.tiers.values_list("key", flat=True)) if version else None
    for thanks in content.thanks:
        for tier in thanks.tiers:
            if tiers is not None and tier not in tiers:
                found.append(Fault("tier", "", f"A thank-you is for the tier {tier!r}, which the definition has not."))
        if thanks.redirect and not may_send_to(form, thanks.redirect):
            said = (
                f"A thank-you sends people to {urlsplit(thanks.redirect).netloc}, which is not among the form’s hosts."
            )
            found.append(Fault("address", "", said))
    return found


def may_send_to(form, address):
    """Whether the form may send people to an address: https, and the host is on its list."""
    try:
        parts = urlsplit(address)
        host = parts.hostname and f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return False
    return bool(host) and parts.scheme == "https" and not parts.username and host in form.redirect_hosts


def consent_text(text, *, by, at):
    """A step: the ConsentText with these words, new or known."""
    with connection.cursor() as cursor:  # two forms that publish at once wait here for each other
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('forms.consent_text', 0))")
    if known := ConsentText.objects.filter(text=text).first():
        return known
    number = (ConsentText.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    return ConsentText.objects.create(number=number, text=text, created_at=at, created_by=by)


def _may_build(by):
    if by:  # None: the portal itself, for the demo
        require(by, May.BUILD_FORMS)


def _lock(form_id, by):
    _may_build(by)
    form = get_object_or_404(Form.objects.select_for_update(), pk=form_id)
    if form.is_retired:
        raise FormRetired
    return form


def _draft(form_id, by, expects=None):
    form = _lock(form_id, by)
    draft = form.versions.select_related("form").draft()
    if draft is None:
        raise NoDraftOfForm
    if expects is not None and expects != draft.fingerprint:
        raise DraftMoved
    return draft


def _write(version, document, by, at):
    try:
        read(document)
        version.fingerprint = fingerprint.fingerprint(document, None)
    except ContentError as error:
        raise ContentWrong(error.sentence, field=error.place) from error
    except fingerprint.NotCanonical as error:
        raise ContentWrong(str(error)) from error
    version.content = fingerprint.plain(document)
    version.saved_at, version.saved_by = at, by
    version.save()
    return version


def _free_slug(text):
    slug = slugify(text)[:50].strip("-") or "form"
    taken = set(Form.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(each for n in range(1, len(taken) + 2) if (each := slug if n == 1 else f"{slug}-{n}") not in taken)


def _check_settings(settings):
    if not 0 < len(settings.name.strip()) <= 120:
        raise SettingsWrong("A form has a name of at most 120 characters.", field="name")
    for name in ("embed_hosts", "redirect_hosts"):
        hosts = getattr(settings, name)
        wrong = [host for host in hosts if len(host) > 253 or not HOST.fullmatch(host)]
        if name == "redirect_hosts":
            wrong += [host for host in hosts if host.startswith("*")]
        if wrong or len(hosts) > MOST_HOSTS:
            raise SettingsWrong(
                f"{wrong[0]!r} is no host: write www.tarnwick.com." if wrong else f"At most {MOST_HOSTS} hosts.",
                field=name,
            )
    for name, low, high in (
        ("minimum_seconds", 0, 60),
        ("most_per_address", 1, 10_000),
        ("most_per_mailbox", 1, 1_000),
    ):
        if not low <= getattr(settings, name) <= high:
            raise SettingsWrong(f"This is a whole number from {low:,} to {high:,}.", field=name)
