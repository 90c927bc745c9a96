"""How many approvals changes need."""

from typing import Final

from django.db import models
from django.db.models import F, Q

from agents.compiled import Compiled, Given, key
from agents.models import Agent, Document
from agents.reach import within
from people.models import User
from proposals.rules.terms import MOST, Quorum


class PolicyQuerySet(models.QuerySet["Policy"]):
    """Reads that speak."""

    def fitting(self, document: Document) -> "list[Policy]":
        """Those that apply to changes of this document."""
        return _FITTING.ask(agent=document.agent_id, kind=document.kind)

    def for_person(self, user: User) -> "PolicyQuerySet":
        """Those of all agents, and those of an agent this person sees; see `agents.reach`."""
        return within(self, user, "agent")


class Policy(models.Model):
    """How many approvals the changes that it covers need at least. Of all that fit a change the strictest applies.

    Without a row for all agents and kinds, the built-in terms stand in for it, see `proposals.rules.terms`.
    """

    class Covers(models.TextChoices):
        ANY = "any", "Any change"
        PROTECTED = "protected", "Changes of protected sections"
        LOW = "low", "Changes of low risk"
        MEDIUM = "medium", "Changes of medium risk"
        HIGH = "high", "Changes of high risk"

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="policies")
    kind = models.CharField(max_length=8, choices=Document.Kind, blank=True, help_text="Empty: every kind.")
    covers = models.CharField(max_length=9, choices=Covers)
    approvals = models.PositiveSmallIntegerField()
    owner_approvals = models.PositiveSmallIntegerField(default=0)
    opens_evidence = models.BooleanField(default=False, help_text="Whoever approves has opened the evidence.")

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        permissions = [("manage_policy", "Can change how many approvals are needed")]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "kind", "covers"], nulls_distinct=False, name="policy_once_per_scope"
            ),
            models.CheckConstraint(
                condition=Q(approvals__gte=1, approvals__lte=MOST, owner_approvals__lte=F("approvals")),
                name="policy_counts_make_sense",
            ),
            # Only protected sections have owners, and changing one is of high risk.
            models.CheckConstraint(
                condition=Q(covers__in=["protected", "high"]) | Q(owner_approvals=0),
                name="policy_owners_where_there_are_any",
            ),
            # What is of low risk is approved several at a time, beside its differences.
            models.CheckConstraint(
                condition=Q(covers__in=["medium", "high"]) | Q(opens_evidence=False),
                name="policy_opens_evidence_by_risk",
            ),
        ]

    def __str__(self) -> str:
        scope = [str(self.agent) if self.agent else "all agents"]
        scope += [self.get_kind_display().lower()] if self.kind else []
        return f"{self.get_covers_display()} ({', '.join(scope)})"

    @property
    def quorum(self) -> Quorum:
        """What it asks for."""
        return Quorum(self.approvals, self.owner_approvals, self.opens_evidence)

    @property
    def is_general(self) -> bool:
        """Whether it stands in the place of the built-in terms."""
        return self.agent_id is None and not self.kind


_FITTING: Final = Compiled(
    lambda: Policy.objects.filter(
        Q(agent=None) | Q(agent=key("agent")), Q(kind="") | Q(kind=Given("kind", models.CharField()))
    )
)
