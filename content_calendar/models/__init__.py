"""What the calendar keeps, by subject."""

from content_calendar.models.bulk import UNDO_FOR, BulkAction, BulkChange, BulkKind, BulkOutcome
from content_calendar.models.media import MediaAsset, MediaAssetQuerySet, Rendition
from content_calendar.models.planning import CalendarFeed, CalendarNote, SavedFilter
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
    "UNDO_FOR",
    "Approval",
    "BulkAction",
    "BulkChange",
    "BulkKind",
    "BulkOutcome",
    "CalendarFeed",
    "CalendarNote",
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
    "SavedFilter",
    "Variant",
]
