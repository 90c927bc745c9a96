"""Real histories of instruction files; see tests/data/README.md."""

import gzip
import json
from pathlib import Path
from typing import Any

HISTORIES = Path(__file__).parent / "data" / "histories"
NAMES = sorted(path.name.split(".")[0] for path in HISTORIES.glob("*.versions.jsonl.gz"))


def load(name: str, part: str) -> list[dict[str, Any]]:
    """The records of one part: versions, blame or merges."""
    with gzip.open(HISTORIES / f"{name}.{part}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]
