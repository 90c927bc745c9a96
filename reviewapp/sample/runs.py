"""What the agents did: runs with their tools, latency, quality, cost and errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any, Final

from reviewapp.sample.plan import Span, moment
from reviewapp.sample.voices import HOURS, Report


@dataclass(frozen=True, slots=True)
class Profile:
    """How an agent usually runs; `tasks` maps each task to its tools, `latency_s` is the median."""

    document: str
    model: str
    tasks: Mapping[str, Sequence[str]]
    latency_s: float
    cost_usd: float
    success: float


PROFILES: Final = {
    "support": Profile(
        document="system-prompt",
        model="general-large",
        tasks={
            "order question": ("order_lookup",),
            "delivery question": ("order_lookup", "track_parcel"),
            "refund": ("order_lookup", "create_ticket"),
            "account": ("search_help",),
            "product question": ("search_help",),
        },
        latency_s=2.1,
        cost_usd=0.006,
        success=0.955,
    ),
    "coding": Profile(
        document="review-rules",
        model="code-large",
        tasks={
            "review": ("read_file", "search_code", "post_review"),
            "edit": ("edit_file", "run_tests"),
            "explain": ("read_file",),
        },
        latency_s=14.0,
        cost_usd=0.09,
        success=0.93,
    ),
}

# How long a call of each tool takes, beside what the agent takes as a whole.
PACE: Final = {
    "order_lookup": 0.4,
    "track_parcel": 0.55,
    "create_ticket": 0.6,
    "search_help": 1.5,
    "read_file": 0.03,
    "search_code": 0.1,
    "post_review": 0.08,
    "edit_file": 0.05,
}
INPUTS: Final = 120
"""Each tool is called with so many different inputs."""

# How busy the days are, from Monday.
WEEK: Final = {"support": (10, 10, 9, 9, 10, 7, 6), "coding": (10, 11, 11, 10, 8, 1, 1)}

Failure = Callable[[Random], dict[str, Any]]


def _search_limited(random: Random) -> dict[str, Any]:
    wait = f"retry after {random.randint(2, 40)} s"
    error = f"search_help: 429 Too Many Requests, rate limit of 20 requests per minute exceeded, {wait}"
    return {"task": "product question", "tool": "search_help", "error_type": "RateLimitError", "error": error}


def _lookup_timeout(random: Random) -> dict[str, Any]:
    error = f"Tool order_lookup timed out after 5.0 s (order {random.randint(40_000, 49_999)})"
    return {
        "task": "order question",
        "tool": "order_lookup",
        "error_type": "ToolTimeout",
        "error": error,
        "latency_ms": 5_012.0,
    }


def _no_tracker(random: Random) -> dict[str, Any]:
    error = f"Unknown tool shipment_tracker, call {random.getrandbits(40):010x}"
    return {"task": "delivery question", "tool": "shipment_tracker", "error_type": "ToolNotFound", "error": error}


def _tests_timeout(random: Random) -> dict[str, Any]:
    error = f"Tool run_tests timed out after 120 s in tests/test_module_{random.randint(1, 90)}.py"
    return {"task": "edit", "tool": "run_tests", "error_type": "ToolTimeout", "error": error, "latency_ms": 120_009.0}


def _no_formatter(random: Random) -> dict[str, Any]:
    error = f"Unknown tool format_code, call {random.getrandbits(40):010x}"
    return {"task": "edit", "tool": "format_code", "error_type": "ToolNotFound", "error": error}


def _unhelpful(random: Random) -> dict[str, Any]:
    return {"task": "refund", "tool": "order_lookup", "quality": float(random.randint(1, 2))}


FAILURES: Final[Mapping[str, Failure]] = {
    "search_limited": _search_limited,
    "lookup_timeout": _lookup_timeout,
    "no_tracker": _no_tracker,
    "tests_timeout": _tests_timeout,
    "no_formatter": _no_formatter,
    "unhelpful": _unhelpful,
}

ONE_OFF: Final = (
    ("UnicodeDecodeError", "invalid start byte in attachment"),
    ("SchemaError", "answer is not an object"),
    ("EmptyResponse", "the model returned an empty response"),
    ("OSError", "no space left on device"),
    ("ConversationLost", "conversation was not found"),
    ("UpstreamError", "bad gateway while streaming"),
    ("Cancelled", "customer left the chat"),
    ("ModelUnavailable", "falling back to another model"),
)


def moments(random: Random, agent: str, begin: datetime, end: datetime, count: int) -> list[datetime]:
    """So many times between two, earliest first, in the rhythm of day and week."""
    busiest = max(HOURS) * max(WEEK[agent])
    found: list[datetime] = []
    while len(found) < count:
        at = begin + (end - begin) * random.random()
        if random.random() * busiest < HOURS[at.hour] * WEEK[agent][at.weekday()]:
            found.append(at)
    return sorted(found)


class Runs:
    """All runs of one agent."""

    def __init__(self, agent: str, random: Random) -> None:
        self.agent, self.random, self.profile = agent, random, PROFILES[agent]
        self._one_off = iter(random.sample(ONE_OFF, len(ONE_OFF)))

    def usual(self, count: int, begin: datetime, end: datetime) -> list[Report]:
        """So many runs as they come; a few fail without saying why, and each odd error happens once."""
        times = moments(self.random, self.agent, begin, end, count)
        return [self._run(at, "run", self._outcome()) for at in times]

    def failing(self, spans: Sequence[Span], now: datetime) -> list[Report]:
        """The failures of these spans; their themes are names in FAILURES."""
        found: list[Report] = []
        for span in spans:
            begin, end = moment(now, span.begin), moment(now, span.end)
            for at in moments(self.random, self.agent, begin, end, span.count):
                found.append(self._run(at, span.theme, {"success": False, **FAILURES[span.theme](self.random)}))
        return found

    def _outcome(self) -> dict[str, Any]:
        if self.random.random() < self.profile.success:
            return {"success": True}
        error_type, error = next(self._one_off, ("", ""))
        return {"success": False, **({"error_type": error_type, "error": error} if error else {})}

    def _run(self, at: datetime, theme: str, outcome: dict[str, Any]) -> Report:
        random, profile = self.random, self.profile
        task = random.choice(list(profile.tasks))
        slow = 2.5 if not outcome["success"] else 1.0
        seconds = profile.latency_s * slow * random.lognormvariate(0, 0.45)
        usual = {
            "document": profile.document,
            "model": profile.model,
            "unit": f"session-{random.getrandbits(40):010x}",
            "task": task,
            "tool": random.choice(profile.tasks[task]),
            "latency_ms": round(seconds * 1000, 1),
            "cost_usd": round(profile.cost_usd * random.lognormvariate(0, 0.3), 5),
        }
        if outcome["success"] and random.random() < 0.4:
            usual["quality"] = float(random.choice((3, 4, 4, 4, 5, 5)))
        body: dict[str, Any] = usual | outcome
        pace = 1.0 if "latency_ms" in outcome else PACE.get(body["tool"], 1.0)
        return Report(at, theme, body | {"latency_ms": round(body["latency_ms"] * pace, 1)} | _fingerprints(body, at))


def _fingerprints(body: Mapping[str, Any], at: datetime) -> dict[str, str]:
    """What went in and what came out; the search finds other articles from week to week."""
    given = f"{body['tool']} {int(body['unit'][-10:], 16) % INPUTS}"
    found = f"{given} {at.isocalendar().week if body['tool'] == 'search_help' else ''}"
    hashes = {"input_hash": sha256(given.encode()).hexdigest()}
    return hashes | ({"output_hash": sha256(found.encode()).hexdigest()} if body["success"] else {})
