"""What every door of the API shares: sizes and types checked first, refusals as problems, rates in headers."""

import json
from dataclasses import dataclass
from functools import wraps

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import Http404
from django.urls import path
from django.views.decorators.http import require_http_methods
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from portal.keys import problem
from portal.keys.schema import documented
from portal.shared.refusal import Refusal

MOST_BYTES = 128 * 1024


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, no Infinity, and no deeper than the interpreter can go."""

    def parse_body(self, request):
        try:
            return json.loads(request.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise problem.BodyNotJson from None


def _refuse(constant):
    raise ValueError(constant)


class Api(NinjaAPI):
    """Ninja with the house's refusals; `patterns` are its addresses with the checks that each needs."""

    def __init__(self, *, prefix, most_bytes=(), **options):
        self.prefix, self.most_bytes = prefix, dict(most_bytes)
        super().__init__(docs_url=None, openapi_url=None, parser=StrictParser(), **options)

    def set_default_exception_handlers(self):
        self.add_exception_handler(Refusal, lambda request, refusal: problem.answer(refusal))
        self.add_exception_handler(Http404, lambda request, error: problem.answer(problem.NotFound()))
        self.add_exception_handler(ValidationError, lambda request, error: problem.answer(invalid(error.errors)))
        self.add_exception_handler(HttpError, lambda request, error: problem.answer(problem.BodyNotJson()))
        self.add_exception_handler(Exception, _fault)

    def get_openapi_operation_id(self, operation):
        return operation.view_func.__name__

    def schema(self):
        """The OpenAPI document as a dict."""
        operations = [
            one for router in self._get_bound_routers() for view in router.path_operations.values()
            for one in view.operations
        ]  # fmt: skip
        scopes = {one.view_func.__name__: auth.scope for one in operations for auth in one.auth_callbacks}
        return documented(self.get_openapi_schema(path_prefix=self.prefix), scopes)

    def patterns(self):
        """Its addresses; the last one answers for all that there are not."""
        own = [
            path(str(one.pattern), as_door(one.callback, takes[one.name]), name=one.name)
            for router in self._get_bound_routers()
            for takes in [{view.url_name: self._takes(view) for view in router.path_operations.values()}]
            for one in router.urls_paths(router.prefix)
        ]
        return [*own, path("<path:rest>", as_door(nowhere, Takes()), name="api_nowhere")]

    def _takes(self, view):
        models = [model for one in view.operations for model in one.models]
        return Takes(
            methods={method for one in view.operations for method in one.methods},
            names={n for m in models if m.__ninja_param_source__ == "query" for n in m.__ninja_flatten_map__},
            most_bytes=self.most_bytes.get(view.url_name, MOST_BYTES),
        )


@dataclass(frozen=True)
class Takes:
    """What an address takes: methods, names in its query, bytes of a body."""

    methods: frozenset = frozenset()
    names: frozenset = frozenset()
    most_bytes: int = MOST_BYTES


def as_door(view, takes):
    """The view behind the checks of type and query; what it does not allow, or is too large, is a problem too."""

    @wraps(view)
    def door(request, *args, **kwargs):
        try:
            if request.method in takes.methods:
                _check(request, takes)
        except problem.Problem as refusal:
            return problem.answer(refusal)
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            refusal = problem.MethodNotAllowed()
            refusal.headers = {"Allow": response["Allow"]}
            response = problem.answer(refusal)
        for name, value in request.rate.headers().items() if hasattr(request, "rate") else ():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if cors := getattr(request, "cors", None):  # an origin that a door allowed
            response["Access-Control-Allow-Origin"], response["Vary"] = cors, "Origin"
        return response

    door.csrf_exempt, door.login_required = True, False  # no cookie opens anything here
    door.most_bytes, door.too_large = takes.most_bytes, lambda request: problem.answer(_too_large(takes))
    return door


def _check(request, takes):
    """A filter that is misspelt would show more than was asked for, so that names are looked at too."""
    if request.method == "POST" and request.content_type != "application/json":
        raise problem.NotJsonType
    if unknown := sorted(set(request.GET) - takes.names):
        raise problem.Invalid([{"at": f"query.{name[:60]}", "detail": "is not known here"} for name in unknown])


def _too_large(takes):
    return problem.BodyTooLarge(f"This address takes {takes.most_bytes:,} bytes at most. Nothing was saved.")


@require_http_methods(["GET", "HEAD", "POST"])
def nowhere(request, rest):
    return problem.answer(problem.NotFound("There is no such address. /api/v1/docs lists those that there are."))


def invalid(errors):
    """The problem that says of each wrong value where it stands and what is wrong; never the value itself."""
    return problem.Invalid([{"at": ".".join(map(str, one["loc"])), "detail": one["msg"]} for one in errors[:50]])


def _fault(request, error):
    """A fault is logged and told to whoever listens, as Django does where no one catches it."""
    if isinstance(error, RequestDataTooBig):
        return problem.answer(problem.BodyTooLarge())
    got_request_exception.send(sender=Api, request=request)
    return problem.answer(problem.ServerFault())
