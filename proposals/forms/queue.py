"""What people type and choose around the queue."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.contrib.auth.models import Group
from django.utils.functional import cached_property

from agents.compiled import Compiled
from people.models import Team, User
from people.roles import holders
from proposals.actions.assignments import DECIDE, Asked, roles_to_ask
from proposals.actions.attention import LONGEST_NAME
from proposals.forms.proposals import TypedForm

_OFFERED: Final = 500
_PEOPLE: Final = Compiled(lambda: holders(DECIDE).values_list("pk", "name", "username")[:_OFFERED])
_TEAMS: Final = Compiled(lambda: Team.objects.filter(is_active=True)[:_OFFERED])


class AssignForm(TypedForm):
    """Somebody who decides: a person, or a role or team for any of its people."""

    def __init__(self, *args: Any, teams: Iterable[Team] | None = None, **kwargs: Any) -> None:
        """`teams` are those there are, where they are known."""
        super().__init__(*args, **kwargs)
        people = _PEOPLE.ask()
        there = _TEAMS.ask() if teams is None else teams
        choices = {
            "People": [(f"person:{pk}", name or username) for pk, name, username in people],
            "Teams": [(f"team:{team.pk}", str(team)) for team in there],
            "Roles": [(f"role:{name}", f"Any {name}") for name in sorted(roles_to_ask())],
        }
        self.fields["to"] = forms.ChoiceField(
            label="Assign to",
            choices=[("", "Choose who"), *((kind, offered) for kind, offered in choices.items() if offered)],
            error_messages={"required": "Choose somebody.", "invalid_choice": "Choose somebody who decides."},
        )

    @cached_property
    def to(self) -> Asked:
        """Who was chosen."""
        kind, _, which = self.cleaned_data["to"].partition(":")
        match kind:
            case "person":
                return User.objects.get(pk=which)
            case "team":
                return Team.objects.get(pk=which)
        return Group.objects.get(name=which)

    @property
    def asked(self) -> str:
        """The same in words: “Jonas Weber”, “any reviewer”, “team Billing”."""
        match self.to:
            case User():
                return str(self.to)
            case Team():
                return f"team {self.to}"
        return f"any {self.to}"


class NameForm(TypedForm):
    """A name for a filter."""

    name = forms.CharField(label="Name", required=False, max_length=LONGEST_NAME)
