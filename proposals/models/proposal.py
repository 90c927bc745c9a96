"""The wish to change one document, and the exact texts it has had."""

from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.models import ApiKey, Document, Version
from agents.reach import within
from audit.numbers import counted
from feedback.models import Feedback, Pattern, Run
from feedback.models.report import OF_ONE_REPORT, the_one
from people.models import User
from proposals.checking.risk import Level
from proposals.models.atmostone import AtMostOne
from proposals.models.trigrams import SHORTEST, Trigrams, trigrams

MOVED: Final = "Moved onto"
"""How the note of a revision begins that only carries a text over to another version."""


SEARCHED: Final = ("title", "rationale")
SEVERAL: Final = 3
"""What so many sources said alike is nobody's own; see `name_on_log`."""


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Reads that speak."""

    def saying(self, words: str) -> "ProposalQuerySet":
        """With these characters anywhere in title or reason."""
        there = Q(*((f"{name}__icontains", words) for name in SEARCHED), _connector=Q.OR)
        if len(words) < SHORTEST:
            return self.filter(there)
        return self.alias(letters=trigrams(*SEARCHED)).filter(there, letters__contains=Trigrams(Value(words)))

    def open(self) -> "ProposalQuerySet":
        """Everything that still needs somebody."""
        return self.filter(status__in=Proposal.OPEN)

    def decided(self) -> "ProposalQuerySet":
        return self.exclude(status__in=Proposal.OPEN)

    def beside(self, proposal: "Proposal") -> "ProposalQuerySet":
        """The other open proposals for the same pattern."""
        return self.open().filter(pattern__isnull=False, pattern=proposal.pattern_id).exclude(pk=proposal.pk)

    def for_person(self, user: User) -> "ProposalQuerySet":
        """Those of agents this person sees; see `agents.reach`."""
        return within(self, user, "document__agent")

    def for_page(self) -> "ProposalQuerySet":
        """With all that a row of the queue shows, in one query."""
        return self.select_related(
            "document__agent",
            "document__current",
            "base_version",
            "revision",
            "pattern",
            "author",
            "author_key",
            "bypass__actor",
            "self_start",
        )


class Proposal(models.Model):
    """The wish to turn `base_version` into the text of its newest revision."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for review"
        CHANGES_REQUESTED = "changes_requested", "Changes requested"
        IN_EFFECT = "in_effect", "In effect, to be confirmed"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    class Origin(models.TextChoices):
        DRAFTER = "drafter", "Drafted from a pattern"
        AGENT = "agent", "Proposed by an agent"
        PERSON = "person", "Proposed by a person"
        ROLLBACK = "rollback", "Rolled back"

    OPEN: Final = (Status.PENDING, Status.CHANGES_REQUESTED, Status.IN_EFFECT)
    DECIDABLE: Final = (Status.PENDING, Status.IN_EFFECT)
    """What can be approved; what was sent back can still be rejected."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="proposals")
    base_version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="proposals")
    revision = models.ForeignKey("Revision", on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField(max_length=200)
    rationale = models.TextField()
    origin = models.CharField(max_length=8, choices=Origin)
    status = models.CharField(max_length=17, choices=Status, default=Status.PENDING)
    pattern = models.ForeignKey(Pattern, on_delete=models.PROTECT, null=True, related_name="proposals")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="proposals")
    author_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="proposals")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="requested_proposals"
    )
    published = AtMostOne(Version, on_delete=models.PROTECT, null=True, related_name="proposal")
    is_alternative = models.BooleanField(
        default=False, help_text="Put beside another open proposal for its pattern, to choose from."
    )
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="supersedes", help_text="What was chosen instead."
    )
    evidence_items = models.PositiveIntegerField(default=0, help_text="The pattern's support when this was drafted.")
    evidence_sources = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(
        max_length=200, blank=True, help_text="What a draft says, wherever it stands; empty unless drafted."
    )
    # Of the newest revision, set with it; see `proposals.checking.risk`.
    risk = models.PositiveSmallIntegerField(
        choices=[(level.value, level.word) for level in Level], default=Level.MEDIUM
    )
    risk_reasons = models.JSONField(default=list)
    mostly_reported_by = ArrayField(
        models.BigIntegerField(),
        default=list,
        editable=False,
        help_text="People whose API keys reported most of the evidence; the database keeps it up.",
    )
    again = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why it is proposed again, where its very text was rolled back before.",
    )
    waits_for_owners_of = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        help_text="Sections of which only an owner's approval is missing; kept with each approval.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        permissions = [
            ("decide_proposal", "Can approve, reject and request changes"),
            ("propose_change", "Can propose and amend changes"),
            ("roll_back", "Can roll a document back"),
        ]
        constraints = [
            models.UniqueConstraint(
                "document",
                "pattern",
                name="proposal_one_open_per_pattern",
                condition=Q(
                    status__in=["pending", "changes_requested", "in_effect"],
                    pattern__isnull=False,
                    is_alternative=False,
                ),
            ),
            models.UniqueConstraint(
                "document",
                "fingerprint",
                name="proposal_one_open_per_fingerprint",
                condition=Q(status__in=["pending", "changes_requested", "in_effect"]) & ~Q(fingerprint=""),
            ),
            models.CheckConstraint(
                condition=Q(superseded_by=None) | Q(status="withdrawn"), name="proposal_superseded_is_withdrawn"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "in_effect"]) | Q(published__isnull=False),
                name="proposal_in_force_has_version",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-created_at"], name="proposal_by_status"),
            models.Index(fields=["-created_at", "-id"], name="proposal_by_age"),
            models.Index(Coalesce("decided_at", "created_at").desc(), F("id").desc(), name="proposal_by_settled"),
            GinIndex(trigrams(*SEARCHED), name="proposal_by_words"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def name_on_log(self) -> str:
        """Its title; of a draft its number where so few may lead to one that their words could be one person's."""
        is_of_few = self.origin == self.Origin.DRAFTER and settings.COUNTERSIGN_MIN_SOURCES < SEVERAL
        return f"Proposal {self.pk}" if is_of_few else self.title

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_decidable(self) -> bool:
        return self.status in self.DECIDABLE

    @property
    def is_stale(self) -> bool:
        """Another version became current since this was drafted; computed, never stored."""
        return self.status != self.Status.IN_EFFECT and self.base_version_id != self.document.current_id

    @property
    def rests_on_evidence(self) -> bool:
        """Whether reports were behind it when it was opened; a person's own wish and a rollback have none."""
        return self.evidence_items > 0

    @property
    def sources_now(self) -> int:
        """Who stands behind it: while it is open, everybody the pattern has heard; then, those counted at drafting."""
        return self.pattern.sources if self.is_open and self.pattern else self.evidence_sources

    @property
    def sources_changed(self) -> bool:
        """Whether the pattern has more or fewer sources than when this was drafted, while it is open."""
        return self.sources_now != self.evidence_sources > 0

    @property
    def reported_by(self) -> str:
        """Who stands behind it, in the same words wherever that is said; empty where nobody does."""
        if self.sources_changed:
            return f"{counted(self.evidence_sources, 'source')} when drafted, {self.sources_now:,} now"
        return counted(self.sources_now, "source") if self.sources_now else ""

    @property
    def risk_why(self) -> str:
        """The reasons for its risk, in one line."""
        return " ".join(self.risk_reasons) or "It was opened before risks were assessed."

    @property
    def author_label(self) -> str:
        """Who wrote the first text."""
        return str(self.author or self.author_key or "Countersign")


class Revision(models.Model):
    """The exact text of a proposal at one time; immutable, the database refuses changes.

    `digest` binds a decision to everything it is about: the base version, the text, and the protected sections (see
    `proposals.authority.digests`). `diff` is computed once, here, and never in a request; its shape is that of
    `proposals.diffs`.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    base_version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    diff = models.JSONField()
    words_added = models.PositiveIntegerField()
    words_removed = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="revisions")
    author_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)
    terms = models.JSONField(
        default=dict, help_text="The approvals the policy asked for then, see `proposals.rules.terms`."
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint("proposal", "number", name="revision_number_unique_per_proposal")]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def is_moved(self) -> bool:
        """Whether it only carries the text before it over to another version."""
        return self.note.startswith(MOVED) and not (self.author_id or self.author_key_id)

    @property
    def short_digest(self) -> str:
        return f"{self.digest[:4]}·{self.digest[4:8]}"

    @property
    def author_label(self) -> str:
        return str(self.author or self.author_key or "Countersign")


class ProposalEvidenceQuerySet(models.QuerySet["ProposalEvidence"]):
    """Reads that speak."""

    COUNTED: Final = Q(feedback__withdrawn_at=None, feedback__excluded_at=None, run__excluded_at=None)

    def counted(self) -> "ProposalEvidenceQuerySet":
        """Without what was withdrawn by its reporter or excluded by a reviewer since."""
        return self.filter(self.COUNTED)


class ProposalEvidence(models.Model):
    """One report a proposal rests on, as known when it was drafted."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="evidence")
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, null=True, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    commands = models.BooleanField(default=False, help_text="It reads like instructions, and so counts for nothing.")

    objects = ProposalEvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "proposal evidence"
        constraints = [
            models.CheckConstraint(condition=OF_ONE_REPORT, name="proposal_evidence_is_feedback_or_run"),
            models.UniqueConstraint("proposal", "feedback", name="proposal_feedback_once"),
            models.UniqueConstraint("proposal", "run", name="proposal_run_once"),
        ]

    def __str__(self) -> str:
        return f"evidence {self.pk} of proposal {self.proposal_id}"

    @property
    def report(self) -> Feedback | Run:
        """The one of the two that is set."""
        return the_one(self.feedback, self.run)
