"""The log: sealed at commit, in order, and every change of it found."""

from threading import Thread
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from audit.chain import GENESIS, entry_hash
from audit.models import AuditEntry, ChainHead
from audit.record import SYSTEM, record
from audit.verify import verify
from people.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def target() -> User:
    return User.objects.get_or_create(username="target")[0]


def write(verb: str = "thing.changed") -> None:
    with transaction.atomic():
        record(verb, actor=SYSTEM, target=target(), after={"text": "ü€😀 \u202e"})


def sql(statement: str, *arguments: Any, without_triggers: bool = False) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if without_triggers:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, arguments)


def test_entries_are_sealed_in_the_order_they_commit() -> None:
    for _ in range(3):
        write()
    entries = list(AuditEntry.objects.in_order())
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    previous = GENESIS
    for entry in entries:
        assert bytes(entry.previous_hash or b"") == previous
        previous = entry_hash(previous, entry.sequence or 0, entry.body)
        assert bytes(entry.hash or b"") == previous
    assert verify().fault is None
    assert bytes(ChainHead.objects.get().hash) == verify().head == previous


def test_an_entry_falls_with_its_change() -> None:
    def fail_after_recording() -> None:
        with transaction.atomic():
            record("thing.changed", actor=SYSTEM, target=target())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_recording()
    assert not AuditEntry.objects.exists()


def test_no_entry_is_written_outside_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        record("thing.changed", actor=SYSTEM, target=target())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET actor_label = 'nobody'",
        "UPDATE audit_auditentry SET sequence = sequence + 10",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "DELETE FROM audit_chainhead",
        "TRUNCATE audit_chainhead",
    ],
)
def test_the_database_refuses_changes(statement: str) -> None:
    write()
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)
    assert verify().fault is None


@pytest.mark.parametrize(
    ("statement", "first_bad", "problem"),
    [
        (
            "UPDATE audit_auditentry SET body = replace(body, 'thing', 'other') WHERE sequence = 3",
            3,
            "content was changed",
        ),
        ("UPDATE audit_auditentry SET actor_label = 'Nobody' WHERE sequence = 4", 4, "actor_label"),
        ("UPDATE audit_auditentry SET at = at - interval '1 day' WHERE sequence = 2", 2, "columns differ"),
        ("DELETE FROM audit_auditentry WHERE sequence = 2", 2, "missing"),
        ("DELETE FROM audit_auditentry WHERE sequence > 3", 4, "missing from the end"),
        ("UPDATE audit_auditentry SET hash = sha256('x') WHERE sequence = 5", 5, "content was changed"),
        (
            "UPDATE audit_auditentry SET previous_hash = sha256('x') WHERE sequence = 2",
            2,
            "does not continue",
        ),
        ("UPDATE audit_auditentry SET sequence = 9 WHERE sequence = 5", 5, "missing"),
        ("UPDATE audit_chainhead SET hash = sha256('x')", 5, "head"),
        ("UPDATE audit_chainhead SET sequence = 4", 5, "beyond the head"),
        ("UPDATE audit_auditentry SET sequence = NULL WHERE sequence = 1", 1, "missing"),
        (
            "WITH a AS (SELECT sequence, 7 - sequence AS other FROM audit_auditentry WHERE sequence IN (3, 4)) "
            "UPDATE audit_auditentry e SET body = (SELECT body FROM audit_auditentry x WHERE x.sequence = a.other) "
            "FROM a WHERE e.sequence = a.sequence",
            3,
            "content was changed",
        ),
    ],
)
def test_a_change_behind_the_triggers_is_found_and_named(statement: str, first_bad: int, problem: str) -> None:
    for number in range(5):
        write(f"thing.changed_{number}")
    sql(statement, without_triggers=True)
    fault = verify().fault
    assert fault is not None
    assert fault.sequence == first_bad
    assert problem in fault.problem


def test_the_command_says_sound_or_names_the_entry(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    write()
    write()
    call_command("verify_audit")
    assert "2 entries are sound" in capsys.readouterr().out
    sql("DELETE FROM audit_auditentry WHERE sequence = 1", without_triggers=True)
    with pytest.raises(SystemExit) as exit_:
        call_command("verify_audit")
    assert exit_.value.code == 1
    assert "Entry 1 is bad" in capsys.readouterr().err


def test_concurrent_writers_leave_one_chain_without_gaps() -> None:
    person = target()

    def work() -> None:
        try:
            for _ in range(25):
                with transaction.atomic():
                    record("thing.changed", actor=SYSTEM, target=person)
                    record("thing.changed_again", actor=SYSTEM, target=person)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verify()
    assert verdict.fault is None
    assert verdict.entries == 8 * 25 * 2


@pytest.mark.parametrize("body", ["not json", "[]", '"text"'])
def test_a_body_forged_together_with_its_hash_is_found_out_whatever_it_is(body: str) -> None:
    write()
    write()
    forged = entry_hash(bytes(AuditEntry.objects.get(sequence=1).hash or b""), 2, body)
    sql("UPDATE audit_auditentry SET body = %s, hash = %s WHERE sequence = 2", body, forged, without_triggers=True)
    sql("UPDATE audit_chainhead SET hash = %s", forged, without_triggers=True)
    fault = verify().fault
    assert fault is not None
    assert (fault.sequence, "differ from its content" in fault.problem) == (2, True)
