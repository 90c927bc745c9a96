"""python -m drills.advisories: asks whether anything that is installed has a known hole.

Ends with 1 where it has. Where no advisory source can be reached it says so loudly and ends with 0: a build without
the internet is no reason to stop, and none to be silent.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = ("requirements.txt", "requirements-dev.txt")


@dataclass(frozen=True)
class Asked:
    """What the source said: known holes, packages it knows nothing of, and how many it knows."""

    holes: list[str]
    unknown: list[str]
    known: int


def main() -> int:
    """Print what was found; 1 for a known hole."""
    try:
        report = ask()
    except ValueError as unreachable:
        return skipped(str(unreachable))
    asked = read(report)
    if not asked.known:
        return skipped(f"the index that answers here knows none of {len(asked.unknown)} packages")
    if asked.unknown:
        print(f"NOT ASKED ABOUT, because the source does not know them: {', '.join(asked.unknown)}")
    for hole in asked.holes:
        print(hole)
    print(f"pip-audit: {asked.known} packages, {len(asked.holes)} known holes.")
    return 1 if asked.holes else 0


def skipped(why: str) -> int:
    """Say so, where nobody can overlook it."""
    line = f"pip-audit SKIPPED, because no advisory source is reachable: {why}."
    print(f"{'!' * 78}\n{line}\n{'!' * 78}")
    return 0


def ask() -> str:
    """The report of pip-audit as JSON, installing nothing. Raises ValueError where there is none."""
    files = [part for name in PINNED for part in ("--requirement", str(ROOT / name))]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "10"]
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
        f"{name} {hole['id']}: {' or '.join(hole['fix_versions']) or 'no version'} mends it"
        for name, vulns in sorted(known.items())
        for hole in vulns
    ]
    return Asked(holes, unknown, len(known))


if __name__ == "__main__":
    sys.exit(main())
