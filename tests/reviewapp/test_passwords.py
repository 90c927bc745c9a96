"""Words that lie at hand make no password."""

import time

import pytest
from django.contrib.auth.password_validation import get_default_password_validators, validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.models import Agent
from agents.teams import give_to_team
from audit.record import COMMAND_LINE
from people.models import Team, User
from reviewapp.passwords import NotFromWordsAtHand, folded


@pytest.fixture(autouse=True)
def names_of_this_board(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["board.zebrafinch.example", "127.0.0.1", "testserver"]
    settings.COUNTERSIGN_ADDRESS = "https://reviews.example"
    settings.COUNTERSIGN_OIDC_NAME = "Example Inc."
    settings.COUNTERSIGN_PASSWORD_WORDS = ["Blue Heron"]


def is_refused(password: str, user: User | None = None) -> bool:
    try:
        NotFromWordsAtHand().validate(password, user)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    "password",
    [
        "countersign2026!",
        "Counter-Sign-1234",
        "C0unt3rs1gn!!!!!",
        "zebrafinch.2026",
        "reviews.example9",
        "BLUEHERON-123",
        "blue_and_heron7",
        "ExampleInc#12345",
        "mara.okafor.99",
        "Ökafór12345",
        "mara@mail.example",
        "Support-Agent-77",
        "supportsupport",
    ],
)
def test_names_of_the_board_of_agents_and_of_oneself_are_no_password(mara: User, support: Agent, password: str) -> None:
    mara.email = "mara@mail.example"
    assert is_refused(password, mara)


@pytest.mark.parametrize("password", ["countersign of the third moon", "kT9-fumble-orchid", "!!!!!!!!!!", "1234567890"])
def test_what_holds_more_than_such_words_is_left_to_the_other_rules(mara: User, password: str) -> None:
    assert not is_refused(password, mara)


def test_short_words_are_in_everything_and_so_not_looked_for(mara: User) -> None:
    mara.name, mara.username = "Bo", "bo"
    assert not is_refused("bobolibo99", mara)


def test_names_that_somebody_does_not_see_are_not_told_by_refusals(mara: User, jonas: User, support: Agent) -> None:
    team = Team.objects.create(name="Pelican")
    team.members.add(jonas)
    give_to_team(support.pk, team.pk, actor=COMMAND_LINE)
    for password in ("pelican-1234", "support-1234"):
        assert (is_refused(password, User.objects.get(pk=jonas.pk)), is_refused(password, mara)) == (True, False)


def test_it_is_asked_wherever_a_password_is_set(client: Client, mara: User) -> None:
    assert any(isinstance(one, NotFromWordsAtHand) for one in get_default_password_validators())
    client.force_login(mara)
    session = client.session
    session["proved_at"] = time.time()
    session.save()
    sent = {"password1": "countersign2026!", "password2": "countersign2026!"}
    answer = client.post(reverse("account_set_password"), sent)
    assert "built from a name of the board" in answer.text
    with pytest.raises(ValidationError):
        validate_password("countersign2026!", None)


def test_spellings_are_seen_through() -> None:
    assert folded("C0únt-3r $1gn") == "countersign"
