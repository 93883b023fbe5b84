"""How a view answers: the page, or the part of it that htmx asked for; one helper, so that no view forgets `Vary`."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template import loader
from django.template.context import make_context
from django.utils.cache import patch_vary_headers
from django_htmx.http import HTMX_STOP_POLLING, HttpResponseClientRedirect


def wants_part(request):
    """True when htmx will swap a part; false for a plain visit, a boosted link and Back (all three want the page)."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def answer(request, template, context=None, *, part=None, also=(), status=HTTPStatus.OK, push_url=None, **headers):
    """`template` as a page, or its partial `part` when htmx asks; always varies on `HX-Request`.

    `also` names further partials for htmx alone, each a name in `template` or a full `other.html#name`; they are
    rendered with `oob` true, on which they put `hx-swap-oob="true"` on their outermost element. Without `part` htmx
    gets the page too. `push_url` (a path, or False) and `headers` (`HX_Trigger="saved"`) reach htmx only.
    """
    context = {} if context is None else context
    if not (part and wants_part(request)):
        response = HttpResponse(_render(request, template, context), status=status)
        patch_vary_headers(response, ["HX-Request"])
        return response
    response = HttpResponse("\n".join(_parts(request, template, context, part, also)), status=status)
    patch_vary_headers(response, ["HX-Request"])
    if push_url is not None:
        response["HX-Push-Url"] = push_url or "false"
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def invalid(request, template, context=None, *, part=None, **options):
    """422: the same part again, with what has to be corrected; nothing was saved."""
    return answer(request, template, context, part=part, status=HTTPStatus.UNPROCESSABLE_ENTITY, **options)


def overtaken(request, template, context=None, *, part=None, **options):
    """409: someone was faster; the part as the record is now."""
    return answer(request, template, context, part=part, status=HTTPStatus.CONFLICT, **options)


def finished(request, template, context=None, *, part=None, **options):
    """The last answer to a poll: status 286 makes htmx stop; a plain visit gets 200."""
    status = HTMX_STOP_POLLING if wants_part(request) else HTTPStatus.OK
    return answer(request, template, context, part=part, status=status, **options)


def nothing(request):
    """204 to htmx: done, and nothing on the page changes."""
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go(request, to, *args, **kwargs):
    """Leave for another page (arguments as for `redirect`): 302, or `HX-Redirect` where htmx would swap it in."""
    url = resolve_url(to, *args, **kwargs)
    response = HttpResponseClientRedirect(url) if wants_part(request) else redirect(url)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _parts(request, template, context, part, also):
    """The text of each part, all over one context: what its processors look up is looked up once."""
    first, *others = [loader.get_template(_partial(template, name)).template for name in (part, *also)]
    shared = make_context(context, request)
    with shared.bind_template(first):
        yield first.render(shared)
        with shared.push(oob=True):
            yield from [other.render(shared) for other in others]


def _partial(template, name):
    return name if "#" in name else f"{template}#{name}"


def _render(request, template, context):
    return loader.render_to_string(template, context, request=request)
