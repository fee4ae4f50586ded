"""What the calendar keeps, by subject."""

from content_calendar.models.imports import (
    ImportBatch,
    ImportBatchQuerySet,
    ImportImage,
    ImportRow,
    ImportState,
    RowOutcome,
    RowVerdict,
)
from content_calendar.models.media import MediaAsset, MediaAssetQuerySet, Rendition
from content_calendar.models.posts import (
    Approval,
    Label,
    LabelQuerySet,
    LabelTone,
    Post,
    PostQuerySet,
    Variant,
)
from content_calendar.models.preflight import (
    Preflight,
    PreflightCode,
    PreflightLevel,
    PreflightProblem,
    PreflightProblemQuerySet,
)

__all__ = [
    "Approval",
    "ImportBatch",
    "ImportBatchQuerySet",
    "ImportImage",
    "ImportRow",
    "ImportState",
    "Label",
    "LabelQuerySet",
    "LabelTone",
    "MediaAsset",
    "MediaAssetQuerySet",
    "Post",
    "PostQuerySet",
    "Preflight",
    "PreflightCode",
    "PreflightLevel",
    "PreflightProblem",
    "PreflightProblemQuerySet",
    "Rendition",
    "RowOutcome",
    "RowVerdict",
    "Variant",
]
