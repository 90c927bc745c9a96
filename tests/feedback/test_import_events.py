"""import_events: a file of reports, the good lines kept."""

import hashlib
import json
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.models import Agent
from audit.models import AuditEntry
from feedback.ingest.rows import hashed, source
from feedback.models import Feedback, Run

FEEDBACK = {
    "type": "feedback",
    "id": "f1",
    "rating": "negative",
    "reason": "Wrong: 30",
    "user": "anna",
    "agent": "support",
}
RUN = {"type": "run", "id": "r1", "success": False, "error": "timeout"}


def load(file: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_events", str(file), *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as ending:
        return int(ending.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def write(folder: Path, *lines: Any) -> Path:
    file = folder / "events.jsonl"
    file.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return file


def test_a_good_file_is_stored_whole(support: Agent, tmp_path: Path) -> None:
    code, out, err = load(write(tmp_path, FEEDBACK, b"", RUN), "--agent", "support")
    assert (code, out, err) == (0, "2 lines: 2 stored, 0 known before, 0 bad.\n", "")
    assert (Feedback.objects.get().reason, Run.objects.get().error) == ("Wrong: 30", "timeout")
    assert bytes(Feedback.objects.get().source) == source("import", hashed("anna"))
    assert Feedback.objects.get().key is None


def test_loading_it_again_stores_nothing(support: Agent, tmp_path: Path) -> None:
    file = write(tmp_path, FEEDBACK, RUN)
    load(file, "--agent", "support")
    assert load(file, "--agent", "support")[1] == "2 lines: 0 stored, 2 known before, 0 bad.\n"
    assert AuditEntry.objects.filter(verb="reports.imported").count() == 1


def test_bad_lines_are_named_and_good_ones_kept(support: Agent, tmp_path: Path) -> None:
    lines = [
        FEEDBACK,
        b"not json",
        {**FEEDBACK, "id": "f2", "rating": "bad"},
        {"id": "x"},
        {**RUN, "agent": "nobody"},
        RUN,
        b'{"type":"run","success":true,"agent":"support","success":false}',
        {**FEEDBACK, "reason": "Other"},
        b'{"type":"feedback","agent":"support","reason":"\\u0000"}',
        b"[" * 100_000,
        b'{"type":"run","agent":"support","success":true,"metadata":{"x":NaN}}',
        {**RUN, "agent": "support"},
    ]
    code, out, err = load(write(tmp_path, *lines))
    said = err.splitlines()
    assert (code, out) == (1, "12 lines: 2 stored, 0 known before, 10 bad.\n")
    assert [line.split(":")[0] for line in said] == [f"Line {number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert said[1] == "Line 3: rating: Use one of positive, negative."
    assert said[5] == "Line 7: success: This key is given more than once."
    assert "metadata.x: NaN" in said[9]


def test_a_line_too_long_is_one_bad_line(support: Agent, tmp_path: Path) -> None:
    long = b'{"type":"run","agent":"support","success":true,"error":"' + b"x" * 3_000_000 + b'"}'
    code, out, err = load(write(tmp_path, long, {**RUN, "agent": "support"}))
    assert (code, out) == (1, "2 lines: 1 stored, 0 known before, 1 bad.\n")
    assert err.startswith("Line 1: A line has at most")


def test_standard_input_is_read_too(support: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(json.dumps(FEEDBACK).encode())))
    assert load(Path("-"))[0] == 0
    assert Feedback.objects.count() == 1


def test_the_log_knows_file_and_counts(support: Agent, tmp_path: Path) -> None:
    file = write(tmp_path, FEEDBACK, {"type": "run"})
    load(file)
    fact = AuditEntry.objects.get(verb="reports.imported").fact
    assert fact["agent"] == "support"
    assert fact["after"] == {
        "file": "events.jsonl",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "accepted": 1,
        "duplicates": 0,
        "rejected": 1,
    }


def test_many_lines_take_a_batch_each_thousand(support: Agent, tmp_path: Path) -> None:
    file = write(tmp_path, *({"type": "run", "id": str(number), "success": True} for number in range(2500)))
    assert load(file, "--agent", "support")[1].startswith("2500 lines: 2500 stored")
    assert Run.objects.count() == 2500


@pytest.mark.parametrize(
    ("arguments", "words"), [(["/no/such/file"], "No such file"), (["-", "--agent", "x"], "no agent “x”")]
)
def test_what_cannot_be_done_is_said(db: None, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_events", *arguments)
