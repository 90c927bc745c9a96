"""How the board itself is: for load balancers, for monitoring, and for the line on every page when something is wrong.

`/healthz` says that the process answers. `/readyz` is 503 without the database or before its migrations, and only then:
a silent worker or scheduler stands under `degraded`, because taking the web servers away would not help it. `/metrics`
gives counts and ages, no content; all three need no sign-in, so keep them off the public internet in your proxy.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Extract, Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents import spending
from audit.chain import Fault
from audit.models import ChainHead, Verification
from feedback.actions import meaning
from feedback.models import Feedback, Pattern, Run
from proposals.models import Proposal
from reviewapp.models import Heartbeat

SILENT_AFTER_S = 60.0
"""A worker or scheduler that has given no sign of life for so long (four ticks) counts as silent."""

_CONSEQUENCES = {
    Heartbeat.Process.WORKER: "mining, drafting and rollouts are paused; serving and reporting go on",
    Heartbeat.Process.SCHEDULER: "nothing is mined, drafted or rolled out by itself; serving and reporting go on",
}


@dataclass(frozen=True, slots=True)
class Signs:
    """Seconds since each process's last sign of life, and the fault that the last walk along the log found, if any."""

    silent: dict[str, float]
    fault: Fault | None

    @property
    def damage(self) -> str:
        """What is wrong with the log, as a sentence; empty when nothing is known to be."""
        return (
            f"The audit log is damaged: entry {self.fault.sequence} is bad: {self.fault.problem}." if self.fault else ""
        )


@dataclass(frozen=True)
class Status:
    """Seconds since the last sign of life (None: never), and seconds the oldest waiting work has waited (0: none)."""

    worker_silent_s: float | None
    scheduler_silent_s: float | None
    oldest_pending_s: float


def status() -> Status:
    """How the processes and the outboxes are, by the database's clock. Four queries."""
    silent = signs().silent
    waiting = [
        _first_age(Feedback.objects.unmined(), "received_at"),
        _first_age(Run.objects.unmined(), "received_at"),
        _first_age(Pattern.objects.due(), "draft_due_at"),
    ]
    return Status(silent.get("worker"), silent.get("scheduler"), max(0.0, *waiting))


def degraded(found: Signs | None = None) -> list[str]:
    """What does not work at the moment and what follows, one sentence each; empty when all is well. One query."""
    found = found or signs()
    lacking = [sentence for sentence in (found.damage, meaning.missing(), spending.missing()) if sentence]
    return lacking + [
        f"The {process.label} {_for_how_long(found.silent.get(process))}: {_CONSEQUENCES[process]}."
        for process in Heartbeat.Process
        if found.silent.get(process, SILENT_AFTER_S) >= SILENT_AFTER_S
    ]


def _for_how_long(seconds: float | None) -> str:
    if seconds is None:
        return "has never run"
    return (
        f"has been silent for {seconds / 60:.0f} min"
        if seconds < 7200
        else f"has been silent for {seconds / 3600:.0f} h"
    )


_LOG: Final = "log"
_SIGNS: Final = """
    SELECT process, extract(epoch FROM statement_timestamp() - at)::float, '' FROM reviewapp_heartbeat
    UNION ALL (SELECT %s, fault_at::float, fault FROM audit_verification ORDER BY id DESC LIMIT 1)
"""


def signs() -> Signs:
    """How the processes and the log are. One query."""
    with connection.cursor() as cursor:  # every page asks
        cursor.execute(_SIGNS, [_LOG])
        found = {name: (number, words) for name, number, words in cursor.fetchall()}
    at, problem = found.pop(_LOG, (None, ""))
    return Signs({name: seconds for name, (seconds, _) in found.items()}, Fault(int(at), problem) if at else None)


def _first_age(waiting: QuerySet[Any], since: str) -> float:
    """Seconds the first row has waited; 0 when there is none."""
    return float(waiting.values_list(Extract(Now() - F(since), "epoch"), flat=True).first() or 0.0)


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: 200 or 503, with the reasons as JSON."""
    try:
        missing = _missing_migrations()
        if missing:
            return JsonResponse(
                {"ready": False, "reason": f"not all migrations are applied: {len(missing)} missing"},
                status=503,
            )
        return JsonResponse({"ready": True, "degraded": degraded(), **asdict(status())})
    except DatabaseError:
        return JsonResponse({"ready": False, "reason": "the database does not answer"}, status=503)


@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges for Prometheus, read from the database when asked, so that every web process gives the same answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Board())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _missing_migrations() -> set[tuple[str, str]]:
    """Migrations this code has and the database lacks."""
    return set(_own_migrations() - MigrationRecorder(connection).applied_migrations().keys())


@cache
def _own_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {})


class _Board(Collector):
    """What /metrics shows."""

    def collect(self) -> Iterator[Metric]:
        """A few gauges; a database that does not answer is a gauge too."""
        up = GaugeMetricFamily("countersign_database_up", "Whether the database answers")
        try:
            gauges = list(_gauges())
        except DatabaseError:
            gauges = []
        up.add_metric([], 1 if gauges else 0)
        yield from [up, *gauges]


def _gauges() -> Iterator[Metric]:
    now = status()
    silent = GaugeMetricFamily(
        "countersign_seconds_since_heartbeat", "Since the last sign of life of a process", labels=["process"]
    )
    for name, seconds in (("worker", now.worker_silent_s), ("scheduler", now.scheduler_silent_s)):
        silent.add_metric([name], float("inf") if seconds is None else seconds)
    yield silent
    yield GaugeMetricFamily(
        "countersign_oldest_pending_seconds",
        "How long the oldest waiting work has waited",
        now.oldest_pending_s,
    )
    proposals = GaugeMetricFamily("countersign_proposals", "Proposals by state", labels=["state"])
    for state, count in Proposal.objects.order_by().values_list("status").annotate(Count("pk")):
        proposals.add_metric([state], count)
    yield proposals
    head = ChainHead.objects.values_list("sequence", flat=True).first() or 0
    yield GaugeMetricFamily("countersign_audit_entries", "Length of the audit chain", head)
    last = Verification.objects.annotate(age=Extract(Now() - F("at"), "epoch")).order_by("-pk").first()
    sound = GaugeMetricFamily("countersign_audit_sound", "Whether the last walk along the log found it sound")
    age = GaugeMetricFamily("countersign_audit_seconds_since_verification", "Since that walk; none: never")
    if last:
        sound.add_metric([], 0 if last.fault else 1)
        age.add_metric([], float(last.age))
    yield from (sound, age)
