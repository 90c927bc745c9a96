"""What people type and choose around the queue."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.functional import cached_property

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
        people = holders(DECIDE).values_list("pk", "name", "username")[:_OFFERED]
        named = [(f"person:{pk}", name or username) for pk, name, username in people]
        roles = Group.objects.filter(name__in=roles_to_ask()).order_by("name").values_list("pk", "name")
        asked = [(f"role:{pk}", f"Any {name}") for pk, name in roles]
        choices = [("", "Choose who"), ("People", named), ("Roles", asked)]
        self.fields["to"] = forms.ChoiceField(
            label="Assign to",
            choices=choices,
            error_messages={"required": "Choose somebody.", "invalid_choice": "Choose somebody who decides."},
        )

    @cached_property
    def to(self) -> User | Group:
        """Who was chosen."""
        kind, _, pk = self.cleaned_data["to"].partition(":")
        return User.objects.get(pk=pk) if kind == "person" else Group.objects.get(pk=pk)


class NameForm(TypedForm):
    """A name for a filter."""

    name = forms.CharField(label="Name", required=False, max_length=LONGEST_NAME)
