"""What people type about one API key."""

from django import forms

from agents.keys import Rules
from agents.networks import parse_networks
from agents.rotation import LONGEST_H, OVERLAP_H


class RulesForm(forms.Form):
    """Where a key may be used from, and how much."""

    use_required_attribute = False

    networks = forms.CharField(label="Where it may be used from", required=False, max_length=2000)
    calls_a_minute = forms.IntegerField(label="Calls a minute", required=False, min_value=0, max_value=1_000_000)
    calls_a_day = forms.IntegerField(label="Calls a day", required=False, min_value=0, max_value=1_000_000_000)

    @classmethod
    def of(cls, rules: Rules) -> "RulesForm":
        """As they are set now."""
        return cls(initial={**rules._asdict(), "networks": ", ".join(rules.networks)})

    def clean_networks(self) -> list[str]:
        try:
            return parse_networks(self.cleaned_data["networks"])
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from None

    @property
    def rules(self) -> Rules:
        """What was typed, once it is valid."""
        return Rules(**{name: self.cleaned_data[name] for name in Rules._fields})


class RotateForm(forms.Form):
    """For how long the old key works beside the new one."""

    use_required_attribute = False

    overlap_h = forms.IntegerField(
        label="Hours the old key works on",
        min_value=0,
        max_value=LONGEST_H,
        initial=OVERLAP_H,
        error_messages={"required": "Say for how many hours the old key works on."},
    )
