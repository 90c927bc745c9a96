"""What admins type to put the reports of a key in quarantine."""

from django import forms

from proposals.forms.proposals import TypedForm, note_field


class QuarantineForm(TypedForm):
    """From when to when, why, and whether the key ends as well."""

    reason = note_field("Why its reports should not count", "What happened; it stays on the log")
    since = forms.DateTimeField(label="Came in from (UTC)", required=False)
    until = forms.DateTimeField(label="and before (UTC)", required=False)
    revoke = forms.BooleanField(label="Revoke the key as well", required=False)
