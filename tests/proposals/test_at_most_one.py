"""What most proposals lack reads as None; to the database and its migrations it is a plain one-to-one."""

import pytest
from django.db import models
from pytest_django import DjangoAssertNumQueries

from agents.models import Document
from people.models import User
from proposals.models import Bypass
from tests.cast import propose

pytestmark = pytest.mark.django_db


def test_a_proposal_that_nobody_bypassed_has_none(prompt: Document, aiko: User) -> None:
    proposal = propose(prompt, aiko)
    assert proposal.bypass is None
    assert proposal.self_start is None


def test_what_was_joined_in_and_is_not_there_asks_nothing_more(
    prompt: Document, aiko: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    proposal = propose(prompt, aiko)
    found = type(proposal).objects.select_related("bypass").get(pk=proposal.pk)
    with django_assert_num_queries(0):
        assert found.bypass is None


def test_migrations_see_a_plain_one_to_one() -> None:
    field = Bypass._meta.get_field("proposal")
    assert field.deconstruct()[1] == f"django.db.models.{models.OneToOneField.__name__}"
