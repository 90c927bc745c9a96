"""Who looks after what: assignments, what each person has looked at, and the filters they keep."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils import timezone

from people.models import Team
from proposals.models.proposal import Proposal, Revision


class Assignment(models.Model):
    """One person, one role or one team asked to decide a proposal. It narrows whose turn it is; it gives no right."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="assigned_proposals"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, related_name="assigned_proposals")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="assigned_proposals")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group=None, team=None)
                | Q(user=None, group__isnull=False, team=None)
                | Q(user=None, group=None, team__isnull=False),
                name="assignment_is_to_one",
            ),
            models.UniqueConstraint("proposal", "user", name="assignment_person_once"),
            models.UniqueConstraint("proposal", "group", name="assignment_role_once"),
            models.UniqueConstraint("proposal", "team", name="assignment_team_once"),
        ]

    def __str__(self) -> str:
        if self.user:
            return str(self.user)
        return f"team {self.team}" if self.team else f"any {self.group}"


class ProposalSeen(models.Model):
    """When a person last opened a proposal, and at which revision. A reading mark, not a fact for the log; an approval
    takes from it how long that person had the revision before them.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    first_at = models.DateTimeField(null=True, help_text="When that revision was first opened; null: not known.")

    class Meta:
        constraints = [models.UniqueConstraint("user", "proposal", name="proposal_seen_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user} saw {self.revision} of {self.proposal}"


class EvidenceOpened(models.Model):
    """When a person first opened the evidence of a proposal, which is the same for all its revisions."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("user", "proposal", name="evidence_opened_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user} opened the evidence of {self.proposal}"


class SavedFilter(models.Model):
    """A view of the queue, or a search in the log, that a person keeps under a name of their own."""

    class Place(models.TextChoices):
        QUEUE = "queue", "queue"
        LOG = "log", "audit log"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters", db_index=False
    )
    place = models.CharField(max_length=5, choices=Place, default=Place.QUEUE)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=6000)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("user", "place", "name", name="saved_filter_name_once_per_place")]

    def __str__(self) -> str:
        return self.name
