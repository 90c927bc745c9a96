"""python -m drills.advisories [--required]: asks whether anything that is installed has a known hole.

Ends with 1 where one is older than SECURITY.md allows for its severity. Where no advisory source can be reached it says
so loudly and ends with 0: a build without the internet is no reason to stop, and none to be silent. With --required, as
before a release, it ends with 1 then, too, and where a package is unknown to the source.
"""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
PINNED = ("requirements.txt", "requirements-dev.txt")
DETAILS = "https://api.osv.dev/v1/vulns/"
"""Where an advisory says how bad it is and since when it is known: pip-audit leaves that out of its report."""
DAYS = {"CRITICAL": 3, "HIGH": 7, "MODERATE": 30, "LOW": 90}
"""So long after it was published a hole is mended; one that says not how bad it is counts as the worst."""


@dataclass(frozen=True)
class Hole:
    """One advisory about one package, and the names that others have for it."""

    package: str
    names: tuple[str, ...]
    mended_by: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """Until when a hole is to be mended; None, which is at once, where nobody says since when it is known."""

    hole: Hole
    severity: str
    until: datetime | None

    def is_over(self, now: datetime) -> bool:
        return self.until is None or now > self.until

    def line(self, now: datetime) -> str:
        """What there is to do about it, and by when."""
        versions = " or ".join(self.hole.mended_by) or "no version"
        when = f"by {self.until:%Y-%m-%d}" if self.until else "at once, for its date is not known"
        late = "OVERDUE: " if self.is_over(now) else ""
        return (
            f"{late}{self.hole.package} {self.hole.names[0]}, {self.severity.lower()}: {versions} mends it; due {when}"
        )


@dataclass(frozen=True)
class Asked:
    """What the source said: known holes, packages it knows nothing of, and how many it knows."""

    holes: list[Hole]
    unknown: list[str]
    known: int


def main(arguments: Sequence[str] = ()) -> int:
    """Print what was found; 1 for a known hole whose time is over."""
    required = "--required" in arguments
    try:
        report = ask()
    except ValueError as unreachable:
        return skipped(str(unreachable), required)
    asked = read(report)
    if not asked.known:
        return skipped(f"the index that answers here knows none of {len(asked.unknown)} packages", required)
    if asked.unknown:
        print(f"NOT ASKED ABOUT, because the source does not know them: {', '.join(asked.unknown)}")
    now = datetime.now(UTC)
    found = [due(hole) for hole in asked.holes]
    overdue = sum(one.is_over(now) for one in found)
    for one in found:
        print(one.line(now))
    print(f"pip-audit: {asked.known} packages, {len(found)} known holes, {overdue} of them overdue.")
    return 1 if overdue or (required and asked.unknown) else 0


def skipped(why: str, required: bool) -> int:
    """Say so, where nobody can overlook it."""
    line = f"pip-audit SKIPPED, because no advisory source is reachable: {why}."
    print(f"{'!' * 78}\n{line}\n{'!' * 78}")
    return 1 if required else 0


def due(hole: Hole) -> Due:
    """By its earliest date and its worst severity, whoever tells of it."""
    told = list(_told(hole))
    said = [str(one.get("database_specific", {}).get("severity")).upper() for one in told]
    severity = min((word for word in said if word in DAYS), key=DAYS.__getitem__, default="CRITICAL")
    published = min((at for one in told if (at := _time(one.get("published")))), default=None)
    return Due(hole, severity, published + timedelta(days=DAYS[severity]) if published else None)


def _told(hole: Hole) -> Iterator[dict[str, Any]]:
    """What is known of it under each of its names; nothing where that cannot be asked."""
    for name in hole.names:
        try:
            with urllib.request.urlopen(DETAILS + quote(name, safe=""), timeout=10) as answer:  # noqa: S310 (ours)
                said = json.load(answer)
        except (OSError, ValueError):
            continue
        if isinstance(said, dict):
            yield said


def _time(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def ask() -> str:
    """The report of pip-audit as JSON, installing nothing. Raises ValueError where there is none."""
    files = [part for name in PINNED for part in ("--requirement", str(ROOT / name))]
    options = [
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "--format",
        "json",
        "--aliases",
        "--timeout",
        "10",
    ]
    command = [sys.executable, "-m", "pip_audit", *options, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if not done.stdout.strip():
        said = done.stderr.strip().split("\n")[-1]
        raise ValueError(f"pip-audit got no answer ({said[:200]})")
    return done.stdout


def read(report: str) -> Asked:
    """What a report of pip-audit says."""
    packages = json.loads(report)["dependencies"]
    unknown = sorted({one["name"] for one in packages if "skip_reason" in one})
    known = {one["name"]: one["vulns"] for one in packages if "vulns" in one}
    holes = [
        Hole(name, (hole["id"], *hole.get("aliases", ())), tuple(hole["fix_versions"]))
        for name, vulns in sorted(known.items())
        for hole in vulns
    ]
    return Asked(holes, unknown, len(known))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
