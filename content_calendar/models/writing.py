"""What people write again and again, kept by a brand: hashtag groups, snippets, templates."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, SocialAccount, User
from content_calendar.models.posts import Label
from core.ids import uuid7


class BlockQuerySet(models.QuerySet[Any]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class Block(models.Model):
    """What the three have in common."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="%(class)ss")
    name = models.CharField(_("name"), max_length=80)
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)

    objects = BlockQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.UniqueConstraint("brand", Lower("name"), name="%(class)s_name_once_per_brand")
        ]

    def __str__(self) -> str:
        return self.name


class HashtagGroup(Block):
    """Hashtags that belong together; ``tags`` without their sign."""

    tags = ArrayField(models.CharField(max_length=100))

    @property
    def words(self) -> str:
        """As it is put into a text."""
        return " ".join(f"#{tag}" for tag in self.tags)


class Snippet(Block):
    """A piece of text with a name."""

    text = models.TextField(_("text"))

    @property
    def words(self) -> str:
        return self.text


class Template(Block):
    """A whole post to start from: its parts, the accounts with their own words, labels.

    ``parts`` and the values of ``own_parts`` (by account id) are as those of Post, the values of ``settings``
    (by account id) as that of Variant. Images are not part of it.
    """

    parts: models.JSONField[Any, Any] = models.JSONField(default=list)
    own_parts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict)
    accounts = models.ManyToManyField(SocialAccount, blank=True, related_name="+")
    labels = models.ManyToManyField(Label, blank=True, related_name="+")

    @property
    def words(self) -> str:
        """The text of its first part, to know it by."""
        return str(self.parts[0].get("text", "")) if self.parts else ""
