"""How far a visit came, so that marketing sees where people leave; nothing of what they wrote is kept."""

from django.db import connection

from leads.intake.forms.content import HIDDEN

NOTE = """
    INSERT INTO forms_progress (version_id, visit, page, question, position, started_at, updated_at)
    VALUES (%(version)s, %(visit)s, %(page)s, %(question)s, %(position)s, %(started_at)s, %(at)s)
    ON CONFLICT (visit) DO UPDATE SET page = EXCLUDED.page, question = EXCLUDED.question,
        position = EXCLUDED.position, updated_at = EXCLUDED.updated_at
    WHERE forms_progress.position < EXCLUDED.position
"""


def note_progress(*, version, content, visit, walked, answered, started_at, at):
    """Note that a visit answered up to the question `answered`: it now stands before the next one that is asked.

    content, walked: the version's Content and its forms.logic.Walk. One statement; a visit never goes backwards.
    """
    order = [question.key for question in content.questions]
    behind = order.index(answered) + 1 if answered in order else 0
    asked = [key for key in order[behind:] if key in walked.asked and content.by_key[key].type != HIDDEN]
    question = asked[0] if asked else ""
    page = next((page.key for page in content.pages if any(each.key == question for each in page.questions)), "")
    _note(version, visit, page or walked.pages[-1], question, _position(order, question), started_at, at)


def note_end(*, version, content, visit, started_at, at):
    """A step: note that a visit sent the form."""
    _note(version, visit, content.pages[-1].key, "", len(content.questions), started_at, at)


def _position(order, question):
    return order.index(question) if question else len(order)


def _note(version, visit, page, question, position, started_at, at):
    said = {
        "version": version.pk, "visit": visit, "page": page, "question": question, "position": position,
        "started_at": started_at, "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(NOTE, said)
