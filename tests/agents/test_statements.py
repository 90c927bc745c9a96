"""Hand-written SQL goes on after what is prepared was dropped, as psycopg does after a rollback."""

import pytest
from django.db import connection, transaction

from agents.statements import fetch

ONE = "SELECT $1::int + 1"


def _deallocate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_was_dropped_is_prepared_again() -> None:
    assert fetch(ONE, (b"1",)) == [("2",)]
    _deallocate()
    assert fetch(ONE, (b"2",)) == [("3",)]


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_nothing_depends_on_what_was_prepared() -> None:
    assert fetch(ONE, (b"1",)) == [("2",)]
    with transaction.atomic():
        _deallocate()
        assert fetch(ONE, (b"2",)) == [("3",)]
    assert fetch(ONE, (b"3",)) == [("4",)]
