"""What recurs, with its evidence and the counts that are kept up as evidence comes and goes."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.models import Agent, Version, whole_of
from agents.reach import within
from feedback.models.report import OF_ONE_REPORT, Feedback, Run, the_one
from people.models import User


def _follow(into: Mapping[int, int], pk: int) -> int:
    while pk in into:
        pk = into[pk]
    return pk


class PatternQuerySet(models.QuerySet["Pattern"]):
    """Reads that speak."""

    def shown(self) -> "PatternQuerySet":
        """Everything that recurs; a candidate is not shown before it does, and a merged one is shown as another."""
        return self.exclude(status__in=Pattern.HIDDEN)

    def held_back(self) -> "PatternQuerySet":
        """Those that would be shown, had the one owner of keys who reports them not so many open already."""
        return self.filter(status=Pattern.Status.CANDIDATE, only_from__isnull=False)

    def for_person(self, user: User) -> "PatternQuerySet":
        """Those of agents this person sees; see `agents.reach`."""
        return within(self, user, "agent")

    def for_rows(self) -> "PatternQuerySet":
        """With all that a row of a list shows, in one query."""
        return self.select_related("agent", "answered_by").defer("centroid", "meaning", *whole_of("answered_by"))

    def roots(self) -> dict[int, int]:
        """Of those that were merged: the pattern that has their reports now, by their keys."""
        into = dict(self.filter(status=Pattern.Status.MERGED).values_list("pk", "merged_into"))
        return {pk: _follow(into, pk) for pk in into}

    def roots_of(self, pks: Iterable[int]) -> dict[int, int]:
        """Of these, those that were merged, and the pattern that has their reports now."""
        into: dict[int, int] = {}
        asked = known = set(pks)
        while asked:
            merged = Pattern.objects.filter(pk__in=asked, merged_into__isnull=False).order_by()
            found = {pk: target for pk, target in merged.values_list("pk", "merged_into") if target is not None}
            into.update(found)
            asked = set(found.values()) - into.keys()
        return {pk: _follow(into, pk) for pk in known if pk in into}

    def due(self) -> "PatternQuerySet":
        """Patterns the drafter has to look at, the longest waiting first."""
        return self.filter(draft_due_at__lte=timezone.now()).order_by("draft_due_at", "pk")


class Pattern(models.Model):
    """Feedback or errors that recur for one agent.

    The row is made with its first item, as a candidate, and keeps its identity for good. `support` counts items,
    `sources` distinct sources; both are kept up in the transaction that links the evidence. `draft_due_at` is the
    drafter's outbox: set when there is something to draft from, cleared in the transaction that drafts or declines, and
    set to a later time while the agent rests from a change.
    """

    class Kind(models.TextChoices):
        COMPLAINT = "complaint", "Complaint"
        CORRECTION = "correction", "Correction"
        ERROR = "error", "Error"
        MISLABEL = "mislabel", "Mislabel"
        SUCCESS = "success", "Praise"

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        OPEN = "open", "Open"
        PROPOSED = "proposed", "Proposed"
        WATCHING = "watching", "Watching"
        RESOLVED = "resolved", "Resolved"
        DISMISSED = "dismissed", "Dismissed"
        MERGED = "merged", "Merged into another"

    class Dismissal(models.TextChoices):
        NOT_A_PROBLEM = "not_a_problem", "Not a problem"
        MIXED_GROUP = "mixed_group", "Mixed group: these are several things"
        NOISE = "noise", "Noise"
        DUPLICATE = "duplicate", "Duplicate of another pattern"
        ALIKE = "alike", "Like a dismissed one"

    ANSWERED: Final = (Status.WATCHING, Status.RESOLVED)
    HIDDEN: Final = (Status.CANDIDATE, Status.MERGED)

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="patterns")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.CANDIDATE)
    label = models.CharField(max_length=200, blank=True)
    terms = models.JSONField(default=list)
    named_support = models.PositiveIntegerField(
        default=0, help_text="The support when label and terms were last found."
    )
    signature = models.CharField(max_length=500, blank=True, help_text="What items of an exact-match kind share.")
    error_class = models.CharField(max_length=30, blank=True, help_text="What sort of error, where it is one.")
    centroid = models.BinaryField(default=bytes)
    meaning = models.BinaryField(default=bytes, help_text="The sum of its texts' points, see `clusters.stored`.")
    grouped = models.PositiveIntegerField(
        default=0, help_text="Items that centroid and meaning stand for, withdrawn ones included."
    )
    grown = models.BigIntegerField(
        default=0, help_text="Which of its agent's texts of its kind joined it last; see `mining.interface.Group`."
    )
    support = models.PositiveIntegerField(default=0)
    sources = models.PositiveIntegerField(default=0)
    unproven = models.PositiveIntegerField(
        default=0, help_text="Of its sources, those known from keys on probation alone; see `actions.probation`."
    )
    severity = models.PositiveSmallIntegerField(
        null=True, help_text="How bad it is, see `feedback.severity`; kept up while a proposal is open."
    )
    weighed_support = models.PositiveIntegerField(default=0, help_text="The support when that was last found.")
    is_rising = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether its trend line rises, noted every minute; see `actions.weighing`.",
    )
    first_seen = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    draft_due_at = models.DateTimeField(null=True)
    dismissed_reason = models.TextField(blank=True)
    dismissed_as = models.CharField(max_length=13, choices=Dismissal, blank=True)
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="duplicates",
        help_text="The pattern that it says the same as, when it was dismissed for that.",
    )  # fmt: skip
    is_formed_by_hand = models.BooleanField(
        default=False, help_text="People merged, parted or split it; the miner leaves what is in it alone."
    )
    is_named_by_hand = models.BooleanField(default=False, help_text="A person chose the label; the miner keeps it.")
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="merged",
        help_text="The pattern that has its reports, and gets those that would join it.",
    )  # fmt: skip
    is_merged_by_miner = models.BooleanField(default=False, help_text="The miner merged it, and no person.")
    is_kept_apart = models.BooleanField(default=False, help_text="A person took it out of another, for good.")
    is_compared = models.BooleanField(default=True, help_text="False for an error until its words were compared.")
    split_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="splits")
    answered_by = models.ForeignKey(
        Version, on_delete=models.PROTECT, null=True, related_name="answered_patterns", db_index=False,
        help_text="The version that was published to end it, of those the newest.",
    )  # fmt: skip
    answered_at = models.DateTimeField(null=True)
    came_back_at = models.DateTimeField(null=True, help_text="When it came back in spite of that version.")
    draft_note = models.TextField(blank=True, help_text="Why the drafter declined, when it last did.")
    only_from = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="Whose keys alone had reported it when it was first to be shown; see `actions.openings`.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatternQuerySet.as_manager()

    class Meta:
        permissions = [
            ("curate_pattern", "Can dismiss patterns and draft from them"),
            ("mine_now", "Can start mining by hand"),
        ]
        constraints = [
            models.UniqueConstraint(
                "agent", "kind", "signature", name="pattern_signature_unique", condition=~Q(signature="")
            ),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False) | (~Q(status="merged") & Q(merged_into=None)),
                name="pattern_merged_exactly_when_into",
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "kind", "-grown", "-id"], name="pattern_by_growth"),
            models.Index(fields=["kind", "-sources"], name="pattern_loudest", condition=Q(sources__gt=1)),
            models.Index(fields=["status", "-last_seen"], name="pattern_by_status"),
            models.Index(
                fields=["only_from", "status"], name="pattern_only_from", condition=Q(only_from__isnull=False)
            ),
            models.Index(fields=["agent"], name="pattern_to_compare", condition=Q(is_compared=False)),
            models.Index(fields=["id"], name="pattern_rising", condition=Q(is_rising=True)),
            models.Index(fields=["draft_due_at"], name="pattern_draft_due", condition=Q(draft_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.get_kind_display()} {self.pk}"

    @property
    def name_on_log(self) -> str:
        """Of its kind and number alone: the label is made of what people wrote."""
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def what(self) -> str:
        """Its kind in words, of an error with what sort it is: "Error, rate limit"."""
        known = self.error_class not in ("", "other")
        return f"{self.get_kind_display()}, {self.error_class.replace('_', ' ')}" if known else self.get_kind_display()

    @property
    def proven(self) -> int:
        """The sources that may carry it: all but those known from keys on probation alone."""
        return max(0, self.sources - self.unproven)

    @property
    def span_days(self) -> int | None:
        """Over how many calendar days, in UTC, its reports came; None before the first."""
        if self.first_seen is None or self.last_seen is None:
            return None
        return (self.last_seen.date() - self.first_seen.date()).days + 1

    @property
    def back_after_days(self) -> int | None:
        """How many days after the version that answers it the pattern came back; None when it did not."""
        if self.came_back_at is None or self.answered_at is None:
            return None
        return (self.came_back_at - self.answered_at).days


class Evidence(models.Model):
    """One report that belongs to one pattern. `source`, `version` and `at` are the report's, copied to count and list.

    `grouped_in` is the pattern that the miner put it in, where that one has been merged into another since.
    `similarity` to that pattern and the `threshold` it had to reach are those of the moment it was put in; null for
    what a person put there.
    """

    pattern = models.ForeignKey(Pattern, on_delete=models.PROTECT, related_name="evidence", db_index=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, null=True, related_name="evidence")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="evidence")
    grouped_in = models.ForeignKey(Pattern, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.BinaryField(max_length=16)
    version = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    similarity = models.FloatField(null=True)
    threshold = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(condition=OF_ONE_REPORT, name="evidence_is_feedback_or_run"),
            models.UniqueConstraint("pattern", "feedback", name="evidence_feedback_once_per_pattern"),
            models.UniqueConstraint("pattern", "run", name="evidence_run_once_per_pattern"),
        ]
        # In the very order of the lists and with what they are filtered by: the keys of a page are found here alone.
        indexes = [
            models.Index(fields=["pattern", "-at", "-id"], include=["version"], name="evidence_by_pattern_and_time")
        ]

    def __str__(self) -> str:
        return f"evidence {self.pk} of pattern {self.pattern_id}"

    @property
    def report(self) -> Feedback | Run:
        """The one of the two that is set."""
        return the_one(self.feedback, self.run)


class PatternSource(models.Model):
    """How many items one source gave to one pattern: a rollup, so that sources need no counting."""

    pattern = models.ForeignKey(Pattern, on_delete=models.CASCADE, related_name="source_counts", db_index=False)
    source = models.BinaryField(max_length=16)
    items = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("pattern", "source", name="pattern_source_once")]
        indexes = [models.Index(fields=["pattern", "-items"], name="pattern_source_loudest")]

    def __str__(self) -> str:
        return f"{self.items} of pattern {self.pattern_id}"


class PatternDay(models.Model):
    """How many items one pattern got on one day (UTC): the trend, rolled up."""

    pattern = models.ForeignKey(Pattern, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    items = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("pattern", "day", name="pattern_day_once")]
        indexes = [models.Index(fields=["day"], name="pattern_day_by_day")]

    def __str__(self) -> str:
        return f"{self.items} on {self.day}"
