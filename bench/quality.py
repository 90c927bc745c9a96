"""python -m bench.quality DATA: how well the miner finds what recurs, in one table.

DATA holds labelled texts (intents/*.csv.gz with `text` and `label`, errors/*.csv.gz); beside it, or where --judge says,
are scenario.py, which plants recurring failures in one-off ones, and score.py, which compares what was found with it.
Choices were made on all labels and on seeds 1 to 10 and 31 to 60; shown are one half of the labels, not untouched
therefore, and other seeds.
"""

import argparse
import csv
import gzip
import importlib.util
import io
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import errors

SETS = ("banking77", "clinc150", "stackoverflow")
FIGURES = ["f1", "precision", "recall", "purity", "false_per_1000", "split", "extra_events"]
FIGURES += ["recall_reason", "recall_error", "recall_correction"]
AGENT = "one"


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, and its figures by name."""

    name: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Given:
    """What the jobs work on."""

    data: Path
    judge: Path
    texts: int
    seeds: Sequence[int]
    sets: Sequence[str] = field(default=SETS)


def half(data: Path, name: str, side: int) -> list[tuple[str, str]]:
    """The texts of one half of a set's labels with their labels, shuffled; 0 or 1."""
    with gzip.open(data / "intents" / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(dict.fromkeys((row["text"], row["label"]) for row in csv.DictReader(lines)))
    labels = sorted({label for _, label in rows})
    rng = random.Random(7)
    rng.shuffle(labels)
    first = set(labels[: len(labels) // 2])
    found = [row for row in rows if (row[1] in first) == (side == 0)]
    rng.shuffle(found)
    return found


def pairs(true: Sequence[object], found: Sequence[object]) -> dict[str, float]:
    """Precision, recall and F1 over pairs of texts put together, and the adjusted Rand index."""
    both, of_label, of_group = (
        sum(n * (n - 1) // 2 for n in Counter(keys).values()) for keys in (zip(true, found, strict=True), true, found)
    )
    precision, recall = both / max(of_group, 1), both / max(of_label, 1)
    by_chance = of_label * of_group / (len(true) * (len(true) - 1) / 2)
    return {
        "F1": 2 * both / max(of_label + of_group, 1),
        "ARI": (both - by_chance) / max((of_label + of_group) / 2 - by_chance, 1e-9),
        "precision": precision,
        "recall": recall,
        "groups": len(set(found)),
    }


def free_text(given: Given) -> Iterator[Row]:
    """Free text, unknown number of groups: the command `group` on the half of each set that nothing was chosen on."""
    from feedback.mining.meaning import model
    from feedback.mining.offline import group

    rows = []
    for name in given.sets:
        texts = half(given.data, name, 1)[: given.texts]
        start = time.perf_counter()
        found = [
            number for _, number in group(((at, "text", text) for at, (text, _) in enumerate(texts)), model=model())
        ]
        figures = pairs([label for _, label in texts], [number or -at for at, number in enumerate(found)])
        rows.append(Row(f"text: {name}", figures | {"per second": len(texts) / (time.perf_counter() - start)}))
        yield rows[-1]
    yield Row("text: mean", {key: statistics.mean(row.figures[key] for row in rows) for key in ("F1", "ARI")})


def planted(given: Given) -> Iterator[Row]:
    """Planted failures, through import_events, mine and export_patterns: all as one agent, and agent by agent."""
    scenario, score = (_load(given.judge / f"{name}.py") for name in ("scenario", "score"))
    for by_agent in (False, True):
        scores = []
        for seed in given.seeds:
            events, truth = scenario.generate(str(given.data), seed)
            with database():
                scores.append(score.score(events, truth, list(_through_the_product(events, by_agent))))
        figures = {key.removeprefix("recall_"): statistics.mean(found[key] or 0 for found in scores) for key in FIGURES}
        yield Row(f"planted: {'six agents' if by_agent else 'one agent'}", figures)


def error_messages(given: Given) -> Iterator[Row]:
    """Error messages of all systems, which nothing was fitted to by name; see bench.errors for how bars were chosen."""
    scores = []
    for path in sorted((given.data / "errors").glob("*.csv.gz")):
        system = errors.System.read(path)
        scores.append(system.score())
        rate = len(system.events) / system.seconds
        yield Row(f"errors: {path.name.removesuffix('.csv.gz')}", _figures(scores[-1]) | {"per second": rate})
    yield Row("errors: mean", _figures(errors.averaged(scores)))


def _figures(score: errors.Score) -> dict[str, float]:
    return {"GA": score.accuracy, "FGA": score.group_f1, "pair F1": score.pair_f1}


JOBS: list[Callable[[Given], Iterator[Row]]] = [error_messages, free_text, planted]
"""What is measured, in the order of the table."""


def _through_the_product(events: Sequence[Mapping[str, Any]], by_agent: bool) -> Iterator[dict[str, Any]]:
    from django.core.management import call_command

    from agents.versions import create_agent
    from audit.record import SYSTEM

    slugs = {event["agent"]: event["agent"] if by_agent else AGENT for event in events}
    for slug in sorted(set(slugs.values())):
        create_agent(slug, name=slug, actor=SYSTEM, documents={"prompt": "Be kind.\n"})
    out = io.StringIO()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file, redirect_stderr(io.StringIO()):
        for event in events:
            file.write(json.dumps(_line(event, slugs[event["agent"]])) + "\n")
        file.flush()
        call_command("import_events", file.name, stdout=io.StringIO())
        call_command("mine", stdout=io.StringIO())
        call_command("export_patterns", stdout=out)
    for line in map(json.loads, out.getvalue().splitlines()):
        yield from ({"event_id": event, "pattern_id": line["pattern_id"]} for event in line["event_ids"])


def _line(event: Mapping[str, Any], agent: str) -> dict[str, Any]:
    """A planted event as the API takes it, each from a person or unit of its own."""
    line = {
        "id": event["event_id"],
        "agent": agent,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event["ts"])),
    }
    if event["kind"] == "error":
        return line | {"type": "run", "success": False, "error": event["text"], "unit": event["event_id"]}
    said = (
        {"reason": event["text"]}
        if event["kind"] == "reason"
        else {"output": event["output"], "correction": event["corrected"]}
    )
    return line | {"type": "feedback", "rating": "negative", "user": event["event_id"]} | said


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL: its address and its first process."""

    url: str
    pid: int


@contextmanager
def database(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL of its own with the program's tables, thrown away afterwards; Django uses it."""
    from django.core.management import call_command
    from django.db import connection

    from reviewapp.embedded import Postgres
    from reviewapp.processes import MARK, stop
    from reviewapp.settings import database_settings

    with tempfile.TemporaryDirectory(prefix="countersign-quality-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "run").mkdir(mode=0o711)
        postgres = Postgres(folder, durable=durable)
        postgres.create()
        server = postgres.child(os.environ | {MARK: name})
        server.start()
        try:
            postgres.wait(server)
            connection.settings_dict.update(database_settings(postgres.url))
            call_command("migrate", verbosity=0)
            yield Server(postgres.url, server.process.pid if server.process else 0)
        finally:
            connection.close()
            stop([server])
            postgres.tidy()


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Measure everything and print it row by row."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--judge", type=Path, help="where scenario.py and score.py are; DATA/../quality by default")
    parser.add_argument("--texts", type=int, default=3000, help="at most so many of each set")
    parser.add_argument("--seeds", default="11,12,13,14,15", help="of the scenarios")
    parser.add_argument("--only", default="", help="jobs by name, comma-separated")
    options = parser.parse_args()
    use_django()
    from feedback.actions import meaning

    print(meaning.missing() or "Texts are grouped by meaning.", flush=True)
    judge = options.judge or options.data.parent / "quality"
    given = Given(options.data, judge, options.texts, [int(seed) for seed in options.seeds.split(",")])
    for job in JOBS:
        if not options.only or job.__name__ in options.only.split(","):
            for row in job(given):
                show(row)


def use_django() -> None:
    """Set the program up, with the settings of this environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
    import django

    django.setup()


def show(row: Row) -> None:
    """Print one line of the table."""
    print(f"{row.name:24}", *(f"{key} {value:.3f}" for key, value in row.figures.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
