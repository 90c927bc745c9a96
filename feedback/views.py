"""What happened: an agent's days, and what recurs."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from agents.compiled import Compiled, key
from agents.models import Agent, Document, whole_of
from audit.record import Actor
from feedback import across
from feedback.actions import erasure
from feedback.forms import EraseForm
from feedback.health_page import SORTS, health
from feedback.models import Erasure, Evidence, Pattern
from feedback.trends import trends
from feedback.vitals import SPANS
from feedback.why import why as why_of
from people import fresh
from people.models import User
from people.requests import PersonRequest

PER_PAGE = 30
KEYS_SHOWN = 50
ERASURES_SHOWN = 50
TOP_PATTERNS = 5
RECENT = timedelta(days=7)
_SHOWN = {
    "open": Q(status="open"),
    "proposed": Q(status="proposed"),
    "watching": Q(status="watching"),
    "resolved": Q(status="resolved"),
    "dismissed": Q(status="dismissed"),
    "all": Q(),
}
_TOP: Final = Compiled(
    lambda: (
        Pattern.objects.filter(status__in=["open", "proposed"], agent=key("agent"))
        .for_rows()
        .order_by("-sources", "-last_seen")[:TOP_PATTERNS]
    )
)
_DOCUMENTS: Final = Compiled(
    lambda: (
        Document.objects.filter(agent=key("agent"))
        .select_related("agent", "current")
        .defer(*whole_of("current"))
        .order_by("pk")
    )
)
_LABELS = {
    "open": "Open",
    "proposed": "Proposed",
    "watching": "Watching",
    "resolved": "Resolved",
    "dismissed": "Dismissed",
    "all": "All",
    "across": "Across agents",
}


@require_safe
@permission_required("agents.view_agent", raise_exception=True)
def agent(request: PersonRequest, slug: str) -> HttpResponse:
    """One agent: its health, its documents, its patterns, its keys."""
    found = get_object_or_404(Agent.objects.select_related("team"), slug=slug)
    patterns = _TOP.ask(agent=found.pk)
    lines = trends({pattern.pk for pattern in patterns})
    documents = _DOCUMENTS.ask(agent=found.pk)
    context = {
        "place": "agents",
        "agent": found,
        "documents": documents,
        "names": {document.slug: document.name for document in documents},
        "health": health(found, over=request.GET.get("range", ""), sort=request.GET.get("sort", "")),
        "spans": SPANS,
        "sorts": SORTS.items(),
        "address": request.build_absolute_uri("/").rstrip("/"),
        "patterns": [(pattern, lines.get(pattern.pk)) for pattern in patterns],
        "least_sources": settings.COUNTERSIGN_MIN_SOURCES,
        "keys": found.keys.select_related("owner")[:KEYS_SHOWN],
    }
    return render(request, "feedback/agent.html", context)


@require_safe
@permission_required("feedback.view_pattern", raise_exception=True)
def patterns(request: PersonRequest) -> HttpResponse:
    """What keeps coming back, those with most sources first."""
    show, kind, agent = (request.GET.get(name, "").replace("\0", "") for name in ("show", "kind", "agent"))
    show = show if show in _LABELS else "open"
    if show == "across":
        return _across(request, kind, agent)
    wanted = {name: value for name, value in {"kind": kind, "agent__slug": agent}.items() if value}
    seen = Pattern.objects.for_person(request.user).shown()
    rows = seen.filter(_SHOWN[show], **wanted).for_rows()
    page = Paginator(rows.order_by("-sources", "-last_seen", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    lines = trends({pattern.pk for pattern in page.object_list})
    numbers = _numbers(request.user, show, kind, agent)
    praise = numbers["kind_success"] if kind in ("", "success") else 0
    context = {
        "place": "patterns",
        "show": show,
        "choices": [(name, label, numbers[name]) for name, label in _LABELS.items()],
        "kinds": [(name, label, numbers[f"kind_{name}"]) for name, label in Pattern.Kind.choices],
        "praise": praise,
        "coming": page.paginator.count - praise,
        "kind": kind,
        "agents": Agent.objects.for_person(request.user),
        "agent": agent,
        "page": page,
        "rows": [(pattern, lines.get(pattern.pk)) for pattern in page.object_list],
        "open": numbers["open"],
        "recent": seen.filter(_SHOWN["open"], last_seen__gte=timezone.now() - RECENT, **wanted).count(),
        "held_back": Pattern.objects.for_person(request.user).held_back().count(),
        "most_open": settings.COUNTERSIGN_OPEN_PATTERNS,
        "never_used": not page.paginator.count and not seen.exists(),
    }
    return render(request, "feedback/patterns.html", context)


def _across(request: PersonRequest, kind: str, agent: str) -> HttpResponse:
    """What recurs at several agents, those with most sources first."""
    page = Paginator(across.rows(request.user, kind, agent), PER_PAGE).get_page(request.GET.get("page"))
    numbers = _numbers(request.user, "all", kind, agent)
    of_kind = across.kinds(request.user, agent)
    context = {
        "place": "patterns",
        "show": "across",
        "choices": [(name, label, numbers[name]) for name, label in _LABELS.items()],
        "kinds": [(name, label, of_kind.get(name, 0)) for name, label in Pattern.Kind.choices],
        "kind": kind,
        "agents": Agent.objects.for_person(request.user),
        "agent": agent,
        "page": page,
        "rows": [(shared, across.at_agents(shared)) for shared in page.object_list],
    }
    return render(request, "feedback/patterns.html", context)


@require_safe
@permission_required("feedback.view_pattern", raise_exception=True)
def shared_pattern(request: PersonRequest, pk: int) -> HttpResponse:
    """One thing that recurs at several agents: how often at each, and what is made of it there."""
    shared = get_object_or_404(across.rows(request.user), pk=pk)
    context = {
        "place": "patterns",
        "shared": shared,
        "places": across.at_agents(shared, with_documents=True),
        "examples": across.examples(shared),
        "least_sources": settings.COUNTERSIGN_MIN_SOURCES,
    }
    return render(request, "feedback/shared_pattern.html", context)


@require_safe
@permission_required("feedback.view_pattern", raise_exception=True)
def why(request: PersonRequest, pk: int, item: int) -> HttpResponse:
    """Why one report is in a pattern."""
    rows = Evidence.objects.select_related("feedback", "run", "pattern__agent").defer("pattern__centroid")
    evidence = get_object_or_404(rows, pk=item, pattern=pk)
    context = {"place": "patterns", "pattern": evidence.pattern, "why": why_of(evidence.pattern, evidence)}
    return render(request, "feedback/why.html", context)


def _numbers(user: User, show: str, kind: str, agent: str) -> dict[str, int]:
    """How many patterns each filter would show beside the others: by name, those of kinds as “kind_…”; two queries."""
    of_kind = Q(kind=kind) if kind else Q()
    of_agent = {"agent__slug": agent} if agent else {}
    by_status = {name: Count("pk", filter=asked & of_kind) for name, asked in _SHOWN.items()}
    by_kind = {f"kind_{name}": Count("pk", filter=_SHOWN[show] & Q(kind=name)) for name in Pattern.Kind.values}
    counts = Pattern.objects.for_person(user).shown().filter(**of_agent).aggregate(**by_status, **by_kind)
    return counts | {"across": across.rows(user, kind, agent).count()}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("feedback.erase_subject", raise_exception=True)
def erase(request: PersonRequest) -> HttpResponseBase:
    """Have erased what came from one end user. The name itself is kept nowhere, so it is asked for after the proof."""
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=request.path, words={})
    form = EraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        erasure.ask(form.cleaned_data["name"], actor=Actor.person(request.user))
        messages.success(request, "Asked for. It is done within a minute.")
        answer = redirect("erase")
        answer.status_code = 303
        return answer
    context = {"place": "settings", "form": form, "wishes": Erasure.objects.all()[:ERASURES_SHOWN]}
    return render(request, "feedback/erase.html", context, status=422 if form.is_bound else 200)
