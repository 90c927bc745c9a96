"""What came of a change after it became current."""

from django.db import models
from django.db.models import Q

from agents.models import Release
from proposals.judging import outcomes
from proposals.models.atmostone import AtMostOne
from proposals.models.proposal import Proposal


class Outcome(models.Model):
    """What is known of one release: brought up to date until `settled_at`, and never again after that.

    `findings` is what `proposals.judging.outcomes.Findings.to_json` gives: numbers, intervals, and the rule. `word`
    is that of the pattern the change answers. `told_at` is since when there is something to tell, or what there is is
    different.
    """

    class Word(models.TextChoices):
        FELL = "fell", "Reports fell"
        ROSE = "rose", "Reports rose"
        UNCLEAR = "unclear", "No clear change"

    release = models.OneToOneField(Release, on_delete=models.PROTECT, related_name="outcome")
    proposal = AtMostOne(Proposal, on_delete=models.PROTECT, related_name="outcome")
    word = models.CharField(max_length=7, choices=Word)
    findings = models.JSONField()
    counted_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(told_at__isnull=False), name="outcome_settled_is_told"
            ),
        ]
        indexes = [
            models.Index(fields=["-told_at"], name="outcome_told"),
            models.Index(fields=["id"], name="outcome_unsettled", condition=Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return self.says

    @property
    def found(self) -> outcomes.Findings:
        return outcomes.Findings.from_json(self.findings)

    @property
    def says(self) -> str:
        """In one line, without a full stop."""
        return outcomes.sentence(self.found)

    @property
    def praise(self) -> str:
        """How praise moved, without a full stop; empty where it did not."""
        return outcomes.praise(self.found)

    @property
    def others(self) -> list[tuple[int | None, str, str]]:
        """Key and label of each other pattern that moved, and how."""
        return [(one.pattern, one.label, outcomes.how(one)) for one in self.found.others]
