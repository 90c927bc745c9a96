"""What is taken away from the log, and checked by somebody who has nothing of ours but that."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit import checkpoints, exporting
from audit.models import AuditEntry, Checkpoint
from audit.record import SYSTEM
from audit.standalone import verify_export
from tests.log import tamper, write

pytestmark = pytest.mark.usefixtures("sealed_at_once", "folder")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An export of some entries."""
    write(5)
    call_command("export_audit", str(tmp_path / "export"), verbosity=0)
    return tmp_path / "export"


def program(*arguments: object) -> tuple[int, str]:
    """The stand-alone program in a process of its own, away from our code: exit code, and what it says."""
    python = [sys.executable, "-I", *map(str, arguments)]
    done = subprocess.run(python, cwd="/", capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def check(*arguments: object) -> tuple[int, str]:
    """The same within this process, for all the questions after the first."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", said)
        patch.setattr(sys, "stderr", said)
        code = verify_export.main([str(argument) for argument in arguments])
    return code, said.getvalue()


def test_an_outsider_convinces_herself_and_then_a_row_changed_by_sql_is_named(bundle: Path, tmp_path: Path) -> None:
    code, said = program(bundle / "verify_export.py", bundle)
    assert (code, "7 entries are sound, and 1 checkpoint(s) fit." in said) == (0, True)
    tamper("UPDATE audit_auditentry SET body = replace(body, 'thing', 'other') WHERE sequence = 3")
    call_command("export_audit", str(tmp_path / "again"), verbosity=0)
    code, said = program(bundle / "verify_export.py", tmp_path / "again", "--earlier", bundle / "entries.jsonl")
    assert (code, "Entry 3 is bad" in said) == (1, True)
    code, said = check(tmp_path / "again")
    assert (code, said) == (1, "Entry 3 is bad: its content was changed after it was written.\n")


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    lines = exporting.STANDALONE.read_text().splitlines()
    modules = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert modules - set(sys.stdlib_module_names) == {"cryptography"}


def test_entries_after_the_checkpoint_are_said_to_be(bundle: Path, tmp_path: Path) -> None:
    write(2)
    call_command("export_audit", str(tmp_path / "later"), verbosity=0)
    shutil.copy(bundle / "checkpoint.txt", tmp_path / "later" / "checkpoint.txt")
    code, said = check(tmp_path / "later")
    assert (code, "3 of them came after the newest checkpoint" in said) == (0, True)


def test_a_truncated_export_is_found_by_its_checkpoint(bundle: Path) -> None:
    entries = bundle / "entries.jsonl"
    entries.write_text("".join(entries.read_text().splitlines(keepends=True)[:-2]))
    assert check(bundle) == (
        1,
        f"Entry 6 is bad: it is missing, for the checkpoint in {bundle / 'checkpoint.txt'} was made of 7 entries.\n",
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "problem"),
    [
        ("checkpoint.txt", "\n7\n", "\n6\n", 1, "changed after it was signed"),
        ("checkpoint.txt", "— ", "- ", 1, "not signed by any"),
        ("checkpoint.txt", "\n7\n", "\nseven\n", 2, "is not a checkpoint"),
        ("keys.txt", "+", "-", 2, "is not a public key"),
        ("entries.jsonl", '"sequence":2', '"number":2', 1, "Entry 2 is bad: its line cannot be read"),
        ("entries.jsonl", '"sequence":2', '"sequence":1', 1, "Entry 1 is bad: there is more than one"),
    ],
)
def test_every_part_of_an_export_is_looked_at(
    bundle: Path, name: str, old: str, new: str, code: int, problem: str
) -> None:
    (bundle / name).write_text((bundle / name).read_text().replace(old, new, 1))
    found, said = check(bundle)
    assert (found, problem in said) == (code, True), said


def test_a_question_without_sense_is_told_so(bundle: Path) -> None:
    for arguments in ([], [bundle / "none"], ["--entries", bundle / "entries.jsonl"], ["--proof", bundle / "keys.txt"]):
        assert check(*arguments)[0] == 2
    assert check("--proof", bundle / "keys.txt", "--keys", bundle / "keys.txt")[0] == 2


def test_one_entry_shows_by_itself_that_it_is_on_the_log(bundle: Path, tmp_path: Path) -> None:
    made = Checkpoint.objects.get()
    proof = tmp_path / "entry.tlog-proof"
    for entry in AuditEntry.objects.filter(sequence__lte=made.size).in_order():
        proof.write_text(exporting.proof_text(entry, made))
        code, said = check("--proof", proof, "--keys", bundle / "keys.txt")
        assert (code, said.endswith(f"{entry.body}\n")) == (0, True), said
    text = proof.read_text()
    other = exporting.proof_text(AuditEntry.objects.get(sequence=2), made)
    swapped = text.replace(text.split("\n")[1], other.split("\n")[1]).replace("index 6", "index 1")
    for forged in (text.replace("index 6", "index 5"), swapped):
        proof.write_text(forged)
        code, said = check("--proof", proof, "--keys", bundle / "keys.txt")
        assert (code, "is bad" in said) == (1, True), said


def test_an_export_is_on_the_log_and_in_itself(bundle: Path) -> None:
    last = json.loads((bundle / "entries.jsonl").read_text().splitlines()[-1])
    entry = AuditEntry.objects.get(verb="log.exported")
    assert last["fact"]["verb"] in ("log.exported", "signing_key.created")
    assert (entry.actor_id, entry.fact["after"]) == ("cli", {"form": "bundle", "filters": {}})


def test_a_damaged_log_goes_out_too_with_the_last_checkpoint(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper("UPDATE audit_auditentry SET body = replace(body, 'thing', 'other') WHERE sequence = 4")
    call_command("export_audit", str(tmp_path / "again"))
    assert "Entry 4 of the log is bad" in capsys.readouterr().err
    assert (tmp_path / "again" / "checkpoint.txt").read_text() == (bundle / "checkpoint.txt").read_text()
    assert "Entry 4 is bad" in check(tmp_path / "again")[1]


def test_only_an_empty_folder_is_written_to(bundle: Path) -> None:
    with pytest.raises(CommandError, match="not empty"):
        call_command("export_audit", str(bundle))


def test_a_fact_that_would_break_its_line_is_quoted() -> None:
    write()
    tamper("UPDATE audit_auditentry SET body = E'{}\\n{}' WHERE sequence = 1")
    (lines,) = exporting.json_lines(AuditEntry.objects.all(), 1)
    assert lines.count(b"\n") == 1
    entry = verify_export.read_line(lines)
    assert entry is not None
    assert entry[3] == b"{}\n{}"


def test_a_table_for_spreadsheets_holds_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.exporting._AT_A_TIME", 2)
    write(3)
    checkpoints.make(SYSTEM)
    tamper("UPDATE audit_auditentry SET body = replace(body, 'target_label\":\"target', 'target_label\":\"=cmd()')")
    text = b"".join(exporting.csv_lines(AuditEntry.objects.all(), 3)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["sequence"] for row in rows] == ["1", "2", "3"]
    assert {row["target_label"] for row in rows} == {"'=cmd()"}
    assert json.loads(rows[0]["after"]) == {"text": "ü€😀 \u202e"}
    for cell in ("=1", "+1", "-1", "@x", "\tx", "\rx", "＝1"):
        assert exporting._harmless(cell) == f"'{cell}"
    assert exporting._harmless(-1) == -1
