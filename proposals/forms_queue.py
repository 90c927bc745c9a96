"""What people type and choose around the queue."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from people.models import User
from people.roles import holders
from proposals.actions.assignments import DECIDE, roles_to_ask
from proposals.actions.attention import LONGEST_NAME
from proposals.forms import TypedForm

_OFFERED = 500


class AssignForm(TypedForm):
    """Somebody who decides: a person, or a role for any of its people."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people, roles = holders(DECIDE)[:_OFFERED], Group.objects.filter(name__in=roles_to_ask()).order_by("name")
        self._known: dict[str, User | Group] = {f"person:{person.pk}": person for person in people}
        named = [(value, str(person)) for value, person in self._known.items()]
        asked = [(f"role:{role.pk}", f"Any {role.name}") for role in roles]
        self._known |= {f"role:{role.pk}": role for role in roles}
        choices = [("", "Choose who"), ("People", named), ("Roles", asked)]
        self.fields["to"] = forms.ChoiceField(
            label="Assign to",
            choices=choices,
            error_messages={"required": "Choose somebody.", "invalid_choice": "Choose somebody who decides."},
        )

    @property
    def to(self) -> User | Group:
        """Who was chosen."""
        return self._known[self.cleaned_data["to"]]


class NameForm(TypedForm):
    """A name for a filter."""

    name = forms.CharField(label="Name", required=False, max_length=LONGEST_NAME)
