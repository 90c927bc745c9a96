"""What people type about reports."""

from django import forms


class EraseForm(forms.Form):
    """Whose reports are to be erased, exactly as agents send it."""

    use_required_attribute = False

    name = forms.CharField(
        label="User or unit",
        max_length=200,
        strip=False,
        error_messages={"required": "Give the user or unit exactly as agents send it."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
