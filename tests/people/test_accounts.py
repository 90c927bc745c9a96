"""Accounts: who they are, what they may, whether they are let in; each change on the log, and never a lock-out."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEntry
from audit.record import COMMAND_LINE, Actor
from people import accounts
from people.exceptions import BadUsername, LastAdmin, PeopleError
from people.models import User
from people.roles import Role
from people.signin import create_person


def entries(verb: str) -> list[dict[str, Any]]:
    return [entry.fact for entry in AuditEntry.objects.filter(verb=verb).order_by("pk")]


def roles_of(person: User) -> set[str]:
    return set(User.objects.get(pk=person.pk).groups.values_list("name", flat=True))


def test_a_person_is_made_with_roles_and_on_the_log(ada: User) -> None:
    made = accounts.create_person("noor", name="Noor Vermeer", roles=[Role.REVIEWER], actor=Actor.person(ada))
    assert roles_of(made) == {"reviewer"}
    assert not made.has_usable_password()
    entry = entries("person.created")[-1]
    assert (entry["actor_label"], entry["target_label"]) == ("Ada Brandt", "Noor Vermeer")
    assert entry["after"] == {"username": "noor", "name": "Noor Vermeer", "roles": ["reviewer"]}


@pytest.mark.parametrize("username", ["", "two words", "x" * 151, "a/b", "mara", "MARA"])
def test_bad_and_taken_usernames_are_refused(mara: User, username: str) -> None:
    with pytest.raises(BadUsername):
        create_person(username, name="Somebody", roles=[])
    assert User.objects.count() == 1


def test_roles_are_set_exactly_and_the_log_has_both_sides(ada: User, mara: User) -> None:
    actor = Actor.person(ada)
    assert accounts.set_roles(mara.pk, [Role.OPERATOR, Role.AUDITOR], actor=actor)
    assert roles_of(mara) == {"operator", "auditor"}
    entry = entries("person.roles_set")[-1]
    assert (entry["before"], entry["after"]) == ({"roles": ["reviewer"]}, {"roles": ["auditor", "operator"]})
    assert not accounts.set_roles(mara.pk, [Role.AUDITOR, Role.OPERATOR], actor=actor)
    assert len(entries("person.roles_set")) == 1


def test_a_new_role_counts_at_once(mara: User) -> None:
    accounts.set_roles(mara.pk, [Role.AUDITOR], actor=COMMAND_LINE)
    assert not User.objects.get(pk=mara.pk).has_perm("proposals.decide_proposal")


def test_a_person_is_deactivated_and_reactivated_once(mara: User, ada: User) -> None:
    actor = Actor.person(ada)
    assert accounts.deactivate(mara.pk, actor=actor)
    assert not accounts.deactivate(mara.pk, actor=actor)
    assert not User.objects.get(pk=mara.pk).is_active
    assert accounts.reactivate(mara.pk, actor=actor)
    assert not accounts.reactivate(mara.pk, actor=actor)
    assert roles_of(mara) == {"reviewer"}
    assert [e["after"] for e in entries("person.deactivated") + entries("person.reactivated")] == [
        {"active": False},
        {"active": True},
    ]


def test_a_new_name_is_kept_with_the_old_one_on_the_log(mara: User) -> None:
    assert accounts.rename(mara.pk, "Mara Weber", actor=COMMAND_LINE)
    assert not accounts.rename(mara.pk, "Mara Weber", actor=COMMAND_LINE)
    (entry,) = entries("person.renamed")
    assert (entry["before"], entry["after"]) == ({"name": "Mara Okafor"}, {"name": "Mara Weber"})


def test_the_last_active_admin_cannot_go(ada: User, mara: User) -> None:
    gone = create_person("bo", name="Bo", roles=[Role.ADMIN])
    accounts.deactivate(gone.pk, actor=COMMAND_LINE)
    with pytest.raises(LastAdmin):
        accounts.deactivate(ada.pk, actor=COMMAND_LINE)
    with pytest.raises(LastAdmin):
        accounts.set_roles(ada.pk, [Role.REVIEWER], actor=COMMAND_LINE)
    assert User.objects.get(pk=ada.pk).is_active
    assert roles_of(ada) == {"admin"}
    assert accounts.set_roles(ada.pk, [Role.ADMIN, Role.AUDITOR], actor=COMMAND_LINE)
    assert not entries("person.roles_set")[1:]


def test_an_admin_can_go_when_there_is_another(ada: User) -> None:
    create_person("bo", name="Bo", roles=[Role.ADMIN])
    assert accounts.set_roles(ada.pk, [], actor=COMMAND_LINE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", ["deactivate", "demote"])
def test_two_admins_who_remove_each_other_at_once_leave_one(deed: str) -> None:
    pair = [create_person(name, name=name, roles=[Role.ADMIN]) for name in ("ada", "bo")]
    for _ in range(20):
        results = _at_once(deed, pair[0].pk, pair[1].pk)
        admins = User.objects.filter(is_active=True, groups__name=Role.ADMIN)
        assert admins.count() == 1
        assert sorted(results) == ["done", "refused"]
        for person in pair:
            accounts.reactivate(person.pk, actor=COMMAND_LINE)
            accounts.set_roles(person.pk, [Role.ADMIN], actor=COMMAND_LINE)


def _at_once(deed: str, *people: int) -> list[str]:
    barrier = Barrier(len(people))

    def remove(pk: int) -> str:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            if deed == "deactivate":
                accounts.deactivate(pk, actor=COMMAND_LINE)
            else:
                accounts.set_roles(pk, [], actor=COMMAND_LINE)
        except PeopleError:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(remove, people))
