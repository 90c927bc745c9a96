"""What people type about notices."""

from django import forms

from notices.models import Notice


class MailsForm(forms.Form):
    """Which notices somebody wants by mail, and where."""

    use_required_attribute = False

    address = forms.EmailField(
        label="E-mail address",
        required=False,
        max_length=254,
        error_messages={"invalid": "This is not an e-mail address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    kind = forms.MultipleChoiceField(
        label="Tell me when", required=False, choices=Notice.Kind.choices, widget=forms.CheckboxSelectMultiple
    )
