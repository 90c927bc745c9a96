"""What people type about rollouts: acts on one, the plan of a document, the switch that freezes everything."""

from typing import Any

from django import forms

from agents.models import Document
from proposals.forms.proposals import GIVE_SHARES, MAX_NOTE, TypedForm, note_field, numbers
from proposals.rules.plans import BUILT_IN, INCONCLUSIVE, STARTS, BadPlan, Plan, steps_of

_BIGGEST = 2**31 - 1


class ActForm(TypedForm):
    """What to do with a rollout; `epoch` is the one that was shown."""

    ACTS = ("promote", "stop", "roll_back", "share")

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS], widget=forms.HiddenInput)
    epoch = forms.IntegerField(min_value=0, max_value=_BIGGEST, widget=forms.HiddenInput)
    reason = note_field("Why", "Needed to stop it or to roll it back")
    share = forms.IntegerField(label="Share, in percent", required=False, min_value=0, max_value=_BIGGEST)

    def clean(self) -> dict[str, Any]:
        """A share where one is set; the actions hold the rules."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        if typed.get("act") == "share" and typed.get("share") is None and "share" not in self.errors:
            self.add_error("share", "Give the share in percent.")
        return typed


class FreezeForm(TypedForm):
    """Why everything is frozen, or let go again."""

    reason = forms.CharField(
        label="Why", required=False, max_length=MAX_NOTE, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


def _number(
    label: str, kind: type[forms.IntegerField] = forms.IntegerField, most: int = _BIGGEST
) -> forms.IntegerField:
    """One number; what is wrong with it names the field, for the form has many."""
    wrong = {"required": f"{label}: give a number.", "invalid": f"{label}: give a number."}
    return kind(label=label, min_value=0, max_value=most, error_messages=wrong)


class PlanForm(TypedForm):
    """How the candidates of a document are rolled out."""

    document = forms.ModelChoiceField(
        Document.objects.select_related("agent").order_by("agent__name", "pk"),
        label="Document",
        required=False,
        empty_label="All documents without a plan of their own",
    )
    start = forms.ChoiceField(label="Approving", choices=list(STARTS.items()))
    at_once_allowed = forms.BooleanField(label="Releasing at once may be chosen", required=False)
    steps = numbers("Shares, in percent", int, GIVE_SHARES)
    least_runs = numbers("Runs of the candidate at least", int, "Give whole numbers: one, or one for each share.")
    hold_h = numbers("Hours at least", float, "Give numbers: one, or one for each share.")
    floor = _number("Lowest share")
    ceiling = _number("Highest share")
    largest_step = _number("Largest step, in points")
    inconclusive = forms.ChoiceField(label="Without a clear verdict", choices=[
        (name, words[:1].upper() + words[1:]) for name, words in INCONCLUSIVE.items()
    ])  # fmt: skip
    patience_days = _number("After so many days", forms.FloatField)
    rules = forms.ChoiceField(
        label="Rules", choices=[("sequential", "The judge"), ("quick", "Quick rules of the last 20 runs")]
    )
    margin = _number("Points lost that still count as no worse", forms.FloatField, most=100)
    unsafe_margin = _number("Points more unsafe reports that still count as no worse", forms.FloatField, most=100)
    runs_per_unit = _number("Runs of a unit that count")

    @classmethod
    def of(cls, plan: Plan = BUILT_IN, document: Document | None = None) -> "PlanForm":
        """What the fields say of this plan."""
        start: dict[str, Any] = plan.to_json()
        start |= {
            "document": document,
            "steps": ", ".join(str(step.share) for step in plan.steps),
            "least_runs": ", ".join(str(step.least_runs) for step in plan.steps),
            "hold_h": ", ".join(f"{step.hold_h:g}" for step in plan.steps),
        }
        return cls(initial=start)

    @property
    def plan(self) -> Plan:
        """The plan typed into valid fields. Raises BadPlan."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "document"}
        if not typed["steps"]:
            raise BadPlan("steps", "Give at least one share.")
        steps = steps_of(typed.pop("steps"), typed.pop("least_runs"), typed.pop("hold_h"))
        plan = Plan(steps=steps, **typed)
        plan.expect_time_for_complaints()
        return plan
