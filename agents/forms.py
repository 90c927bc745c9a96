"""What people type about keys and protected sections."""

from collections.abc import Iterable
from typing import Any

from django import forms

from agents.forms_keys import RulesForm
from agents.keys import DEFAULT_DAYS, LONGEST_PROBATION, Probation
from agents.models import Agent, ApiKey
from agents.profiles import LIMITS
from agents.protection import DECIDE
from people.models import Team, User
from people.roles import holders


class KeyForm(RulesForm):
    """A new API key."""

    label = forms.CharField(label="What it is for", max_length=120, error_messages={"required": "Say what it is for."})
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[ApiKey.Scope.INGEST, ApiKey.Scope.READ],
        error_messages={"required": "Choose at least one thing it may do."},
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("name", "username"), label="Whose it is", empty_label=None
    )
    days = forms.IntegerField(
        label="Days it lives",
        min_value=1,
        max_value=36_500,
        initial=DEFAULT_DAYS,
        error_messages={"required": "Say how many days it lives."},
    )

    probation_days = forms.IntegerField(
        label="Days on probation",
        required=False,
        min_value=0,
        max_value=LONGEST_PROBATION,
    )
    probation_reports = forms.IntegerField(
        label="Reports on probation",
        required=False,
        min_value=0,
        max_value=1_000_000,
    )

    @property
    def wish(self) -> dict[str, Any]:
        """What `keys.create` is to make."""
        named = {name: self.cleaned_data[name] for name in ("label", "scopes", "owner", "days")}
        given = (self.cleaned_data["probation_days"], self.cleaned_data["probation_reports"])
        return {**named, "rules": self.rules, "probation": Probation.wished(*given)}


class TeamForm(forms.Form):
    """Whose agent it is."""

    team = forms.ModelChoiceField(
        Team.objects.filter(is_active=True).order_by("name"),
        label="Team",
        required=False,
        empty_label="Everybody",
        error_messages={"invalid_choice": "Choose a team that is there."},
    )


class SectionForm(forms.Form):
    """A section to protect, and who owns it."""

    use_required_attribute = False

    heading = forms.ChoiceField(label="Section", error_messages={"required": "Choose a section."})
    owners = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label="Owners, of whom one has to approve every change",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.filter(is_active=True).order_by("name"),
        label="Teams, of which each member is an owner",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, headings: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["heading"].choices = [("", "Choose one"), *((name, name) for name in headings)]  # type: ignore[attr-defined]
        self.fields["owners"].queryset = holders(DECIDE)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        wish = self.cleaned_data
        if not wish.get("owners") and not wish.get("teams") and "owners" not in self.errors:
            self.add_error("owners", "Choose at least one owner.")
        return wish


def _number(name: str, label: str) -> forms.IntegerField:
    least, most = LIMITS[name]
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most)


class TrafficForm(forms.Form):
    """When drafts are made for an agent by themselves; what is left empty follows the profile."""

    use_required_attribute = False

    traffic = forms.ChoiceField(
        label="Traffic", required=False, choices=[("", "By its runs a day"), *Agent.Traffic.choices]
    )
    reports = _number("reports", "Sources needed")
    window_h = _number("window_h", "Within so many hours")
    cooldown_h = _number("cooldown_h", "Hours of rest after a change")

    @classmethod
    def of(cls, agent: Agent) -> "TrafficForm":
        """As it is set now."""
        return cls(
            initial={
                "traffic": agent.traffic,
                "reports": agent.draft_reports,
                "window_h": agent.draft_window_h,
                "cooldown_h": agent.draft_cooldown_h,
            }
        )
