"""What is to be told, and to whom: rows that wait are the outbox."""

from django.db import models
from django.db.models import Q

from people.models import Team, User
from people.roles import SEE_EVERY_AGENT


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Reads that speak."""

    def for_person(self, user: User) -> "NoticeQuerySet":
        """Those about what this person sees: nobody's, their teams', or all for who sees every agent."""
        if user.has_perm(SEE_EVERY_AGENT):
            return self
        return self.filter(Q(team=None) | Q(team__in=user.teams.values("pk")))


class Notice(models.Model):
    """One thing worth telling. Written in the transaction of what it tells of, sent later.

    `path` leads to its page on the board, `link` to one that shows it without signing in, if there is one; `facts` is
    what programs get. `spread_at` is empty until it is known who gets it.
    """

    class Kind(models.TextChoices):
        GATE = "rollout.gate", "A rollout waits at the gate"
        ASKS = "rollout.asks", "A rollout asks for a person"
        TAKEN_BACK = "rollout.taken_back", "A rollout was ended by itself"
        PROPOSALS = "proposals.waiting", "New proposals wait, at most once an hour"
        DRIFT = "document.drifts", "Small changes add up in a document"
        CHECKPOINT = "log.checkpoint", "A checkpoint of the log was made"

    kind = models.CharField(max_length=30, choices=Kind)
    key = models.CharField(max_length=120, unique=True, help_text="What is told twice under one key is told once.")
    title = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=200)
    link = models.CharField(max_length=300, blank=True)
    facts = models.JSONField()
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, related_name="+", help_text="Whose agent it is about, if one's."
    )
    at = models.DateTimeField(auto_now_add=True)
    spread_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("resend_notice", "Can have notices sent again")]
        indexes = [models.Index(fields=["id"], name="notice_to_spread", condition=Q(spread_at=None))]

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """One notice on its way to one address of one channel."""

    class State(models.TextChoices):
        DUE = "due", "To be sent"
        SENT = "sent", "Sent"
        DEAD = "dead", "Not delivered"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=40)
    target = models.CharField(max_length=100, help_text="As the channel knows it; empty where there is but one.")
    label = models.CharField(max_length=200, help_text="As people know it.")
    state = models.CharField(max_length=4, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel", "target"], name="delivery_once_to_each"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="delivery_sent_at_when_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(state="due")),
            models.Index(fields=["id"], name="delivery_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.notice} to {self.label}"
