"""What people type on the pages of proposals. Rules live in the actions; these forms only read the fields."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

from django import forms
from django.forms import Textarea

from agents.texts import MAX_TEXT
from agents.versions import sha256
from proposals.actions.comments import MAX_SUGGESTION, Wording
from proposals.actions.decisions import MAX_ANSWER
from proposals.actions.proposals import MAX_TITLE
from proposals.actions.wishes import MAX_AGAIN
from proposals.checking.checks import ASKING
from proposals.models import Comment, Decision, Thread
from proposals.rules.plans import OWN_SHARES, STARTS

MAX_NOTE = 5_000
MAX_NUMBER = 10_000_000
MAX_NUMBERS = 200
GIVE_SHARES = "Give whole numbers with commas between them: 5, 25, 50."
N = TypeVar("N", int, float)


class TypedForm(forms.Form):
    """A form whose refusals by an action can be put beside the field they are about."""

    use_required_attribute = False

    def refuse(self, field: str, message: str) -> None:
        """Show the message at the field, or above the form when it has no such field."""
        self.add_error(field if field in self.fields else None, message)


def note_field(label: str, placeholder: str = "", rows: int = 3) -> forms.CharField:
    """A few sentences in plain text."""
    widget = Textarea(attrs={"rows": rows, "placeholder": placeholder})
    return forms.CharField(label=label, required=False, max_length=MAX_NOTE, widget=widget)


def title_field() -> forms.CharField:
    """What the change does, in one line."""
    return forms.CharField(label="Title", required=False, max_length=MAX_TITLE)


def text_field(label: str) -> forms.CharField:
    """The full text of a document, kept to the character."""
    widget = Textarea(attrs={"class": "text", "rows": 24, "spellcheck": "true", "data-editor": True})
    return forms.CharField(label=label, required=False, strip=False, max_length=MAX_TEXT, widget=widget)


def again_field() -> forms.CharField:
    """Asked for only where the text was rolled back before."""
    widget = Textarea(attrs={"rows": 2})
    return forms.CharField(label="Again, because", required=False, max_length=MAX_AGAIN, widget=widget)


def numbers(label: str, make: Callable[[str], N], wrong: str, *, required: bool = True) -> forms.CharField:
    """Numbers with commas between them."""

    class Numbers(forms.CharField):
        def to_python(self, value: Any) -> Any:
            given = super().to_python(value) or ""
            try:
                return [make(part.replace("%", "").strip()) for part in given.split(",") if part.strip()]
            except ValueError:
                raise forms.ValidationError(wrong) from None

    return Numbers(label=label, max_length=MAX_NUMBERS, required=required)


def base_field(*, required: bool = True) -> forms.IntegerField:
    """The number of the version that a text was written on."""
    return forms.IntegerField(min_value=1, max_value=MAX_NUMBER, required=required, widget=forms.HiddenInput)


class DecisionForm(TypedForm):
    """One person's word on the revision with this digest."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=Decision.Verdict.choices, widget=forms.HiddenInput)
    note = note_field("Why: a note", rows=3)
    start = forms.ChoiceField(
        label="How it takes effect", required=False, choices=[("", ""), *STARTS.items(), (OWN_SHARES, "Other shares")]
    )
    shares = numbers("Shares, in percent", int, GIVE_SHARES, required=False)
    reason = forms.ChoiceField(
        label="Reason, if you reject", required=False, choices=[("", "Choose one"), *Decision.Reason.choices]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ASKING:
            self.fields[f"answer_{name}"] = forms.CharField(
                label=f"Why this may stand: {name}", required=False, max_length=MAX_ANSWER
            )

    @property
    def answers(self) -> dict[str, str]:
        """Why what checks found may stand, by the name of the check."""
        return {name: self.cleaned_data.get(f"answer_{name}", "") for name in ASKING}

    def clean(self) -> dict[str, Any]:
        """All that is wanting at once; the actions hold the rule."""
        word: dict[str, Any] = super().clean() or self.cleaned_data
        verdict, note = word.get("verdict"), word.get("note", "").strip()
        if verdict == Decision.Verdict.REQUEST_CHANGES and not note:
            self.add_error("note", "Say what should change.")
        if verdict == Decision.Verdict.REJECT and not note and "note" not in self.errors:
            self.add_error("note", "Say in a sentence why it is rejected.")
        if verdict == Decision.Verdict.REJECT and not word.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Choose why it is rejected.")
        if word.get("start") == OWN_SHARES and not word.get("shares") and "shares" not in self.errors:
            self.add_error("shares", GIVE_SHARES)
        return word

    @property
    def start_of(self) -> tuple[str, tuple[int, ...]]:
        """How it is to take effect, and by which shares where others than the plan's were typed."""
        chosen = self.cleaned_data["start"]
        return ("canary", tuple(self.cleaned_data["shares"])) if chosen == OWN_SHARES else (chosen, ())


class AmendForm(TypedForm):
    """A new wording of the text under review, bound to the revision and the version it started from."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    base = base_field(required=False)
    title = title_field()
    text = text_field("Text")
    note = note_field("What you changed", "One line for the history", rows=2)
    again = again_field()


class ReplyForm(TypedForm):
    """A few sentences in a talk, and perhaps a wording for its lines; `over` is the SHA-256 of those lines."""

    text = forms.CharField(
        label="Reply", required=False, max_length=Comment.MAX_TEXT, widget=Textarea(attrs={"rows": 3})
    )
    suggestion = forms.CharField(
        label="Wording",
        required=False,
        strip=False,
        max_length=MAX_SUGGESTION,
        widget=Textarea(attrs={"rows": 3, "class": "wording"}),
    )
    over = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and "suggestion" not in self.data:
            del self.fields["suggestion"], self.fields["over"]

    def for_lines(self, lines: str | None) -> Self:
        """Suggest over these lines, also what was typed over earlier ones; None, or too long ones, take no wording."""
        if self.is_bound:
            self.data = {**dict(self.data.items()), "over": sha256(lines or "")}
        elif lines is None or len(lines) > MAX_SUGGESTION:
            del self.fields["suggestion"], self.fields["over"]
        else:
            self.initial = {"suggestion": lines.removesuffix("\n"), **self.initial, "over": sha256(lines)}
        return self

    @property
    def wording(self) -> Wording | None:
        """What was typed over the lines; None where nothing could be."""
        if "suggestion" not in self.data:
            return None
        return Wording(self.cleaned_data["suggestion"], self.cleaned_data["over"])


class CommentForm(ReplyForm):
    """A comment on the lines `line` to `end` of one side of a revision."""

    revision = forms.IntegerField(min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput)
    side = forms.ChoiceField(choices=Thread.Side.choices, widget=forms.HiddenInput)
    line = forms.IntegerField(min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput)
    end = forms.IntegerField(min_value=1, max_value=MAX_NUMBER, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = "Comment"
        self.auto_id = f"{self.key}_%s"

    @property
    def key(self) -> str:
        """Tells the forms of several lines on one page apart."""
        line = str(self["line"].value())[:9]
        return f"on-{'old' if self['side'].value() == 'old' else 'new'}-{line if line.isdigit() else 0}"


class MergeRulesForm(forms.Form):
    """Which new rule takes which old one's place, in the revision with this digest."""

    digest = forms.CharField(max_length=64)
    line = forms.IntegerField(min_value=1)
    other = forms.IntegerField(min_value=1)


class ProposeForm(TypedForm):
    """A change somebody wants, with its reason."""

    base = base_field()
    title = title_field()
    rationale = note_field("Why the change is needed", "What goes wrong, for whom, how often")
    text = text_field("Text")
    again = again_field()

    def clean(self) -> dict[str, Any]:
        """All that is wanting at once; the action holds the rule."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        if not typed.get("title") and "title" not in self.errors:
            self.add_error("title", "Give the change a title.")
        if not typed.get("rationale") and "rationale" not in self.errors:
            self.add_error("rationale", "Say why the change is needed.")
        return typed

    def refuse(self, field: str, message: str) -> None:
        super().refuse("text" if field == "content" else field, message)


class RollBackForm(TypedForm):
    """Which version was seen as current, and why to leave it."""

    current = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = note_field("Why", "What went wrong; it stays with the version")


class CompareForm(forms.Form):
    """Any two versions of one document."""

    def __init__(self, *args: Any, newest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none = f"There are versions 1 to {newest:,}." if newest > 1 else "There is only version 1."
        wrong = {"min_value": none, "max_value": none, "invalid": none}
        for name, label in (("from", "From version"), ("to", "to version")):
            self.fields[name] = forms.IntegerField(
                label=label, min_value=1, max_value=newest, error_messages=wrong, localize=False
            )
