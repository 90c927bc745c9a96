"""What admins type about approvals, bypassing them, and quoting."""

from django import forms

from agents import pace
from agents.models import Agent, Document
from proposals.actions.source_rules import LIMITS
from proposals.forms.proposals import TypedForm, note_field
from proposals.models import Policy, SourceRule
from proposals.models.quoting import LEAST
from proposals.models.quoting import MOST as MOST_SOURCES
from proposals.rules.terms import MOST

_BIGGEST = 2**31 - 1


class BypassForm(TypedForm):
    """Why a change cannot wait, and the number of its proposal, typed by hand."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = note_field("Why it cannot wait", "What goes wrong right now, and for whom")
    number = forms.IntegerField(
        label="Number of the proposal",
        required=False,
        min_value=0,
        max_value=_BIGGEST,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class PolicyForm(TypedForm):
    """How many approvals some changes need."""

    agent = forms.ModelChoiceField(Agent.objects.all(), label="Agent", required=False, empty_label="All agents")
    kind = forms.ChoiceField(
        label="Kind of document", required=False, choices=[("", "Every kind"), *Document.Kind.choices]
    )
    covers = forms.ChoiceField(label="Which changes", choices=Policy.Covers.choices)
    approvals = forms.IntegerField(
        label="Approvals",
        min_value=1,
        max_value=MOST,
        initial=1,
        error_messages={"required": "Say how many approvals."},
    )
    owner_approvals = forms.IntegerField(
        label="Of these, by owners of the section",
        min_value=0,
        max_value=MOST,
        initial=0,
        error_messages={"required": "Say how many of them by owners; 0 for none."},
    )
    opens_evidence = forms.BooleanField(label="Whoever approves has opened the evidence", required=False)


class ReleasesForm(TypedForm):
    """How many releases of an agent go out within a day at most."""

    agent = forms.ModelChoiceField(Agent.objects.all(), label="Agent", empty_label="Choose one")
    releases = forms.IntegerField(
        label="Releases within 24 hours at most", required=False, min_value=0, max_value=pace.MOST
    )


class QuotingForm(TypedForm):
    """Whose drafts may quote, and how many sources each quote takes."""

    agent = forms.ModelChoiceField(Agent.objects.all(), label="Agent", empty_label="Choose one")
    sources = forms.IntegerField(label="Sources of each quote", min_value=LEAST, max_value=MOST_SOURCES, initial=3)


def _limited(name: str, label: str) -> forms.IntegerField:
    least, most = LIMITS[name]
    return forms.IntegerField(label=label, min_value=least, max_value=most)


class SourceRuleForm(TypedForm):
    """What has to stand behind the drafts that are made by themselves for an agent."""

    agent = forms.ModelChoiceField(Agent.objects.all(), label="Agent", empty_label="Choose one")
    sources = _limited("sources", "Sources at least")
    share = _limited("share", "Share of one source at most, in percent")
    days = _limited("days", "Days at least")
    per = forms.ChoiceField(label="One source is", choices=SourceRule.Per.choices)
