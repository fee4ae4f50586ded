"""What the calendar keeps, by subject."""

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
from content_calendar.models.queues import Queue, Slot, SlotQuerySet
from content_calendar.models.repeating import (
    EvergreenEntry,
    EvergreenEntryQuerySet,
    EvergreenPool,
    EvergreenPoolQuerySet,
    EvergreenTime,
    EvergreenUse,
    Occurrence,
    Series,
    SeriesQuerySet,
)

__all__ = [
    "Approval",
    "EvergreenEntry",
    "EvergreenEntryQuerySet",
    "EvergreenPool",
    "EvergreenPoolQuerySet",
    "EvergreenTime",
    "EvergreenUse",
    "Label",
    "LabelQuerySet",
    "LabelTone",
    "MediaAsset",
    "MediaAssetQuerySet",
    "Occurrence",
    "Post",
    "PostQuerySet",
    "Preflight",
    "PreflightCode",
    "PreflightLevel",
    "PreflightProblem",
    "PreflightProblemQuerySet",
    "Queue",
    "Rendition",
    "Series",
    "SeriesQuerySet",
    "Slot",
    "SlotQuerySet",
    "Variant",
]
