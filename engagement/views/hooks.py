"""Where networks call us: their question whether the address is ours, what they tell, and requests of
deletion with the page that says what became of them."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import public
from accounts.hooks import HookSource, NoSuchHook, challenge, is_genuine, is_key, source_of
from accounts.selectors import known_networks
from connectors.errors import Rejected
from engagement import tasks
from engagement.models import DeletionRequest
from engagement.services import hooks

MOST_BYTES = 2 * 1024 * 1024  # of one call


@csrf_exempt
@public
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, platform: str, key: str) -> HttpResponse:
    """Answers at once; what was told is worked through later."""
    source = _source(platform, key)
    if request.method == "GET":
        answer = challenge(source, request.GET.dict())
        if answer is None:
            return HttpResponse(status=403, content_type="text/plain")
        kind = "application/json" if answer.startswith("{") else "text/plain"
        return HttpResponse(answer, content_type=kind)
    body = _genuine_body(request, source)
    if body is None:
        return HttpResponse(status=403, content_type="text/plain")
    call_id, is_new = hooks.receive(source=source, body=body, is_deletion=False, now=timezone.now())
    if is_new:
        tasks.work_through.delay_on_commit(call_id=str(call_id))
    return HttpResponse(status=200, content_type="text/plain")


@csrf_exempt
@public
@require_POST
def deletion(request: HttpRequest, platform: str, key: str) -> HttpResponse:
    """Somebody asks, through the network, that what we keep by their permission be deleted."""
    source = _source(platform, key)
    body = _genuine_body(request, source)
    if body is None:
        return HttpResponse(status=403, content_type="text/plain")
    now = timezone.now()
    try:
        code = hooks.request_of_deletion(source=source, body=body, now=now)
    except Rejected:
        return HttpResponse(status=400, content_type="text/plain")
    call_id, _is_new = hooks.receive(source=source, body=body, is_deletion=True, now=now)
    tasks.work_through.delay_on_commit(call_id=str(call_id))
    url = f"{settings.BASE_URL}{reverse('engagement:deletion_status', args=[code])}"
    return JsonResponse({"url": url, "confirmation_code": code})


@public
@require_GET
def deletion_status(request: HttpRequest, code: str) -> HttpResponse:
    """What became of it, for whoever asked: nobody else knows the code."""
    found = DeletionRequest.objects.filter(pk=code).first() if is_key(code) else None
    if found is None:
        raise Http404
    known = known_networks().get(found.platform)
    context = {"asked": found, "network": known.name if known else found.platform}
    response = render(request, "engagement/deletion_status.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    return response


def _source(platform: str, key: str) -> HookSource:
    try:
        return source_of(platform, key)
    except NoSuchHook:
        raise Http404 from None


def _genuine_body(request: HttpRequest, source: HookSource) -> bytes | None:
    """None for what the network did not send."""
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES or not is_genuine(source, body, request.headers):
        return None
    return body
