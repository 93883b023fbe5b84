"""What marketing pastes into another page: a frame, or a plain form that is sent here."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from leads.intake.forms import content as form
from leads.intake.forms.logic import walk
from leads.intake.forms.public import present, tokens

HEIGHT = 760


def frame_snippet(form_):
    """The HTML of a frame that shows the form; it works on the pages of the form's embed_hosts."""
    return format_html(
        '<iframe src="{}" title="{}" width="100%" height="{}" loading="lazy" frameborder="0"></iframe>',
        _address("form_embed", form_), form_.name, HEIGHT,
    )  # fmt: skip


def plain_snippet(version):
    """The HTML of a plain form with the questions of a published version that everybody is asked.

    It works without a frame and without a script, in the page's own looks; what an answer opens is asked on the form's
    page. A later version needs a new snippet: this one goes on asking, and being taken in under, its own.
    """
    content = version.as_content()
    walked = walk(content, {})
    fields = [
        present.field_of(question, walked, {}, said=False)
        for question in content.questions
        if question.show is None and question.type != form.HIDDEN
    ]
    context = {
        "action": _address("form_embed_send", version.form), "token": tokens.sign_snippet(version), "fields": fields,
        "content": content,
    }  # fmt: skip
    return render_to_string("intake/form_snippet.html", context)


def _address(name, form_):
    return f"{settings.PORTAL_URL.rstrip('/')}{reverse(name, args=[form_.slug])}"
