"""The keys that agents sign in with, the sections that only owners let change, and when drafts are made."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agents import keys, lifting, profiles, protection, teams
from agents.forms import KeyForm, SectionForm, TeamForm, TrafficForm
from agents.models import Agent, ApiKey, Document, Section
from agents.traffic import NUMBERS
from audit.record import Actor
from people import fresh
from people.models import User
from people.requests import PersonRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("agents.manage_key", raise_exception=True)
def new_key(request: PersonRequest, slug: str) -> HttpResponseBase:
    """Create a key for one agent; its secret is on the answer and nowhere else."""
    agent = get_object_or_404(Agent, slug=slug)
    form = KeyForm(request.POST or None, initial={"owner": request.user})
    fresh.fill(request, form)
    context = {"place": "agents", "agent": agent, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "agents/new_key.html", context, status=422 if form.is_bound else 200)
    try:
        key, secret = keys.create(agent, actor=Actor.person(request.user), **form.wish)
    except keys.OwnerRefused as refusal:
        form.add_error("owner", str(refusal))
        return render(request, "agents/new_key.html", context, status=422)
    return render(request, "agents/key_made.html", {**context, "key": key, "secret": secret}, status=201)


@require_POST
@permission_required("agents.manage_key", raise_exception=True)
def revoke_key(request: PersonRequest, prefix: str) -> HttpResponse:
    """End a key for good."""
    key = get_object_or_404(ApiKey.objects.select_related("agent"), prefix=prefix)
    revoked = keys.revoke(prefix, actor=Actor.person(request.user))
    said = f"Revoked {key.label}. It is refused from now on." if revoked else f"{key.label} was revoked already."
    messages.success(request, said)
    answer = redirect("taint", prefix) if ApiKey.Scope.INGEST in key.scopes else redirect("key", prefix)
    answer.status_code = 303
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(profiles.SET_TRAFFIC, raise_exception=True)
def traffic(request: PersonRequest, slug: str) -> HttpResponseBase:
    """Set when drafts are made for an agent by themselves."""
    agent = get_object_or_404(Agent, slug=slug)
    form = TrafficForm(request.POST) if request.method == "POST" else TrafficForm.of(agent)
    fresh.fill(request, form)
    if form.is_bound and form.is_valid():
        try:
            profiles.set_traffic(agent.pk, user=request.user, **form.cleaned_data)
        except profiles.CannotSet as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, "Saved. It holds from the next report on.")
            answer = redirect("agent", slug)
            answer.status_code = 303
            return answer
    context = {"place": "agents", "agent": agent, "form": form, "usual": NUMBERS.items()}
    return render(request, "agents/traffic.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(teams.MANAGE, raise_exception=True)
def team(request: PersonRequest, slug: str) -> HttpResponseBase:
    """Say whose an agent is."""
    agent = get_object_or_404(Agent, slug=slug)
    form = TeamForm(request.POST) if request.method == "POST" else TeamForm(initial={"team": agent.team_id})
    fresh.fill(request, form)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data["team"]
        try:
            done = teams.give_to_team(agent.pk, given.pk if given else None, actor=Actor.person(request.user))
        except teams.CannotGive as refusal:
            form.add_error("team", str(refusal))
        else:
            whose = f"{agent} is {f'the team {given}’s' if given else 'everybody’s'}"
            messages.success(request, f"{whose} from now on." if done else f"{whose} already.")
            answer = redirect("agent", slug)
            answer.status_code = 303
            return answer
    context = {"place": "agents", "agent": agent, "form": form}
    return render(request, "agents/team.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(protection.DECIDE, raise_exception=True)
def sections(request: PersonRequest, slug: str, name: str) -> HttpResponseBase:
    """The protected sections of a document; admins protect another, or name other owners."""
    document = get_object_or_404(Document.objects.named(slug, name).select_related("agent", "current"))
    there = protection.headings(document)
    if request.method != "POST":
        form = SectionForm(headings=there)
        fresh.fill(request, form)
        return _sections(request, document, form)
    if not request.user.has_perm(lifting.MANAGE):
        raise PermissionDenied
    form = SectionForm(request.POST, headings=there)
    if not form.is_valid():
        return _sections(request, document, form, status=422)
    wish = form.cleaned_data
    try:
        protection.protect(
            document, wish["heading"], owners=wish["owners"], teams=wish["teams"], actor=Actor.person(request.user)
        )
    except protection.CannotProtect as refusal:
        form.add_error(refusal.field, str(refusal))
        return _sections(request, document, form, status=422)
    messages.success(request, f"{wish['heading']} is protected.")
    return _see_sections(document)


@require_POST
@permission_required(protection.DECIDE, raise_exception=True)
def unprotect(request: PersonRequest, slug: str, name: str, pk: int) -> HttpResponse:
    """Ask to make a section one like any other, confirm what somebody else asked, or keep it as it is."""
    document = get_object_or_404(Document.objects.named(slug, name).select_related("agent", "current"))
    section = get_object_or_404(document.sections, pk=pk)
    try:
        said = _lift(section, request.POST.get("do", "ask"), request.user)
    except lifting.CannotLift as refusal:
        form = SectionForm(headings=protection.headings(document))
        return _sections(request, document, form, status=409, refusal=str(refusal))
    messages.success(request, said)
    return _see_sections(document)


def _lift(section: Section, do: str, user: User) -> str:
    """Do one of the three; what to say of it. Raises CannotLift."""
    if do == "keep":
        lifting.keep(section.pk, user=user)
        return f"{section} stays protected."
    if do == "confirm":
        lifting.confirm(section.pk, user=user)
    elif not lifting.ask(section.pk, user=user):
        return f"You asked to lift the protection of {section}. Another admin or an owner of the section confirms it."
    return f"{section} is no longer protected."


def _sections(
    request: PersonRequest, document: Document, form: SectionForm, *, status: int = 200, refusal: str = ""
) -> HttpResponse:
    rows = Section.objects.filter(document=document, is_protected=True).select_related("lift_asked_by").order_by("pk")
    protected = list(rows.prefetch_related("owners", "owner_teams__members"))
    context = {
        "place": "agents",
        "document": document,
        "form": form,
        "refusal": refusal,
        "sections": [(section, lifting.may_confirm(request.user, section)) for section in protected],
    }
    return render(request, "agents/sections.html", context, status=status)


def _see_sections(document: Document) -> HttpResponse:
    answer = redirect("sections", document.agent.slug, document.slug)
    answer.status_code = 303
    return answer
