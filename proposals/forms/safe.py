"""What people type about what may start by itself."""

from typing import Any

from django import forms
from django.forms import BoundField

from proposals.forms.proposals import TypedForm
from proposals.safe import BadRules, Bounds, Category, Rules
from proposals.safe.rules import MOST_FACTOR

_LONGEST = 2_000


def _listed(label: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=_LONGEST, widget=widget)


def _number(label: str, *, required: bool = False) -> forms.FloatField:
    return forms.FloatField(label=label, required=required, min_value=0, max_value=10**9)


class SafeForm(TypedForm):
    """Kinds of settings, each with its bounds."""

    retry = forms.BooleanField(label="Retries", required=False)
    retry_factor = _number("At most so many times as much, or as little")
    retry_lowest = _number("Never below")
    retry_highest = _number("Never above")
    retry_keys = _listed("Only these keys")
    threshold = forms.BooleanField(label="Thresholds", required=False)
    threshold_factor = _number("At most so many times as much, or as little")
    threshold_lowest = _number("Never below")
    threshold_highest = _number("Never above")
    threshold_keys = _listed("Only these keys")
    routing = forms.BooleanField(label="Routing", required=False)
    routing_names = _listed("From one of these names to another")
    routing_keys = _listed("Only these keys")
    per_day = forms.IntegerField(label="Starts of this agent in 24 hours, at most", min_value=0, max_value=10**6)
    rest_h = _number("Hours of rest after something was taken back", required=True)
    agents_too = forms.BooleanField(label="Also what agents propose over the API", required=False)

    @classmethod
    def of(cls, rules: Rules | None) -> "SafeForm":
        """What the fields say of these rules; of none, what is usual, with nothing allowed."""
        usual: dict[str, Any] = {"per_day": 1, "rest_h": 24, "retry_factor": 2, "threshold_factor": 1.25}
        if rules is None:
            return cls(initial=usual)
        said = usual | {"per_day": rules.per_day, "rest_h": f"{rules.rest_h:g}", "agents_too": rules.agents_too}
        for one, bounds in rules.allowed.items():
            said |= {
                one.value: True,
                f"{one}_factor": f"{bounds.factor:g}",
                f"{one}_lowest": bounds.lowest,
                f"{one}_highest": bounds.highest,
                f"{one}_names": ", ".join(bounds.names),
                f"{one}_keys": ", ".join(bounds.keys),
            }
        return cls(initial=said)

    @property
    def kinds(self) -> list[tuple[str, BoundField, dict[str, BoundField]]]:
        """For the page: what each kind is, its box to tick, and the fields below it by what they bound."""
        return [
            (
                one.words,
                self[one.value],
                {name.partition("_")[2]: self[name] for name in self.fields if _is_of(one, name)},
            )
            for one in Category
        ]

    @property
    def rules(self) -> Rules:
        """The rules typed into valid fields. Raises BadRules."""
        typed = self.cleaned_data
        allowed = {one: self._bounds(one) for one in Category if typed[one.value]}
        return Rules(allowed, per_day=typed["per_day"], rest_h=typed["rest_h"], agents_too=typed["agents_too"])

    def _bounds(self, category: Category) -> Bounds:
        typed = {name: self.cleaned_data.get(f"{category}_{name}") for name in ("lowest", "highest", "names", "keys")}
        names, keys, factor = _split(typed["names"]), _split(typed["keys"]), self.cleaned_data.get(f"{category}_factor")
        if factor is None and category != Category.ROUTING:
            raise BadRules(f"{category}_factor", f"Give a number above 1, and at most {MOST_FACTOR:g}.")
        try:
            return Bounds(factor or Bounds().factor, typed["lowest"], typed["highest"], names, keys)
        except BadRules as bad:
            raise BadRules(f"{category}_{bad.field}", str(bad)) from None


def _is_of(category: Category, name: str) -> bool:
    return name.startswith(f"{category}_")


def _split(given: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((given or "").replace(",", " ").split()))
