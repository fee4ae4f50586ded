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
from content_calendar.models.writing import Block, BlockQuerySet, HashtagGroup, Snippet, Template

__all__ = [
    "Approval",
    "Block",
    "BlockQuerySet",
    "HashtagGroup",
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
    "Snippet",
    "Template",
    "Variant",
]
