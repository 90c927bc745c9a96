"""What the sentence model made of texts: computed once, kept with the report, never sent anywhere."""

from django.db import models

from agents.models import Agent
from feedback.models.report import Feedback


class TextPoint(models.Model):
    """Where the text of one report lies: signed bytes, 384 for a reason, 768 for a correction."""

    feedback = models.OneToOneField(Feedback, on_delete=models.CASCADE, primary_key=True, related_name="point")
    place = models.BinaryField()

    def __str__(self) -> str:
        return f"point of feedback {self.feedback_id}"


class TextMiddle(models.Model):
    """Where the texts of one agent and kind lie on average, found when there were `texts` of them."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10)
    place = models.BinaryField()
    texts = models.PositiveIntegerField()
    first_seen = models.DateTimeField(null=True, help_text="When the first of all texts so far came.")
    last_seen = models.DateTimeField(null=True, help_text="When the last of them came.")
    settled_to = models.BigIntegerField(default=0, help_text="The newest evidence when all was last put right.")

    class Meta:
        constraints = [models.UniqueConstraint("agent", "kind", name="text_middle_once_per_kind")]

    def __str__(self) -> str:
        return f"middle of the {self.kind}s of agent {self.agent_id}"
