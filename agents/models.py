"""The nouns everybody shares."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.limits import Limits, of_key
from agents.reach import within
from agents.traffic import Profile, profile

if TYPE_CHECKING:
    from people.models import Team, User


class AgentQuerySet(models.QuerySet["Agent"]):
    """Reads that speak."""

    def for_person(self, user: "User") -> "AgentQuerySet":
        """Those this person sees; see `agents.reach`."""
        return within(self, user, "pk")


class Agent(models.Model):
    """A deployed AI agent whose instructions are kept here.

    `runs_a_day` is measured, over the last days, by whoever counts runs. What people left empty follows from it.
    """

    class Traffic(models.TextChoices):
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"
        CRITICAL = "critical", "Critical"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey("people.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="agents")
    created_at = models.DateTimeField(auto_now_add=True)
    runs_a_day = models.FloatField(default=0.0)
    traffic = models.CharField(max_length=8, choices=Traffic, blank=True)
    draft_reports = models.PositiveIntegerField(null=True)
    draft_window_h = models.PositiveIntegerField(null=True)
    draft_cooldown_h = models.PositiveIntegerField(null=True)
    releases_a_day = models.PositiveIntegerField(null=True, help_text="Null: as the board says; 0: no limit.")

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("manage_agent", "Can create agents, give them to teams and protect sections"),
            ("set_traffic", "Can set when drafts are made by themselves"),
            ("see_every_agent", "Can see the agents of every team"),
            ("act_on_every_agent", "Can decide on the agents of every team"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def profile(self) -> Profile:
        """How its drafts are timed."""
        return profile(
            self.runs_a_day,
            chosen=self.traffic,
            reports=self.draft_reports,
            window_h=self.draft_window_h,
            cooldown_h=self.draft_cooldown_h,
        )


WHOLE = ("text", "line_versions")
"""Columns of a version that grow with its text; lists of versions leave them in the database."""


def whole_of(link: str) -> list[str]:
    """The same columns of a version that is joined in."""
    return [f"{link}__{name}" for name in WHOLE]


class DocumentQuerySet(models.QuerySet["Document"]):
    """Reads that speak."""

    def named(self, agent: str, document: str) -> "DocumentQuerySet":
        return self.filter(agent__slug=agent, slug=document)


class Document(models.Model):
    """One reviewed thing that defines an agent's behaviour. Its one current version is the one it points to."""

    class Kind(models.TextChoices):
        PROMPT = "prompt", "Prompt"
        CONFIG = "config", "Settings"
        TOOL = "tool", "Tool"

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="documents")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PROMPT)
    current = models.ForeignKey("Version", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["agent", "pk"]
        constraints = [models.UniqueConstraint("agent", "slug", name="document_slug_unique_per_agent")]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """Immutable full text of a document; the database refuses to change or delete it."""

    class Origin(models.TextChoices):
        INITIAL = "initial", "First version"
        PROPOSAL = "proposal", "Approved proposal"
        ROLLBACK = "rollback", "Rollback"

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    origin = models.CharField(max_length=8, choices=Origin)
    restores = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=200)
    line_versions = ArrayField(
        models.PositiveIntegerField(),
        help_text="For each line of the text, the number of the version that brought it.",
    )

    class Meta:
        ordering = ["-number"]
        indexes = [models.Index(fields=["document", "-created_at"], name="version_by_document_and_time")]
        constraints = [
            models.UniqueConstraint("document", "number", name="version_number_unique_per_document"),
            models.CheckConstraint(
                condition=Q(origin="rollback", restores__isnull=False)
                | (~Q(origin="rollback") & Q(restores__isnull=True)),
                name="version_restores_exactly_when_rollback",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Release(models.Model):
    """One move of a document's pointer: from `at` on, `version` was current. Append-only."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="releases")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="releases")
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["document", "-at"], name="release_by_document_and_time")]

    def __str__(self) -> str:
        return f"{self.version} current from {self.at:%Y-%m-%d %H:%M}"


class SplitQuerySet(models.QuerySet["Split"]):
    """Reads that speak."""

    def live(self) -> "SplitQuerySet":
        """Those that serve their candidate now."""
        return self.filter(ended_at=None)


class Split(models.Model):
    """A share of the units gets `candidate` in place of the document's current version; see `agents.splits`.

    The database keeps it from ever reaching the majority: that takes a new current version.
    """

    MOST = 50

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="splits")
    candidate = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="splits")
    share = models.PositiveSmallIntegerField(help_text="Percent of the units.")
    salt = models.CharField(max_length=32, help_text="Drawn by chance; with the unit it decides the arm.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = SplitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("document", name="split_one_live_per_document", condition=Q(ended_at=None)),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=50), name="split_share_below_majority"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} for {self.share}\u00a0%"


class Freeze(models.Model):
    """From `at` until `lifted_at` nothing is mined, drafted or rolled out further by itself; see `agents.freezing`."""

    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        permissions = [("freeze_all", "Can freeze mining, drafting and rollouts")]
        constraints = [
            models.UniqueConstraint(
                fields=["lifted_at"], nulls_distinct=False, name="freeze_one_in_force", condition=Q(lifted_at=None)
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="freeze_says_why"),
        ]

    def __str__(self) -> str:
        return "everything that happens by itself"


class Section(models.Model):
    """What is special about one heading of a prompt: it can be protected, and have owners."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="sections")
    heading = models.CharField(max_length=200)
    is_protected = models.BooleanField(default=False)
    owners: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="owned_sections"
    )
    owner_teams: "models.ManyToManyField[Team, models.Model]" = models.ManyToManyField(
        "people.Team", blank=True, related_name="owned_sections", help_text="Each of their members is an owner."
    )
    lift_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Who asks to lift the protection, which somebody else confirms; see `agents.lifting`.",
    )
    lift_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("document", "heading", name="section_unique_per_document"),
            models.CheckConstraint(
                condition=Q(lift_asked_by=None, lift_asked_at=None)
                | Q(lift_asked_by__isnull=False, lift_asked_at__isnull=False, is_protected=True),
                name="section_asked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.heading

    @property
    def named_owners(self) -> list[str]:
        """Whom it names, people and then teams. No query where both were fetched."""
        return [*(str(person) for person in self.owners.all()), *(f"team {team}" for team in self.owner_teams.all())]

    @property
    def all_owners(self) -> "list[User]":
        """The people named, and the members of the teams named, each once. No query where both were fetched."""
        members = [person for team in self.owner_teams.all() for person in team.members.all()]
        return list(dict.fromkeys([*self.owners.all(), *members]))


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Reads that speak."""

    def live(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired, by the clock of this process."""
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def on_probation(self) -> "ApiKeyQuerySet":
        """Those whose reports do not carry a pattern yet."""
        return self.filter(probation_until__isnull=False, probation_ended_at=None)

    def for_person(self, user: "User") -> "ApiKeyQuerySet":
        """Those of agents this person sees, and those of no single agent."""
        return within(self, user, "agent")


class ApiKey(models.Model):
    """What an agent signs in with. The secret is shown once; only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        INGEST = "ingest", "Report feedback and runs"
        READ = "read", "Read instructions, patterns, proposals"
        PROPOSE = "propose", "Propose changes"
        AUDIT = "audit", "Read the audit log"
        ADMIN = "admin", "Create agents, replace and quarantine keys, stop rollouts, erase end users"

    prefix = models.CharField(max_length=12, unique=True)
    digest = models.BinaryField(max_length=32)
    label = models.CharField(max_length=120)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope))
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="keys")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="keys")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField(null=True, blank=True)
    networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        blank=True,
        help_text="Where it may be used from; none: anywhere.",
    )
    calls_a_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Null: as the board says; 0: no limit."
    )
    calls_a_day = models.PositiveIntegerField(null=True, blank=True, help_text="In the same way.")
    probation_until = models.DateTimeField(null=True, blank=True, help_text="Not before then; null: never on any.")
    probation_reports = models.PositiveIntegerField(default=0, help_text="Nor before so many of its reports counted.")
    probation_ended_at = models.DateTimeField(null=True, blank=True)
    successor = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="predecessor",
        help_text="The key that replaces it; until it expires, both work.",
    )  # fmt: skip

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("manage_key", "Can create and revoke API keys")]

    def __str__(self) -> str:
        return self.label or self.prefix

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired, by the clock of this process."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def is_on_probation(self) -> bool:
        """Whether its reports do not carry a pattern yet."""
        return self.probation_until is not None and self.probation_ended_at is None

    @property
    def limits(self) -> Limits | None:
        """How much it may ask, its own limits or the board's."""
        return of_key(self.calls_a_minute, self.calls_a_day)

    @property
    def party(self) -> str:
        """Whose voice reports under this key count as: its owner's, whatever other keys they own."""
        return f"person:{self.owner_id}"
