"""What an auditor asks the log for."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

import re2
from django import forms
from django.db.models import F, Func, Q, TextField, Value
from django.http import QueryDict

from audit.choices import grouped
from audit.models import AuditEntry, AuditEntryQuerySet
from audit.wording import VERBS


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


_MOST_NAMES: Final = 500
_HEXED: Final = Func(F("hash"), Value("hex"), function="encode", output_field=TextField())

TOGETHER: Final[dict[str, tuple[str, frozenset[str]]]] = {
    "decisions": (
        "All decisions",
        frozenset(
            {
                "proposal.approval_given",
                "proposal.approved",
                "proposal.rejected",
                "proposal.changes_requested",
                "proposal.bypassed",
                "proposal.started_itself",
                "proposal.undone",
            }
        ),
    ),
    "served": ("All that changed what agents get", frozenset({"version.published", "version.restored"})),
    "access": (
        "All about people and keys",
        frozenset(
            verb
            for verb in VERBS
            if verb.partition(".")[0] in ("person", "session", "factor", "team", "key", "signing_key")
        ),
    ),
}
"""Several verbs under one name, for what auditors ask most: (what it is called, its verbs)."""


def _verbs() -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices: several at once first, then each verb with what it is about."""
    return [("Several", [(name, words) for name, (words, _) in TOGETHER.items()]), *grouped()]


class LogFilter(forms.Form):
    """Every field is optional; days are UTC and both ends are included."""

    use_required_attribute = False

    agent = forms.CharField(label="Agent", required=False, max_length=80)
    document = forms.CharField(label="Document", required=False, max_length=80)
    verb = forms.ChoiceField(label="What", required=False, choices=[("", "Anything"), *_verbs()])
    actor = forms.CharField(label="Who", required=False, max_length=200)
    since = _day("From")
    until = _day("To")
    proposal = forms.IntegerField(label="Proposal", required=False, min_value=1)
    text = forms.CharField(label="Text or hash", required=False, max_length=200)

    def __init__(self, data: QueryDict, *, unseen: Sequence[str]) -> None:
        """`unseen` are the slugs of the agents that are not to be found here."""
        super().__init__(data)
        self._seen = AuditEntry.objects.apart_from(list(unseen))
        self.fields["agent"].widget = forms.Select(choices=_named(self._seen, "agent", "target_label", data))
        self.fields["document"].widget = forms.Select(choices=_named(self._seen, "document", "document", data))

    @property
    def reads_every_entry(self) -> bool:
        """Whether what is asked for can only be found by reading one entry after the other."""
        return self.is_valid() and any(self.cleaned_data[name] for name in ("actor", "text", "document"))

    @property
    def query(self) -> str:
        """The address that asks for this, without its question mark; empty for all, and for what makes no sense."""
        asked = self.cleaned_data if self.is_valid() else {}
        return urlencode({name: value for name, value in asked.items() if value})

    def entries(self) -> AuditEntryQuerySet:
        """The sealed entries asked for, newest first; everything where the question makes no sense."""
        found = self._seen.filter(sequence__isnull=False).newest_first()
        if not self.is_valid():
            return found
        asked = self.cleaned_data
        for column in ("agent", "document", "proposal"):
            if asked[column]:
                found = found.filter(**{column: asked[column]})
        if asked["verb"]:
            _, verbs = TOGETHER.get(asked["verb"], ("", {asked["verb"]}))
            found = found.filter(verb__in=verbs)
        if asked["actor"]:
            found = found.filter(actor_label__icontains=asked["actor"])
        for word in _words(asked["text"]):
            found = found.alias(hex=_HEXED).filter(_holds(word))
        return found.between(_start(asked["since"]), _start(asked["until"], days=1))


def _named(seen: AuditEntryQuerySet, column: str, label: str, data: QueryDict) -> list[tuple[str, str]]:
    """The agents or documents the log has seen created, by name; and the one asked for, even when it has not."""
    created = seen.filter(verb=f"{column}.created").values_list(column, label)
    names = {data.get(column, ""): data.get(column, "")} | dict(created[:_MOST_NAMES]) | {"": "Any"}
    return sorted(names.items(), key=lambda pair: (pair[0] != "", pair[1].casefold()))


def _words(text: str) -> list[str]:
    """Each word is looked for by itself, in any order; what stands in double quotes as it stands."""
    return [quoted or word for quoted, word in re2.findall(r'"([^"]+)"|([^\s"]+)', text)]


def _holds(word: str) -> Q:
    """The fact has it, in whatever it names; or the entry’s own hash begins so."""
    spelled = json.dumps(word, ensure_ascii=False)[1:-1]
    there = Q(body__icontains=spelled)
    return there | Q(hex__startswith=word.lower()) if re2.fullmatch(r"[0-9a-fA-F]{8,64}", word) else there


def _start(day: date | None, days: int = 0) -> datetime | None:
    if day is None or day == date.max:  # after the last day there is nothing to be left out
        return None
    return datetime.combine(day, time(), UTC) + timedelta(days=days)
