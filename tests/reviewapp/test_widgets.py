"""Fields that are written in Python are as Django's own templates make them."""

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates

from reviewapp.widgets import Written

ODD = "<b>\"&'\n ÄÖ"
CHOICES = [("", "Choose"), ("a", ODD), ("People", [("1", "Mara"), (2, "Jonas")]), (ODD, "Odd")]


class Everything(forms.Form):
    """One field for each widget that is written, and some that are not."""

    text = forms.CharField(max_length=9, widget=forms.TextInput(attrs={"autofocus": True, "x": False, "data-a": ODD}))
    hidden = forms.CharField(widget=forms.HiddenInput)
    number = forms.IntegerField(required=False, help_text="Help", min_value=3)
    long = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    choice = forms.ChoiceField(choices=CHOICES)
    tick = forms.BooleanField()
    several = forms.MultipleChoiceField(choices=CHOICES, widget=forms.CheckboxSelectMultiple)


@pytest.mark.parametrize("value", ["", "a", ODD, "1", "2", "  \n x", None])
def test_what_is_written_is_what_the_templates_make(value: str | None) -> None:
    for data in ({}, dict.fromkeys(Everything.base_fields, value)):
        plain, written = (Everything(data or None, renderer=one()) for one in (DjangoTemplates, Written))
        assert [_tight(field) for field in written] == [_tight(field) for field in plain]


def _tight(field: object) -> str:
    return re.sub(r"\n\s*", "\n", str(field))
