"""What recurs at several agents."""

from django.db import models

from feedback.models.pattern import Pattern


class SharedPattern(models.Model):
    """One thing that recurs at several agents, found by the miner every night; its patterns stay those of their agents.

    Some of them may be candidates, which recur at their own agent too little to be shown there. `sources` are distinct
    over all agents.
    """

    kind = models.CharField(max_length=10, choices=Pattern.Kind)
    label = models.CharField(max_length=200, blank=True)
    support = models.PositiveIntegerField()
    sources = models.PositiveIntegerField()
    agents = models.PositiveIntegerField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["-sources", "-last_seen"], name="shared_loudest")]

    def __str__(self) -> str:
        return self.label or f"{self.get_kind_display()} at {self.agents} agents"


class SharedMember(models.Model):
    """A pattern that is one with others at other agents."""

    pattern = models.OneToOneField(Pattern, on_delete=models.CASCADE, primary_key=True, related_name="shared_member")
    shared = models.ForeignKey(SharedPattern, on_delete=models.CASCADE, related_name="members")

    def __str__(self) -> str:
        return f"pattern {self.pattern_id} of shared pattern {self.shared_id}"
