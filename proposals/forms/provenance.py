"""What somebody asks about the past."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils import timezone

from agents.models import Agent
from agents.times import EARLIEST
from people.models import User


class ThenForm(forms.Form):
    """Which agent, at what time (UTC), and for which unit of its rollouts, if any."""

    use_required_attribute = False

    agent = forms.ModelChoiceField(
        Agent.objects.none(),
        to_field_name="slug",
        empty_label=None,
        error_messages={"invalid_choice": "There is no such agent.", "required": "Choose an agent."},
    )
    at = forms.DateTimeField(
        label="Time, UTC",
        # Not the browser's own field: that shows another order and another clock than all the times on the board.
        widget=forms.DateTimeInput(attrs={"autocomplete": "off"}, format="%Y-%m-%d %H:%M:%S"),
        error_messages={"invalid": "Give day and time, like 2026-05-03 10:42.", "required": "Give day and time."},
    )
    unit = forms.CharField(label="Unit", required=False, max_length=200, strip=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """`user` asks, and finds the agents that they see."""
        super().__init__(*args, **kwargs)
        self.fields["agent"].queryset = Agent.objects.for_person(user)  # type: ignore[attr-defined]

    def clean_at(self) -> datetime:
        """A time that has come; without a zone it is UTC."""
        at: datetime = self.cleaned_data["at"].astimezone(UTC)
        if at > timezone.now():
            raise forms.ValidationError("This time has not come yet.")
        if at < EARLIEST:
            raise forms.ValidationError("This time is before the year 2000.")
        return at

    def clean_unit(self) -> str:
        """As agents send it. The server draws no line at spaces, so neither does this."""
        unit: str = self.cleaned_data["unit"]
        if "\0" in unit:
            raise forms.ValidationError("A unit holds no NUL character.")
        return unit
