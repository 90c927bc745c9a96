"""Passwords are not built from words that lie at hand here; docs/operators.md lists them."""

import unicodedata
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F

from agents.models import Agent
from people.models import User

SHORTEST: Final = 4
"""Letters and digits of a word that is looked for; shorter ones are in everything."""
ENOUGH: Final = 8
"""So many letters and digits beside such words make a password of its own."""
_OWN: Final = ("countersign",)
_ALIKE: Final = str.maketrans("013457@$!", "oieastasi")


class NotFromWordsAtHand:
    """Refuses a password that is such words and little else, however they are spelt.

    It never says which word it was: nor does it look for the names of agents and teams that the person does not see, or
    trying passwords would tell of them.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        left = folded(password)
        for word in sorted(words(user), key=len, reverse=True):
            left = left.replace(word, " ")
        if " " in left and sum(map(str.isalnum, left)) < ENOUGH:
            raise ValidationError(
                "This password is built from a name of the board, of your organisation, of an agent or team, or of "
                "your own. Add something else to it, or take another.",
                code="password_of_words_at_hand",
            )

    def get_help_text(self) -> str:
        """As Django's own validators have it."""
        return "Your password cannot be built from names of the board, its agents and teams, or your own."


def folded(text: str) -> str:
    """Its letters and digits alone: in lower case, without accents, with digits that stand for letters as these."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_ALIKE)
    return "".join(char for char in plain if char.isalnum())


def words(user: Any) -> set[str]:
    """All that this person's password is not to be built from, folded: names as a whole and each word of them."""
    parts = (part for name in _names(user) for part in (name, *"".join(map(_or_blank, name)).split()))
    return {word for word in map(folded, parts) if len(word) >= SHORTEST}


def _or_blank(char: str) -> str:
    return char if char.isalnum() else " "


def _names(user: Any) -> Iterator[str]:
    yield from _OWN
    yield from settings.COUNTERSIGN_PASSWORD_WORDS
    yield settings.COUNTERSIGN_OIDC_NAME
    yield from settings.ALLOWED_HOSTS
    yield urlsplit(settings.COUNTERSIGN_ADDRESS).hostname or ""
    if isinstance(user, User):
        yield from (user.username, user.name, user.email)
        if user.pk:
            yield from user.teams.values_list("name", flat=True)
            for names in Agent.objects.for_person(user).values_list("slug", "name", F("team__name")):
                yield from filter(None, names)
