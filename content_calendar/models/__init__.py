"""What the calendar keeps, by subject."""

from content_calendar.models.library import MediaFolder, MediaFolderQuerySet, MediaTag, MediaTagQuerySet
from content_calendar.models.media import (
    MediaAsset,
    MediaAssetQuerySet,
    MediaKind,
    MediaProblem,
    MediaState,
    MediaUsage,
    Rendition,
)
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
from content_calendar.models.uploads import MediaUpload, MediaUploadQuerySet

__all__ = [
    "Approval",
    "Label",
    "LabelQuerySet",
    "LabelTone",
    "MediaAsset",
    "MediaAssetQuerySet",
    "MediaFolder",
    "MediaFolderQuerySet",
    "MediaKind",
    "MediaProblem",
    "MediaState",
    "MediaTag",
    "MediaTagQuerySet",
    "MediaUpload",
    "MediaUploadQuerySet",
    "MediaUsage",
    "Post",
    "PostQuerySet",
    "Preflight",
    "PreflightCode",
    "PreflightLevel",
    "PreflightProblem",
    "PreflightProblemQuerySet",
    "Rendition",
    "Variant",
]
