"""What is asked of the reports behind a draft, and what was found of it when the draft was made."""

from typing import Final

from django.db import models
from django.db.models import Q

from agents.models import Agent
from proposals.models.proposal import Proposal
from proposals.rules.backing import PER, Backing, Point, Rule, missing, points

MOST_SOURCES: Final = 1000
MOST_DAYS: Final = 90
LEAST_SHARE: Final = 5


class SourceRule(models.Model):
    """What the drafts that are made by themselves for this agent take; without a row, what the board asks for."""

    class Per(models.TextChoices):
        OWNER = "owner", "The owner of the API keys"
        USER = "user", "The end user that a report names"

    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, related_name="source_rule")
    sources = models.PositiveSmallIntegerField()
    share = models.PositiveSmallIntegerField(help_text="Percent of the voices that one source may have.")
    days = models.PositiveSmallIntegerField()
    per = models.CharField(max_length=5, choices=Per, help_text="What counts as one source.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sources__gte=1, sources__lte=MOST_SOURCES)
                & Q(share__gte=LEAST_SHARE, share__lte=100)
                & Q(days__gte=1, days__lte=MOST_DAYS),
                name="source_rule_makes_sense",
            ),
        ]

    def __str__(self) -> str:
        return str(self.agent)

    @property
    def rule(self) -> Rule:
        """What it asks for."""
        return Rule(self.sources, self.share, self.days, "owner" if self.per == self.Per.OWNER else "user")


class Footing(models.Model):
    """The rule and what was found when the proposal was drafted; kept as it was, whatever becomes of the reports."""

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="footing")
    asked = models.JSONField(help_text="The rule, see `proposals.rules.backing.Rule`.")
    found = models.JSONField(help_text="What there was, see `proposals.rules.backing.Backing`.")

    def __str__(self) -> str:
        return f"footing of proposal {self.proposal_id}"

    @property
    def rule(self) -> Rule:
        return Rule.from_json(self.asked)

    @property
    def backing(self) -> Backing:
        return Backing.from_json(self.found)

    @property
    def points(self) -> list[Point]:
        """Each part of the rule, with what was found of it."""
        return points(self.backing, self.rule)

    @property
    def one_source(self) -> str:
        """What counted as one source, in words."""
        return PER[self.rule.per]

    @property
    def missing(self) -> str:
        """What was not met, in words; empty when all was."""
        return missing(self.backing, self.rule)
