"""Nobody lifts the protection of a section alone."""

import pytest
from pytest_django import Settings

from agents.lifting import CannotLift, ask, confirm, keep
from agents.models import Document, Section
from agents.protection import protect
from agents.reach import OutOfReach
from agents.teams import give_to_team
from audit.models import AuditEntry
from audit.record import COMMAND_LINE, SYSTEM
from audit.wording import in_words
from people import accounts
from people.models import User
from people.roles import Role
from people.signin import create_person
from people.teams import create_team


@pytest.fixture
def safety(prompt: Document, mara: User) -> Section:
    """A section that Mara owns."""
    return protect(prompt, "Safety", owners=[mara], actor=SYSTEM)


@pytest.fixture
def noor(db: None) -> User:
    """Another admin."""
    return create_person("noor", name="Noor Vermeer", roles=[Role.ADMIN])


def is_protected() -> bool:
    return Section.objects.get().is_protected


def verbs() -> list[str]:
    return list(AuditEntry.objects.filter(verb__startswith="section.").order_by("pk").values_list("verb", flat=True))


@pytest.mark.parametrize("other", ["mara", "noor"])
def test_one_asks_and_an_owner_or_another_admin_confirms(
    safety: Section, ada: User, mara: User, noor: User, other: str
) -> None:
    assert not ask(safety.pk, user=ada)
    assert is_protected()
    with pytest.raises(CannotLift, match="somebody else confirms"):
        confirm(safety.pk, user=ada)
    confirm(safety.pk, user=User.objects.get(username=other))
    assert not is_protected()
    assert verbs() == ["section.protected", "section.unprotect_asked", "section.unprotected"]
    with pytest.raises(CannotLift, match="not protected any more"):
        confirm(safety.pk, user=noor)


def test_only_an_admin_asks_and_only_who_has_a_say_answers(
    safety: Section, ada: User, mara: User, jonas: User, noor: User
) -> None:
    with pytest.raises(CannotLift, match="role admin"):
        ask(safety.pk, user=mara)
    with pytest.raises(CannotLift, match="Nobody asks"):
        confirm(safety.pk, user=mara)
    ask(safety.pk, user=ada)
    with pytest.raises(CannotLift, match="Ada Brandt asks for it already"):
        ask(safety.pk, user=noor)
    for act in (confirm, keep):
        with pytest.raises(CannotLift, match="Only an admin or an owner"):
            act(safety.pk, user=jonas)
    assert is_protected()


@pytest.mark.parametrize("who", ["ada", "mara"])
def test_the_wish_is_taken_back_or_turned_down(safety: Section, ada: User, mara: User, noor: User, who: str) -> None:
    ask(safety.pk, user=ada)
    keep(safety.pk, user=User.objects.get(username=who))
    assert verbs()[-1] == "section.unprotect_refused"
    with pytest.raises(CannotLift, match="Nobody asks"):
        confirm(safety.pk, user=noor)
    assert is_protected()


def test_who_is_no_admin_any_more_asked_for_nothing(safety: Section, ada: User, mara: User, noor: User) -> None:
    ask(safety.pk, user=ada)
    accounts.deactivate(ada.pk, actor=COMMAND_LINE)
    with pytest.raises(CannotLift, match="may not ask for it any more"):
        confirm(safety.pk, user=mara)
    assert is_protected()


def test_other_owners_are_asked_anew(safety: Section, prompt: Document, ada: User, mara: User, jonas: User) -> None:
    ask(safety.pk, user=ada)
    protect(prompt, "Safety", owners=[jonas], actor=SYSTEM)
    with pytest.raises(CannotLift, match="Nobody asks"):
        confirm(safety.pk, user=jonas)


def test_another_teams_section_is_not_there(safety: Section, ada: User, mara: User) -> None:
    ask(safety.pk, user=ada)
    team = create_team("Payments", members=[ada], actor=SYSTEM)
    give_to_team(safety.document.agent_id, team.pk, actor=SYSTEM)
    with pytest.raises(OutOfReach):
        confirm(safety.pk, user=mara)


def test_on_a_board_of_one_person_asking_is_enough_and_marked(safety: Section, ada: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    assert ask(safety.pk, user=ada)
    assert not is_protected()
    entry = AuditEntry.objects.get(verb="section.unprotected")
    assert "under the single-operator setting" in in_words(entry).details
