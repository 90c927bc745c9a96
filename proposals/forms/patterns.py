"""What people type on the page of a pattern."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.utils.choices import BaseChoiceIterator

from feedback.actions.patterns import MAX_LABEL
from feedback.models import Pattern
from proposals.forms.proposals import TypedForm, note_field

_DISMISSALS = [choice for choice in Pattern.Dismissal.choices if choice[0] != Pattern.Dismissal.ALIKE]


Others = Iterable[tuple[int, str]]
"""Keys of patterns, and what they are called."""


class _Choices(BaseChoiceIterator):
    """Others to choose from. Of a plain list Django would look at every entry, at each of its values, twice."""

    def __init__(self, others: Others) -> None:
        self._pairs = [("", "Choose one"), *((str(pk), f"{pk}: {label[:80]}") for pk, label in others)]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


def _pattern_field(label: str, others: Others) -> forms.IntegerField:
    """A pattern by its number; whether it is one that may be chosen, the action says."""
    widget = forms.Select(choices=_Choices(others))
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=2**62, widget=widget)


class DismissForm(TypedForm):
    """What is wrong with a pattern, and why."""

    dismissed_as = forms.ChoiceField(
        label="What is wrong with it", required=False, choices=[("", "Choose one"), *_DISMISSALS]
    )
    reason = note_field("Why", rows=2)

    def __init__(self, *args: Any, others: Others = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["duplicate_of"] = _pattern_field("Duplicate of", others)

    def clean(self) -> dict[str, Any]:
        """All that is wanting at once; the action holds the rule."""
        word: dict[str, Any] = super().clean() or self.cleaned_data
        if not word.get("dismissed_as") and "dismissed_as" not in self.errors:
            self.add_error("dismissed_as", "Choose what is wrong with it.")
        if not word.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", "Say why the pattern is wrongly found; the reason stays with it.")
        return word


class MergeForm(TypedForm):
    """The pattern whose reports this one is to have."""

    def __init__(self, *args: Any, others: Others = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["other"] = _pattern_field("The other pattern", others)


class RenameForm(TypedForm):
    """Another label."""

    label = forms.CharField(label="Label", required=False, max_length=MAX_LABEL)


class _Numbers(forms.TypedMultipleChoiceField):
    """Row numbers. Whether the rows are there, the action says: the list may have moved on since it was drawn."""

    def valid_value(self, value: Any) -> bool:
        return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18


class SplitForm(TypedForm):
    """The reports that belong to another pattern, and its label."""

    items = _Numbers(label="Reports", required=False, coerce=int)
    label = forms.CharField(label="Label of the new pattern", required=False, max_length=MAX_LABEL)
