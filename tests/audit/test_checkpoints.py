"""Checkpoints: what they state, when they are made, where they go, and what they find out."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit import checkpoints, handing_out, signing
from audit.chain import GENESIS, entry_hash
from audit.exceptions import CannotSign, LogDamaged, NotCovered
from audit.merkle import leaf_hash, root_from, root_of
from audit.models import AuditEntry, ChainHead, Checkpoint, SigningKey, Tile, Verification
from audit.notes import Checkpoint as Statement
from audit.notes import PrivateKey, opened
from audit.record import COMMAND_LINE, SYSTEM, record
from audit.verify import verify, verify_and_tell
from people.models import User
from tests.log import tamper, write

pytestmark = pytest.mark.usefixtures("sealed_at_once", "folder")


def leaves(size: int) -> list[bytes]:
    hashes = AuditEntry.objects.in_order().values_list("hash", flat=True)[:size]
    return [leaf_hash(bytes(found or b"")) for found in hashes]


def rewrite_from(sequence: int) -> None:
    """As somebody would who has the database but not the signing key: all hashes right again, the head too."""
    previous = GENESIS if sequence == 1 else bytes(AuditEntry.objects.get(sequence=sequence - 1).hash or b"")
    for entry in AuditEntry.objects.filter(sequence__gte=sequence).in_order():
        body = entry.body.replace("ü", "u") if entry.sequence == sequence else entry.body
        digest = entry_hash(previous, entry.sequence or 0, body)
        tamper(
            "UPDATE audit_auditentry SET body = %s, previous_hash = %s, hash = %s WHERE id = %s",
            body, previous, digest, entry.pk,
        )  # fmt: skip
        previous = digest
    tamper("UPDATE audit_chainhead SET hash = %s", previous)


def test_it_states_size_and_root_and_is_signed_by_a_key_that_the_log_names() -> None:
    write(3)
    made = checkpoints.make(SYSTEM)
    text, signers = opened(made.note, signing.public_keys())
    assert Statement.parse(text) == Statement(signers[0].name, 4, root_of(leaves(4)))
    created = AuditEntry.objects.get(verb="signing_key.created")
    assert created.fact["after"]["key"] == signers[0].text
    assert verify().checkpoints == 1


def test_nothing_new_is_the_same_checkpoint_again() -> None:
    write()
    assert checkpoints.make(SYSTEM) == checkpoints.make(COMMAND_LINE)
    assert Checkpoint.objects.count() == 1


def test_the_database_refuses_to_change_them() -> None:
    write(300)
    checkpoints.make(SYSTEM)
    verify_and_tell("a test")
    for table in ("audit_checkpoint", "audit_tile", "audit_signingkey", "audit_verification"):
        for act in ("DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET id = -id"):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(act.format(table))
    assert verify().fault is None


def test_every_entry_finds_its_way_to_the_root_of_every_checkpoint_after_it() -> None:
    for count in (3, 250, 300):
        write(count)
        checkpoints.make(SYSTEM)
    assert Tile.objects.filter(level=0).count() == 2
    for made in Checkpoint.objects.all():
        all_leaves = leaves(made.size)
        assert bytes(made.root) == root_of(all_leaves)
        for sequence in {1, 2, made.size // 2, 256, 257, made.size} & set(range(1, made.size + 1)):
            path = checkpoints.inclusion_path(sequence, made)
            assert root_from(all_leaves[sequence - 1], sequence - 1, made.size, path) == bytes(made.root)
    with pytest.raises(NotCovered):
        checkpoints.inclusion_path(made.size + 1, made)
    with CaptureQueriesContext(connection) as asked:
        checkpoints.inclusion_path(300, made)
    assert len(asked) <= 4


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_and_signers_leave_one_chain_and_checkpoints_that_fit() -> None:
    write()
    person, failures = User.objects.get(username="target"), list[Exception]()

    def write_some() -> None:
        for _ in range(40):
            with transaction.atomic():
                record("thing.changed", actor=SYSTEM, target=person)
                record("thing.changed_again", actor=SYSTEM, target=person)

    def sign_some() -> None:
        for _ in range(15):
            checkpoints.make(SYSTEM)

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except (DatabaseError, CannotSign, LogDamaged) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[work]) for work in [write_some] * 6 + [sign_some] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdict = verify()
    assert verdict.fault is None
    assert verdict.entries == 1 + 1 + 6 * 40 * 2
    assert verdict.checkpoints == Checkpoint.objects.count() >= 1
    assert SigningKey.objects.count() == 1


def write_elsewhere() -> None:
    try:
        write()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_signer_holds_up_nobody_who_writes() -> None:
    write()
    checkpoints.make(SYSTEM)
    write()
    with transaction.atomic():
        checkpoints.make(SYSTEM)
        other = Thread(target=write_elsewhere)
        other.start()
        other.join(timeout=10)
        assert not other.is_alive()
    assert verify().fault is None


@pytest.mark.parametrize("bad", [2, 257, 300])
def test_a_log_rewritten_with_all_its_hashes_is_named_to_the_entry(bad: int) -> None:
    write(300)
    checkpoints.make(SYSTEM)
    write(5)
    rewrite_from(bad)
    fault = verify().fault
    assert fault is not None
    assert (fault.sequence, "not the entry that stood here" in fault.problem) == (bad, True)


def test_what_does_not_continue_the_last_checkpoint_is_not_signed() -> None:
    write(5)
    checkpoints.make(SYSTEM)
    write(5)
    rewrite_from(3)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="Entry 3 of the log is bad"):
            checkpoints.make(SYSTEM)
        assert checkpoints.make_due() is None
    assert Checkpoint.objects.count() == 1
    assert Verification.objects.get().fault_at == 3


def test_a_changed_entry_is_not_signed() -> None:
    write(5)
    tamper("UPDATE audit_auditentry SET actor_label = 'Nobody' WHERE sequence = 4")
    with pytest.raises(LogDamaged, match="Entry 4"):
        checkpoints.make(SYSTEM)


def test_a_log_cut_off_before_its_head_is_not_signed() -> None:
    write(5)
    checkpoints.make(SYSTEM)
    write(5)
    tamper("DELETE FROM audit_auditentry WHERE sequence > 9")
    with pytest.raises(LogDamaged, match="Entry 10 of the log is bad: entries 10 to 11 are missing from the end"):
        checkpoints.make(SYSTEM)


def test_an_old_checkpoint_finds_what_was_cut_off_together_with_all_traces(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(9)
    kept = tmp_path / "kept.txt"
    kept.write_text(checkpoints.make(SYSTEM).note)
    handing_out.hand_out()
    tamper("DELETE FROM audit_auditentry WHERE sequence > 6")
    tamper("DELETE FROM audit_checkpoint")
    tamper("UPDATE audit_chainhead SET sequence = 6, hash = (SELECT hash FROM audit_auditentry WHERE sequence = 6)")
    fault = verify().fault
    assert fault is not None
    assert (fault.sequence, "the checkpoint in 0" in fault.problem) == (7, True)
    for path in folder.iterdir():
        path.unlink()
    assert verify().fault is None
    with pytest.raises(SystemExit):
        call_command("verify_audit", checkpoint=[kept])
    assert "Entry 7 is bad: entries 7 to 10 are missing from the end" in capsys.readouterr().err


def test_an_old_checkpoint_finds_a_log_that_was_rewritten_together_with_all_traces(
    folder: Path, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    write(4)
    early, late = tmp_path / "early.txt", tmp_path / "late.txt"
    early.write_text(checkpoints.make(SYSTEM).note)
    write(4)
    late.write_text(checkpoints.make(SYSTEM).note)
    rewrite_from(7)
    tamper("DELETE FROM audit_checkpoint")
    settings.COUNTERSIGN_CHECKPOINT_DIR = tmp_path / "another"
    assert verify().fault is None
    with pytest.raises(SystemExit):
        call_command("verify_audit", checkpoint=[early, late])
    said = capsys.readouterr().err
    assert f"Entry 6 is bad: entries 6 to 9 are not what the checkpoint in {late} was made from" in said


def test_a_checkpoint_that_cannot_be_believed_is_no_question_to_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(2)
    note = checkpoints.make(SYSTEM).note
    bad, other = tmp_path / "bad.txt", tmp_path / "other.txt"
    bad.write_text(note.replace("\n3\n", "\n4\n"))
    other.write_text(f"{PrivateKey.generate('example.org/log').public.text}\n")
    with pytest.raises(CommandError, match="changed after it was signed"):
        call_command("verify_audit", checkpoint=[bad])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", checkpoint=[tmp_path / "none.txt"])
    bad.write_text(note)
    handing_out.hand_out()
    with pytest.raises(CommandError, match="no key of this log signed it"):
        call_command("verify_audit", checkpoint=[bad], keys=other)
    call_command("verify_audit", checkpoint=[bad, tmp_path / "checkpoints"])
    assert "3 entries are sound. 1 checkpoint fits." in capsys.readouterr().out


def test_a_checkpoint_changed_in_the_database_is_named() -> None:
    write(2)
    checkpoints.make(SYSTEM)
    tamper("UPDATE audit_checkpoint SET note = replace(note, E'\\n3\\n', E'\\n2\\n')")
    fault = verify().fault
    assert fault is not None
    assert "changed after it was signed" in fault.problem


@pytest.mark.parametrize("size", [2, 99])
def test_a_checkpoint_in_the_folder_that_nobody_here_signed_is_named(folder: Path, size: int) -> None:
    write(2)
    checkpoints.make(SYSTEM)
    handing_out.hand_out()
    (path,) = folder.glob("0*.txt")
    path.with_name(f"{size:012d}-00000000.txt").write_text("forged")
    fault = verify().fault
    assert fault is not None
    assert f"{size:012d}-00000000.txt cannot be trusted: this is not a signed note" in fault.problem


def test_the_key_is_made_once_and_readable_by_its_owner_only() -> None:
    assert signing.signer().text == signing.signer().text
    assert signing.key_file().stat().st_mode & 0o777 == 0o600
    assert AuditEntry.objects.filter(verb="signing_key.created").count() == 1


def test_after_a_rotation_old_checkpoints_verify_with_the_old_key_and_the_log_tells() -> None:
    write(2)
    before = checkpoints.make(SYSTEM)
    old = signing.signer().public
    both = checkpoints.rotate(COMMAND_LINE)
    new = signing.signer().public
    assert (old == new, old.name == new.name) == (False, True)
    assert opened(both.note, [old])[1] == [old]
    assert opened(both.note, [new])[1] == [new]
    entry = AuditEntry.objects.get(verb="signing_key.rotated")
    assert (entry.fact["before"], entry.fact["after"]) == ({"key": old.text}, {"key": new.text})
    assert entry.sequence == both.size
    write()
    after = checkpoints.make(SYSTEM)
    assert opened(before.note, signing.public_keys())[1] == [old]
    assert opened(after.note, signing.public_keys())[1] == [new]
    assert (verify().fault, verify().checkpoints) == (None, 3)


def test_a_process_without_the_key_in_use_signs_nothing(settings: Settings) -> None:
    write()
    checkpoints.make(SYSTEM)
    old = signing.key_file().read_text()
    signing.key_file().unlink()
    with pytest.raises(CannotSign, match="is not here"):
        checkpoints.make(SYSTEM)
    assert checkpoints.make_due() is None
    settings.COUNTERSIGN_SIGNING_KEY = signing.fresh().text
    write()
    assert checkpoints.make(SYSTEM).size == 4  # with the entry that tells of the new key
    with pytest.raises(CannotSign, match="COUNTERSIGN_SIGNING_KEY"):
        checkpoints.rotate(SYSTEM)
    settings.COUNTERSIGN_SIGNING_KEY = old.strip()
    with pytest.raises(CannotSign, match="was retired"):
        checkpoints.make(SYSTEM)


def test_the_schedule_makes_one_when_it_is_time_and_something_came(settings: Settings) -> None:
    settings.COUNTERSIGN_CHECKPOINT_EVERY_S = 3600.0
    assert checkpoints.make_due() is None
    write()
    first = checkpoints.make_due()
    assert first is not None
    write()
    assert checkpoints.make_due() is None
    settings.COUNTERSIGN_CHECKPOINT_EVERY_S = 0.0
    second = checkpoints.make_due()
    assert second is not None
    assert second.size > first.size
    assert checkpoints.make_due() is None


def unreachable(note: str, size: int) -> None:
    raise handing_out.NotSent("nobody answers")


def test_each_is_filed_for_good_and_handed_to_who_wants_to_know(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    told = list[tuple[str, int]]()
    made = checkpoints.make(SYSTEM)
    monkeypatch.setattr(handing_out, "NOTIFIERS", [unreachable])
    handing_out.hand_out()
    assert Checkpoint.objects.get().notified_at is None
    (path,) = folder.glob("0*.txt")
    assert path.read_text() == made.note
    assert path.stat().st_mode & 0o777 == 0o444
    assert [line.read_text().strip() for line in folder.glob("key-*.txt")] == [signing.public_keys()[0].text]
    monkeypatch.setattr(handing_out, "NOTIFIERS", [lambda note, size: told.append((note, size))])
    for _ in range(2):
        handing_out.hand_out()
    assert told == [(made.note, made.size)]


def test_a_folder_that_cannot_be_written_stops_nothing_and_is_tried_again(settings: Settings, tmp_path: Path) -> None:
    settings.COUNTERSIGN_CHECKPOINT_DIR = tmp_path / "file" / "checkpoints"
    (tmp_path / "file").touch()
    write()
    checkpoints.make(SYSTEM)
    handing_out.hand_out()
    assert Checkpoint.objects.get().filed_at is None
    (tmp_path / "file").unlink()
    handing_out.hand_out()
    assert len(list((tmp_path / "file" / "checkpoints").glob("0*.txt"))) == 1
    assert Checkpoint.objects.get().filed_at is not None


def test_what_a_verification_found_is_kept() -> None:
    write(2)
    assert verify_and_tell("a test").fault is None
    tamper("DELETE FROM audit_auditentry WHERE sequence = 1")
    verify_and_tell("a test")
    kept = list(Verification.objects.values_list("entries", "fault_at", "asked_by"))
    assert kept == [(2, None, "a test"), (0, 1, "a test")]


def test_commands_print_what_can_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    call_command("checkpoint")
    assert capsys.readouterr().out == checkpoints.make(SYSTEM).note
    call_command("rotate_signing_key", print=True)
    assert PrivateKey.parse(capsys.readouterr().out).name == signing.signer().name
    call_command("rotate_signing_key")
    assert capsys.readouterr().out.count("— ") == 2
    assert ChainHead.objects.get().sequence == Checkpoint.objects.latest("size").size


def test_the_schedule_also_checks_the_whole_log() -> None:
    from audit.tasks import checkpoint_due, verify_log

    write()
    checkpoint_due()
    verify_log()
    assert Verification.objects.get().checkpoints == Checkpoint.objects.count() == 1
    assert Verification.objects.get().at - Checkpoint.objects.get().made_at < timedelta(minutes=1)
