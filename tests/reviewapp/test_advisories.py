"""Known holes in packages have a time to be mended in; a source that says little is taken for the worst."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from drills import advisories
from tests.stub import Stub, stub

HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": ["GHSA-1"]}


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Where details of advisories are asked for; it knows of none yet."""
    with stub() as running:
        running.status = 404
        monkeypatch.setattr(advisories, "DETAILS", f"http://127.0.0.1:{running.port}/")
        yield running


def pip_audit_says(monkeypatch: pytest.MonkeyPatch, *holes: dict[str, Any], **more: Any) -> None:
    packages = [
        {"name": "leaky", "version": "1.0", "vulns": list(holes)},
        {"name": "tight", "vulns": []},
        *more.values(),
    ]
    monkeypatch.setattr(advisories, "ask", lambda: json.dumps({"dependencies": packages}))


def told(days_ago: float | None, severity: str | None = None) -> bytes:
    published = datetime.now(UTC) - timedelta(days=days_ago) if days_ago is not None else None
    said = {"published": published.isoformat().replace("+00:00", "Z")} if published else {}
    return json.dumps(said | ({"database_specific": {"severity": severity}} if severity else {})).encode()


def test_without_holes_all_is_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pip_audit_says(monkeypatch)
    assert advisories.main(["--required"]) == 0
    assert "2 packages, 0 known holes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("severity", "days", "ends_with"),
    [
        ("CRITICAL", 2, 0),
        ("CRITICAL", 4, 1),
        ("HIGH", 6, 0),
        ("HIGH", 8, 1),
        ("MODERATE", 29, 0),
        ("MODERATE", 31, 1),
        ("LOW", 89, 0),
        ("LOW", 91, 1),
        (None, 2, 0),
        (None, 4, 1),
        ("unheard of", 4, 1),
    ],
)
def test_a_hole_is_overdue_after_the_time_of_its_severity(
    source: Stub, monkeypatch: pytest.MonkeyPatch, severity: str | None, days: float, ends_with: int
) -> None:
    pip_audit_says(monkeypatch, HOLE)
    source.pages = {"/PYSEC-1": told(days, severity)}
    assert advisories.main() == ends_with


def test_the_earliest_date_and_the_worst_word_count(
    source: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_audit_says(monkeypatch, HOLE)
    source.pages = {"/PYSEC-1": told(8, "LOW"), "/GHSA-1": told(1, "HIGH")}
    assert advisories.main() == 1
    assert "OVERDUE: leaky PYSEC-1, high: 2.0 mends it; due by " in capsys.readouterr().out


@pytest.mark.parametrize("said", [None, b"no JSON", b"[]", told(None, "LOW"), b'{"published": "yesterday"}'])
def test_a_hole_without_a_date_is_due_at_once(
    source: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: bytes | None
) -> None:
    pip_audit_says(monkeypatch, HOLE | {"fix_versions": []})
    source.pages = {"/PYSEC-1": said} if said is not None else {}
    assert advisories.main() == 1
    assert "no version mends it; due at once, for its date is not known" in capsys.readouterr().out


def test_nobody_to_ask_is_said_aloud_and_stops_a_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> str:
        raise ValueError("no answer")

    monkeypatch.setattr(advisories, "ask", away)
    assert (advisories.main(), advisories.main(["--required"])) == (0, 1)
    assert "SKIPPED" in capsys.readouterr().out


def test_a_package_nobody_knows_stops_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    pip_audit_says(monkeypatch, unknown={"name": "ours", "skip_reason": "not found"})
    assert (advisories.main(), advisories.main(["--required"])) == (0, 1)


def test_the_times_are_those_that_are_promised() -> None:
    promised = (settings.BASE_DIR / "SECURITY.md").read_text()
    for severity, days in advisories.DAYS.items():
        assert f"| {severity.lower()} | {days} days |" in promised
