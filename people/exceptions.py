"""What can be wrong with a wish about people. Knows nothing of HTTP."""


class PeopleError(Exception):
    """Base of this app's refusals; the message is fit to be shown, beside the field it is about if there is one."""

    field = ""


class BadUsername(PeopleError):
    """Nobody can be called that, or somebody is already."""

    field = "username"


class LastAdmin(PeopleError):
    """Without this admin nobody could manage the board any more."""

    field = "roles"

    def __init__(self) -> None:
        super().__init__("This is the only active admin. Make somebody else an admin first.")


class Deactivated(PeopleError):
    """Somebody whose account is deactivated cannot sign in."""


class BadTeamName(PeopleError):
    """No team can be called that, or one is already."""

    field = "name"


class TeamError(PeopleError):
    """The team cannot be changed like that."""
