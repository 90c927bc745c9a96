"""An approved change on its way to everybody: the plan, where it stands, what the judge was told, what it said."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from agents.models import Document, Split, Version
from agents.reach import within
from people.models import User
from proposals.models.proposal import Proposal
from proposals.rules.plans import Plan, Step


class RolloutPlanQuerySet(models.QuerySet["RolloutPlan"]):
    """Reads that speak."""

    def for_person(self, user: User) -> "RolloutPlanQuerySet":
        """The general one, and those of documents this person sees; see `agents.reach`."""
        return within(self, user, "document__agent")


class RolloutPlan(models.Model):
    """How candidates of a document are rolled out; without a document, of all that have no plan of their own."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="rollout_plans")
    plan = models.JSONField(help_text="See `proposals.rules.plans.Plan`.")

    objects = RolloutPlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document"], nulls_distinct=False, name="rollout_plan_once_per_scope")
        ]

    def __str__(self) -> str:
        return f"{self.document.agent} / {self.document}" if self.document else "all documents"


class RolloutQuerySet(models.QuerySet["Rollout"]):
    """Reads that speak."""

    def live(self) -> "RolloutQuerySet":
        """Those whose candidate is served to some."""
        return self.filter(state__in=Rollout.LIVE)

    def never_current(self) -> "RolloutQuerySet":
        """Those that ended without their candidate becoming current."""
        return self.exclude(state__in=[*Rollout.LIVE, Rollout.State.PROMOTED])

    def waiting(self) -> "RolloutQuerySet":
        """Those that ask for a person: at the gate, or because the judge cannot tell."""
        asks = Q(state=Rollout.State.WAITING) | Q(asks__in=Rollout.URGENT)
        return self.live().filter(asks)

    def for_person(self, user: User) -> "RolloutQuerySet":
        """Those of agents this person sees; see `agents.reach`."""
        return within(self, user, "split__document__agent")

    def for_page(self) -> "RolloutQuerySet":
        """With all that a line about it shows, in one query."""
        whole = ("split__candidate", "baseline")
        texts = [f"{name}__{column}" for name in whole for column in ("text", "line_versions")]
        joined = self.select_related("split__document__agent", *whole, "proposal__self_start", "started_by", "ended_by")
        return joined.defer(*texts, "proposal__rationale")


class Rollout(models.Model):
    """The delivery of one approved proposal's version; its key is that of its split, which says who is served it.

    Every change of it is a guarded update on `state` and `epoch`, and all but what it `asks` add one to the epoch, so
    of several that happen at once one counts. A rollout is promoted by a person, or never: the database refuses any
    other.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting at the gate"
        PROMOTED = "promoted", "Promoted"
        STOPPED = "stopped", "Stopped"
        ROLLED_BACK = "rolled_back", "Rolled back"
        GIVEN_UP = "given_up", "Given up"

    class Asks(models.TextChoices):
        """What a person is asked to look at."""

        NOTHING = "", "Nothing"
        MISMATCH = "mismatch", "Units in other proportions than planned"
        SILENCE = "silence", "No runs of the candidate"
        UNCLEAR = "unclear", "No clear verdict for long"
        SLOW = "slow", "No clear verdict yet"
        UNNAMED = "unnamed", "Most runs name no unit"

    LIVE: Final = (State.RUNNING, State.WAITING)
    FAILED: Final = (State.ROLLED_BACK, State.GIVEN_UP)
    URGENT: Final = (Asks.MISMATCH, Asks.SILENCE, Asks.UNCLEAR, Asks.UNNAMED)

    split = models.OneToOneField(Split, on_delete=models.PROTECT, primary_key=True, related_name="rollout")
    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="rollout")
    baseline = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    plan_kept = models.JSONField(help_text="The plan in force when it began, see `proposals.rules.plans.Plan`.")
    step_index = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField()
    runs_before_step = models.PositiveIntegerField(default=0, help_text="Runs the candidate had when the step began.")
    state = models.CharField(max_length=11, choices=State, default=State.RUNNING)
    epoch = models.PositiveIntegerField(default=0)
    asks = models.CharField(max_length=8, choices=Asks, blank=True, default=Asks.NOTHING)
    asks_since = models.DateTimeField(null=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty for one that began by itself, see `SelfStart`.",
    )
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, help_text="Why it ended so.")

    objects = RolloutQuerySet.as_manager()

    class Meta:
        ordering = ["-split"]
        permissions = [
            ("promote_rollout", "Can promote candidates"),
            ("set_share", "Can set the share of a candidate"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="promoted") | Q(ended_by__isnull=False), name="rollout_promoted_by_a_person"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "waiting"], ended_at=None)
                | (~Q(state__in=["running", "waiting"]) & Q(ended_at__isnull=False)),
                name="rollout_ended_at_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(asks="", asks_since=None) | (~Q(asks="") & Q(asks_since__isnull=False)),
                name="rollout_asks_since_when_asking",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="rollout_live", condition=Q(state__in=["running", "waiting"]))]

    def __str__(self) -> str:
        return f"version {self.candidate.number} of {self.document}"

    @property
    def candidate(self) -> Version:
        """What is served to some."""
        return self.split.candidate

    @property
    def document(self) -> Document:
        return self.split.document

    @property
    def share(self) -> int:
        """The candidate's share of the units in percent, now or when it ended."""
        return self.split.share

    @property
    def plan(self) -> Plan:
        return Plan.from_json(self.plan_kept)

    @property
    def step(self) -> Step:
        """The step it stands on."""
        return self.plan.steps[self.step_index]

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    @property
    def began_by_itself(self) -> bool:
        """Whether Countersign began it, under the rules of its document, without waiting for an approval."""
        return self.started_by_id is None

    @property
    def starter_label(self) -> str:
        """Who began it."""
        return str(self.started_by or "Countersign")

    @property
    def is_waiting(self) -> bool:
        """Whether it asks for a person."""
        return self.is_live and (self.state == self.State.WAITING or self.asks in self.URGENT)


class ShareChange(models.Model):
    """From `at` on the candidate had `share` percent of the units; append-only, the database refuses changes."""

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="shares")
    share = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.share}\u00a0% from {self.at:%Y-%m-%d %H:%M}"


class RolloutVerdict(models.Model):
    """What the judge said and from which numbers, whenever that changed or was acted on; append-only.

    `findings` is what `proposals.judging.Verdict.to_json` gives: rates, intervals, evidence, and the rule.
    """

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="verdicts")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    rule = models.CharField(max_length=14)
    share = models.PositiveSmallIntegerField()
    candidate_runs = models.PositiveIntegerField()
    current_runs = models.PositiveIntegerField()
    findings = models.JSONField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} after {self.candidate_runs} runs"


class JudgeMemory(models.Model):
    """All the judge remembers of a rollout, whatever its length, and how far into the runs it has got.

    Runs up to the key `upto` were seen for good. Of those after it, `JudgedRun` tells which were: keys become visible
    out of order, so what comes after it is looked at again.
    """

    rollout = models.OneToOneField(Rollout, on_delete=models.CASCADE, primary_key=True, related_name="memory")
    judge = models.JSONField(help_text="See `proposals.judging.Judge.to_json`.")
    upto = models.BigIntegerField()
    next_upto = models.BigIntegerField(default=0, help_text="Where `upto` goes next, once nothing up to it is open.")
    noted_at = models.DateTimeField(null=True, help_text="When `next_upto` was noted.")
    fence = models.BigIntegerField(null=True, help_text="Transactions before this one may hold runs up to `next_upto`.")
    heard_at = models.DateTimeField(null=True, help_text="When it last heard of a run.")
    verdict = models.JSONField(null=True, help_text="The last one, see `proposals.judging.Verdict.to_json`.")
    told_at_runs = models.PositiveIntegerField(default=0, help_text="The candidate's runs at the last kept verdict.")

    class Meta:
        verbose_name_plural = "judge memories"

    def __str__(self) -> str:
        return f"what the judge remembers of rollout {self.rollout_id}"


class JudgedRun(models.Model):
    """A run the judge heard of: kept until it was told of complaints, and can come up no more. Written set-based."""

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="+", db_index=False)
    run = models.BigIntegerField()
    external_id = models.CharField(max_length=64)
    is_candidate = models.BooleanField()
    share = models.PositiveSmallIntegerField()
    nth = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    is_told = models.BooleanField(db_default=False, help_text="Whether it was told if people complained.")

    class Meta:
        constraints = [models.UniqueConstraint("rollout", "run", name="judged_run_once")]

    def __str__(self) -> str:
        return f"run {self.run} of rollout {self.rollout_id}"


class JudgedUnit(models.Model):
    """How many runs of a unit the judge heard of. Written set-based."""

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="+", db_index=False)
    unit_hash = models.BinaryField(max_length=16)
    runs = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("rollout", "unit_hash", name="judged_unit_once")]

    def __str__(self) -> str:
        return f"{self.runs} runs of a unit in rollout {self.rollout_id}"
