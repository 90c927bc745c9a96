"""Querysets that are compiled once, beside the same asked afresh."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import CharField, Count, Q, QuerySet, Value
from django.db.models.functions import Concat

from agents.compiled import Compiled, Given, hold, key, keys
from people.models import Team, User


def people() -> list[User]:
    made = [User.objects.create(username=name, name=name.title()) for name in ("ann", "bea", "cy")]
    made[0].groups.add(Group.objects.get_or_create(name="reviewer")[0])
    return made


def named(name: Any) -> "QuerySet[User]":
    return User.objects.filter(Q(username=name) | Q(name__startswith="B", pk=0)).order_by("pk")


def member_of(team: Any) -> "QuerySet[User]":
    return User.objects.filter(teams=team).annotate(roles=Count("groups")).prefetch_related("groups").order_by("pk")


@pytest.mark.django_db
def test_it_finds_what_the_queryset_finds_for_each_value() -> None:
    people()
    compiled = Compiled(lambda: named(Given("name", CharField())))
    for name in ("ann", "bea", "nobody", "it’s %s; '--"):
        assert compiled.ask(name=name) == list(named(name))


@pytest.mark.django_db
def test_annotations_and_prefetched_relations_come_along(django_assert_num_queries: Any) -> None:
    ann, bea, _ = people()
    team = Team.objects.create(name="Billing")
    team.members.add(ann, bea)
    compiled = Compiled(lambda: member_of(key("team")))
    compiled.ask(team=team.pk)
    with django_assert_num_queries(2):
        found = compiled.ask(team=team.pk)
        assert [(one.username, one.roles, len(one.groups.all())) for one in found] == [("ann", 1, 1), ("bea", 0, 0)]  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_rows_of_values_stay_rows_of_values() -> None:
    made = people()
    pairs = Compiled(lambda: User.objects.filter(**{"pk__any_of": keys("keys")}).values_list("pk", "name"))
    flat = Compiled(lambda: User.objects.filter(**{"pk__any_of": keys("keys")}).values_list("name", flat=True))
    wanted = [one.pk for one in made[:2]]
    assert sorted(pairs.ask(keys=wanted)) == [(made[0].pk, "Ann"), (made[1].pk, "Bea")]
    assert sorted(flat.ask(keys=wanted)) == ["Ann", "Bea"]
    assert flat.ask(keys=[]) == []


@pytest.mark.django_db
def test_percent_signs_of_its_own_are_left_alone_and_nothing_has_to_be_given() -> None:
    people()
    marked = Concat("name", Value(" 100 %"), output_field=CharField())
    compiled = Compiled(lambda: User.objects.filter(name__contains="n").annotate(marked=marked).order_by("pk"))
    assert [one.marked for one in compiled.ask()] == ["Ann 100 %"]


@pytest.mark.django_db
def test_held_rows_are_the_relation_and_know_their_owner(django_assert_num_queries: Any) -> None:
    ann, *_ = people()
    saved = [ann.saved_filters.create(name=name, query="") for name in ("a", "b")]
    fresh, rows = User.objects.get(pk=ann.pk), list(type(saved[0]).objects.filter(user=ann).order_by("name"))
    with django_assert_num_queries(0):
        hold(fresh, "saved_filters", rows)
        assert [one.name for one in fresh.saved_filters.all()] == ["a", "b"]
        assert all(one.user is fresh for one in fresh.saved_filters.all())
    assert fresh.saved_filters.filter(name="b").count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_after_a_rollback_and_on_another_connection() -> None:
    people()
    compiled = Compiled(lambda: named(Given("name", CharField())))
    with transaction.atomic():
        assert len(compiled.ask(name="ann")) == 1
        transaction.set_rollback(True)
    assert len(compiled.ask(name="ann")) == 1
    connection.close()
    assert len(compiled.ask(name="ann")) == 1


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_get_their_own_answers() -> None:
    names = [one.username for one in people()]
    compiled = Compiled(lambda: named(Given("name", CharField())))

    def ask(name: str) -> list[str]:
        try:
            return [one.username for _ in range(20) for one in compiled.ask(name=name)]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(names)) as threads:
        assert list(threads.map(ask, names)) == [[name] * 20 for name in names]
