"""Conversions and refunds from other programs. What the fields mean and what is refused: docs/api.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic
from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Header, Router, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Discriminator, Field, SkipValidation, Tag

from accounts.api import ApiProblem, ErrorOut, KeyAuth, invalid
from accounts.models import ApiKey, ApiScope
from campaigns.conversion_wording import sentence_for_programs
from campaigns.models import Conversion, ConversionKind, Refund, Source
from campaigns.reports import Person, Problem, RefundReport, Refused, Report
from campaigns.services.conversions import Origin, report_conversions
from campaigns.services.judging import Outcome
from campaigns.services.refunds import conversion_of, report_refund
from core.money import rounded

router = Router(auth=KeyAuth(ApiScope.CONVERSIONS), tags=["Conversions"])

MOST = 500  # conversions in one request
_STATUS = {Problem.DIFFERS: 409, Problem.CONVERSION_UNKNOWN: 404}
_ERRORS = {
    401: ErrorOut,
    403: ErrorOut,
    404: ErrorOut,
    409: ErrorOut,
    415: ErrorOut,
    422: ErrorOut,
    429: ErrorOut,
}
Kind = Literal["lead", "sale"]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", description="Stands in for an external_id that the body leaves out.")
]


class _In(Schema):
    """A name that we do not know is refused: it is a misspelt one of ours more often than not."""

    model_config = ConfigDict(extra="forbid")


class PersonIn(_In):
    customer: str = Field(default="", description="Number of the person in your own shop or CRM.")
    email: str = ""
    network: str = Field(default="", description="Key of a social network, together with id or handle.")
    id: str = Field(default="", description="Lasting id of the person at the network.")
    handle: str = Field(default="", description="Finds people whom the brand has met; makes nobody new.")
    name: str = ""


class ConversionIn(_In):
    kind: Kind
    external_id: str = Field(
        default="", description="Your number of it. The same one again is the same conversion."
    )
    happened_at: AwareDatetime = Field(description="ISO 8601 with an offset or Z.")
    value: Decimal | None = Field(default=None, description="Needed for a sale. As text or number.")
    currency: str = Field(default="", description="ISO 4217; left out, it is the brand's.")
    campaign: str = Field(default="", description="Code of the campaign; left out, it is that of the click.")
    click: str = Field(default="", description="What came along with the visitor as smm_click.")
    person: PersonIn = PersonIn()

    def report(self, idempotency_key: str = "") -> Report:
        who = self.person
        return Report(
            kind=ConversionKind(self.kind),
            external_id=self.external_id or idempotency_key,
            happened_at=self.happened_at,
            value=self.value,
            currency=self.currency,
            campaign=self.campaign,
            click=self.click,
            person=Person(
                customer=who.customer,
                email=who.email,
                network=who.network,
                remote_id=who.id,
                handle=who.handle,
                name=who.name,
            ),
        )


class BatchIn(_In):
    # Looked at one by one later, so that a wrong one does not keep the others out.
    conversions: list[SkipValidation[ConversionIn]] = Field(min_length=1, max_length=MOST)


def _shape(payload: Any) -> str:
    return "many" if isinstance(payload, dict) and "conversions" in payload else "one"


OneOrMany = Annotated[
    Annotated[ConversionIn, Tag("one")] | Annotated[BatchIn, Tag("many")], Discriminator(_shape)
]


class RefundIn(_In):
    external_id: str = Field(default="", description="Your number of the refund.")
    amount: Decimal
    happened_at: AwareDatetime
    currency: str = ""


class RefundOut(Schema):
    external_id: str
    amount: str
    happened_at: dt.datetime


class ConversionOut(Schema):
    id: str
    kind: Kind
    external_id: str
    happened_at: dt.datetime
    value: str
    refunded: str
    currency: str
    campaign: str | None = Field(description="Code of the campaign that it counts for.")
    notice: str = Field(description="What was unusual: click_unknown, click_later, no_campaign, or nothing.")
    refunds: list[RefundOut]


class ResultOut(Schema):
    """Of one conversion in a batch: as if it had been sent alone."""

    status: int
    conversion: ConversionOut | None = None
    error: dict[str, str] | None = None


class BatchOut(Schema):
    results: list[ResultOut] = Field(description="In the order of the request.")


class RefundedOut(Schema):
    refund: RefundOut
    conversion: ConversionOut


@router.post(
    "/conversions",
    response={200: ConversionOut | BatchOut, 201: ConversionOut, **_ERRORS},
    url_name="conversions",
    summary="Report one conversion, or up to 500",
)
def report(
    request: HttpRequest, payload: Body[OneOrMany], idempotency_key: IdempotencyKey = ""
) -> Status[Any]:
    """201 for a new one, 200 for one that was reported before. A batch is answered with 200 and a result for
    each, in the order of the request."""
    if isinstance(payload, BatchIn):
        return Status(200, BatchOut(results=_batch(request, payload.conversions)))
    (outcome,) = _report(request, [payload.report(idempotency_key)])
    if outcome.refused:
        raise _problem(outcome.refused)
    assert outcome.conversion is not None  # noqa: S101 - neither refused nor stored does not exist
    return Status(201 if outcome.is_new else 200, _conversion(outcome.conversion))


@router.post(
    "/conversions/{kind}/{path:external_id}/refunds",
    response={200: RefundedOut, 201: RefundedOut, **_ERRORS},
    url_name="refunds",
    summary="Report a refund of a sale",
)
def refund(
    request: HttpRequest,
    kind: Kind,
    external_id: str,
    payload: Body[RefundIn],
    idempotency_key: IdempotencyKey = "",
) -> Status[Any]:
    """201 for a new one, 200 for one that was reported before. Several add up, to no more than the value."""
    key = _key(request)
    given = RefundReport(
        external_id=payload.external_id or idempotency_key,
        amount=payload.amount,
        happened_at=payload.happened_at,
        currency=payload.currency,
    )
    try:
        made, is_new = report_refund(
            brand=key.brand,
            kind=kind,
            number=external_id,
            refund=given,
            origin=Origin(Source.API, api_key=key),
            now=timezone.now(),
        )
    except Refused as refused:
        raise _problem(refused) from None
    answer = RefundedOut(
        refund=_refund(made, made.conversion.currency), conversion=_conversion(made.conversion)
    )
    return Status(201 if is_new else 200, answer)


@router.get(
    "/conversions/{kind}/{path:external_id}",
    response={200: ConversionOut, **_ERRORS},
    url_name="conversion",
    summary="Read a conversion",
)
def read(request: HttpRequest, kind: Kind, external_id: str) -> Status[Any]:
    try:
        found = conversion_of(brand=_key(request).brand, kind=kind, number=external_id)
    except Refused as refused:
        raise _problem(refused) from None
    return Status(200, _conversion(found))


def _key(request: HttpRequest) -> ApiKey:
    key: ApiKey = request.auth  # type: ignore[attr-defined]  # ninja puts there what KeyAuth gives
    return key


def _report(request: HttpRequest, reports: list[Report]) -> list[Outcome]:
    key = _key(request)
    return report_conversions(
        brand=key.brand, reports=reports, origin=Origin(Source.API, api_key=key), now=timezone.now()
    )


def _batch(request: HttpRequest, items: Sequence[Any]) -> list[ResultOut]:
    results: dict[int, ResultOut] = {}
    reports: dict[int, Report] = {}
    for at, item in enumerate(items):
        try:
            reports[at] = ConversionIn.model_validate(item).report()
        except pydantic.ValidationError as error:
            results[at] = _result(invalid(error.errors()[0]))
    outcomes = _report(request, list(reports.values()))
    taken = [outcome.conversion for outcome in outcomes if outcome.conversion]
    prefetch_related_objects(taken, "campaign", "refunds")
    for at, outcome in zip(reports, outcomes, strict=True):
        if outcome.refused:
            results[at] = _result(_problem(outcome.refused))
        elif outcome.conversion:
            status = 201 if outcome.is_new else 200
            results[at] = ResultOut(status=status, conversion=_conversion(outcome.conversion))
    return [results[at] for at in range(len(items))]


# --- answers ----------------------------------------------------------------------------------


def _problem(refused: Refused) -> ApiProblem:
    status = _STATUS.get(refused.problem, 422)
    return ApiProblem(status, refused.problem, sentence_for_programs(refused), refused.field)


def _result(problem: ApiProblem) -> ResultOut:
    return ResultOut(status=problem.status, error=problem.body.error.model_dump())


def _conversion(conversion: Conversion) -> ConversionOut:
    return ConversionOut(
        id=str(conversion.pk),
        kind="sale" if conversion.kind == ConversionKind.SALE else "lead",
        external_id=conversion.external_id,
        happened_at=conversion.happened_at,
        value=_money(conversion.value, conversion.currency),
        refunded=_money(conversion.refunded, conversion.currency),
        currency=conversion.currency,
        campaign=conversion.campaign.code if conversion.campaign else None,
        notice=conversion.notice,
        refunds=[
            _refund(one, conversion.currency)
            for one in sorted(conversion.refunds.all(), key=lambda one: (one.happened_at, one.pk))
        ],
    )


def _refund(refund: Refund, currency: str) -> RefundOut:
    return RefundOut(
        external_id=refund.external_id,
        amount=_money(refund.amount, currency),
        happened_at=refund.happened_at,
    )


def _money(amount: Decimal, currency: str) -> str:
    """As text with the decimals of the currency: programs read numbers with a point into binary floats."""
    return f"{rounded(amount, currency):f}"
