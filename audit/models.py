"""The log. Its rows are written by `audit.record` alone and sealed by the database at commit."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads that speak."""

    def in_order(self) -> "AuditEntryQuerySet":
        """Oldest first, as the chain runs."""
        return self.order_by("sequence")

    def newest_first(self) -> "AuditEntryQuerySet":
        return self.order_by("-sequence")

    def about_agent(self, slug: str) -> "AuditEntryQuerySet":
        return self.filter(agent=slug)

    def about(self, target: models.Model) -> "AuditEntryQuerySet":
        """Entries whose target is this very object."""
        return self.filter(target_kind=target._meta.model_name, target_id=str(target.pk))

    def apart_from(self, agents: Sequence[str]) -> "AuditEntryQuerySet":
        """Without what is about these agents, by their slugs, and then without exports: their filters may name them."""
        return self.exclude(agent__in=agents).exclude(verb="log.exported") if agents else self

    def between(self, start: datetime | None, end: datetime | None) -> "AuditEntryQuerySet":
        """Entries with start <= at < end; None leaves that side open."""
        found = self.filter(at__gte=start) if start else self
        return found.filter(at__lt=end) if end else found


class AuditEntry(models.Model):
    """One fact: actor, verb, target, before, after, time.

    `body` is the canonical JSON of the fact and the only thing hashed; the other columns repeat parts of it so
    that they can be searched, and `verify_audit` compares them with it. `sequence` and the two hashes are set by
    a deferred trigger at commit, in commit order, so that writers never wait for each other before that.
    """

    class ActorKind(models.TextChoices):
        PERSON = "person", "Person"
        KEY = "key", "API key"
        SYSTEM = "system", "Countersign"

    sequence = models.BigIntegerField(null=True, unique=True, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.CharField(max_length=40)
    actor_label = models.CharField(max_length=200)
    verb = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=40)
    target_label = models.CharField(max_length=300)
    agent = models.CharField(max_length=80, blank=True)
    document = models.CharField(max_length=80, blank=True)
    proposal = models.BigIntegerField(null=True)
    body = models.TextField()
    previous_hash = models.BinaryField(max_length=32, null=True, editable=False)
    hash = models.BinaryField(max_length=32, null=True, editable=False)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        permissions = [("export_log", "Can export the log and have checkpoints made")]
        indexes = [
            models.Index(fields=["agent", "-sequence"], name="audit_by_agent"),
            models.Index(fields=["actor_kind", "actor_id", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["target_kind", "target_id", "-sequence"], name="audit_by_target"),
            models.Index(fields=["verb", "-sequence"], name="audit_by_verb"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(
                fields=["proposal", "-sequence"],
                name="audit_by_proposal",
                condition=Q(proposal__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.actor_label} {self.verb} {self.target_label}"

    @property
    def fact(self) -> dict[str, Any]:
        """The hashed body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class ChainHead(models.Model):
    """The last sealed entry: one row, locked while a transaction commits its entries."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_one_chain_head")]

    def __str__(self) -> str:
        return f"the log up to entry {self.sequence}"


class SigningKey(models.Model):
    """A key that signs or signed checkpoints: its public half, for good. `text` is “name+id+key”."""

    text = models.CharField(max_length=400, unique=True)
    name = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at=None), name="audit_one_current_key_of_a_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id}"

    @property
    def key_id(self) -> str:
        """Eight digits that tell this key from others of its name."""
        return self.text.removeprefix(f"{self.name}+").partition("+")[0]


class Tile(models.Model):
    """256 nodes of the Merkle tree over the log: the hash over them, and at level 0 the leaves themselves.

    Written with checkpoints, never by those who write entries.
    """

    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    leaves = models.BinaryField(max_length=32 * 256)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="audit_one_tile_at_a_place")]

    def __str__(self) -> str:
        return f"tile {self.number} of level {self.level}"


class Checkpoint(models.Model):
    """A signed statement that the log had so many entries, and which. `leaves` are those after the last full tile.

    The empty times say what is still to be done: the row itself is the outbox.
    """

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    leaves = models.BinaryField()
    note = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.CharField(max_length=200)
    filed_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["size"]
        indexes = [
            models.Index(
                fields=["size"],
                name="audit_checkpoint_to_hand_out",
                condition=Q(filed_at=None) | Q(notified_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"the checkpoint of {self.size} entries"


class Verification(models.Model):
    """One walk along the whole log, or what was new of it: what was found. `fault` is empty when all is well."""

    at = models.DateTimeField(auto_now_add=True)
    asked_by = models.CharField(max_length=200)
    entries = models.BigIntegerField()
    checkpoints = models.IntegerField(help_text="How many checkpoints it was compared with, all of which fit.")
    fault_at = models.BigIntegerField(null=True)
    fault = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.entries} entries found sound"
