"""What a reviewer asks the drafter to write again."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import Textarea

from proposals.forms.proposals import TypedForm, note_field
from proposals.models import Redraft

Ask = Redraft.Ask
ASKS = [(ask.value, ask.label) for ask in (Ask.SHORTER, Ask.MOVE, Ask.MERGE, Ask.WORDING)]
FIELD_OF = {Ask.MOVE: "section", Ask.MERGE: "rule", Ask.WORDING: "wording"}
"""Which field says what an ask is about."""


class RedraftForm(TypedForm):
    """One thing that should be different, and perhaps a note for people."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    ask = forms.ChoiceField(label="What should be different", required=False, choices=ASKS, widget=forms.RadioSelect)
    section = forms.CharField(label="Section", required=False, max_length=1_000)
    rule = forms.CharField(label="Rule", required=False, max_length=10_000)
    wording = forms.CharField(
        label="The rule in your words", required=False, max_length=5_000, widget=Textarea(attrs={"rows": 3})
    )
    note = note_field("Note", "For the people who read this later; the drafter does not read it")

    def __init__(self, *args: Any, sections: Sequence[str] = (), rules: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["section"].widget = forms.Select(choices=_choices("Choose a section", sections))
        self.fields["rule"].widget = forms.Select(choices=_choices("Choose a rule", rules, longest=120))

    @property
    def about(self) -> str:
        """What the chosen ask is about."""
        name = FIELD_OF.get(Ask(self.cleaned_data["ask"])) if self.cleaned_data["ask"] else None
        return self.cleaned_data[name] if name else ""


def _choices(first: str, texts: Sequence[str], *, longest: int = 200) -> list[tuple[str, str]]:
    shown = [(text, text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…") for text in texts]
    return [("", first), *shown]
