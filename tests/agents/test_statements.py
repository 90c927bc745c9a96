"""Statements that a connection keeps prepared, beside those that psycopg keeps on it."""

import pytest
from django.db import connection, transaction

from agents.statements import fetch
from people.models import User

SQL = "SELECT count(*) FROM people_user WHERE is_active = $1"


def asked() -> str | None:
    """The answer of the statement, after psycopg has prepared some of its own."""
    for _ in range(5):
        User.objects.filter(is_active=True).exists()
    return fetch(SQL, [b"true"])[0][0]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_forgets_what_was_prepared_and_the_next_call_prepares_it_again() -> None:
    assert asked() == "0"
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert asked() == "0"
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert asked() == "0"


@pytest.mark.django_db
def test_many_statements_take_turns() -> None:
    assert asked() == "0"
    for number in range(150):
        fetch(f"SELECT {number}", [])
    with connection.cursor() as cursor:
        for number in range(300):
            cursor.execute(f"SELECT {number // 5}")
    assert asked() == "0"
