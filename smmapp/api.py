"""The interface for other programs, ``/api/v1/``: the routes of all apps, and errors as JSON."""

from __future__ import annotations

import json
from decimal import Decimal

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.types import DictStrAny

from accounts.access import public
from accounts.api import ApiProblem, invalid
from campaigns.api import router as conversions

ROOT = "/api/v1/"


class ExactParser(Parser):
    """JSON with numbers as they are written: an amount never passes through a binary float."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        parsed: DictStrAny = json.loads(request.body, parse_float=Decimal, parse_constant=_no_number)
        return parsed


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


api = NinjaAPI(
    title="smmapp",
    version="1",
    description="Report leads, sales and refunds to the brand that your API key belongs to.",
    openapi_url=None,  # ours, below; its pages would load scripts from elsewhere
    docs_url=None,
    urls_namespace="api",
    parser=ExactParser(),
)
api.add_router("", conversions)


# --- errors -----------------------------------------------------------------------------------


def _answer(request: HttpRequest, problem: ApiProblem) -> HttpResponse:
    response = api.create_response(request, problem.body.model_dump(), status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


@api.exception_handler(ApiProblem)
def _refused(request: HttpRequest, problem: ApiProblem) -> HttpResponse:
    return _answer(request, problem)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _answer(request, invalid(error.errors[0]))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _answer(request, ApiProblem(error.status_code, "not_json", "The request is not valid JSON."))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return _answer(request, ApiProblem(404, "not_found", "There is nothing at this address."))


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return _answer(request, ApiProblem(413, "too_large", "The request is larger than 5 MB. Split it."))


# --- addresses --------------------------------------------------------------------------------


@public
@require_GET
def openapi(_request: HttpRequest) -> HttpResponse:
    """The description for programs (OpenAPI 3)."""
    return JsonResponse(api.get_openapi_schema(path_prefix=ROOT))


def _operations() -> list[URLPattern]:
    """The routes, marked for the walk over every URL: each of them asks for a key."""
    found = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
    routes = [pattern for pattern in found if pattern.name != "api-root"]
    for pattern in routes:
        pattern.callback.needs_key = True  # type: ignore[attr-defined]
    return routes


app_name = "api"
urlpatterns = [path("openapi.json", openapi, name="openapi"), *_operations()]
