"""Accounts of the people of the board."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class User(AbstractUser):
    """A person. What they may do follows from their roles, which are groups (see `people.roles`)."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the device"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    name = models.CharField(max_length=120, blank=True, help_text="As shown beside decisions.")
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)
    single_keys = models.BooleanField(default=True, help_text="Whether single keys move the focus (WCAG 2.1.4).")
    hints_since = models.DateTimeField(null=True, help_text="When the first days began, in which pages give hints.")
    hints_put_away = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text="Pages whose hint was read; “all” for good.",
    )

    mails = ArrayField(
        models.CharField(max_length=30), default=list, blank=True, help_text="Which notices are mailed to them."
    )

    class Meta(AbstractUser.Meta):
        permissions = [("manage_people", "Can manage people and their roles")]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def initials(self) -> str:
        """Two letters for the face in the corner."""
        words = str(self).split()
        return "".join(word[0] for word in (words[0], words[-1])).upper() if len(words) > 1 else str(self)[:2].upper()


class Team(models.Model):
    """Some people under one name, who look after agents together. Nobody's rights grow by it: those follow from roles.

    A team that is no longer active has no members and owns no agent; its row stays, because decisions name it.
    """

    name = models.CharField(max_length=80)
    members = models.ManyToManyField(User, blank=True, related_name="teams")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="team_name_unique", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return self.name
