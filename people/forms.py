"""What admins type about people."""

from typing import Any, Final

from django import forms
from django.db.models import Q

from people.exceptions import PeopleError
from people.models import Team, User
from people.roles import DESCRIPTIONS, Role

_ROLES: Final = [(role.value, f"{role.capitalize()}: {DESCRIPTIONS[role]}") for role in Role]


class RolesForm(forms.Form):
    """A person's name and roles."""

    use_required_attribute = False

    name = forms.CharField(
        label="Name, as shown beside decisions",
        max_length=120,
        error_messages={"required": "Give a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    roles = forms.MultipleChoiceField(
        label="Roles", required=False, choices=_ROLES, widget=forms.CheckboxSelectMultiple
    )

    def clean_roles(self) -> list[Role]:
        return [Role(value) for value in self.cleaned_data["roles"]]

    def refuse(self, refusal: PeopleError) -> None:
        """Show what an action refused beside its field."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


class PersonForm(RolesForm):
    """A new person."""

    field_order = ("username", "name", "roles")

    username = forms.CharField(
        label="Username, for signing in",
        max_length=150,
        error_messages={"required": "Give a username."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


def roles_form_of(person: User) -> RolesForm:
    """The form as it is before anything was changed."""
    return RolesForm(initial={"name": person.name, "roles": [group.name for group in person.groups.all()]})


class TeamForm(forms.Form):
    """A team: what it is called, and who is in it."""

    use_required_attribute = False

    name = forms.CharField(
        label="Name",
        max_length=80,
        error_messages={"required": "Give the team a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.none(), label="Members", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = Q(is_active=True) | Q(teams=team) if team else Q(is_active=True)
        people = User.objects.filter(offered).distinct().order_by("name", "username")
        self.fields["members"].queryset = people  # type: ignore[attr-defined]

    def refuse(self, refusal: PeopleError) -> None:
        """Show what an action refused beside its field."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


def team_form_of(team: Team) -> TeamForm:
    """The form as it is before anything was changed."""
    return TeamForm(initial={"name": team.name, "members": team.members.all()}, team=team)
