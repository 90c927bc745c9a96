"""What people type about keys."""

from django import forms

from agents.keys import DEFAULT_DAYS
from agents.models import ApiKey


class KeyForm(forms.Form):
    """A new API key."""

    use_required_attribute = False

    label = forms.CharField(label="What it is for", max_length=120, error_messages={"required": "Say what it is for."})
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[ApiKey.Scope.INGEST, ApiKey.Scope.READ],
        error_messages={"required": "Choose at least one thing it may do."},
    )
    days = forms.IntegerField(label="Days it lives", min_value=1, max_value=36_500, initial=DEFAULT_DAYS)
