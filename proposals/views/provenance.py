"""Where a text came from: the story of a version, and what an agent ran on at a time."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from agents.models import WHOLE, Agent, Version
from audit.models import ChainHead
from audit.state import state
from people.requests import PersonRequest
from proposals.forms.provenance import ThenForm
from proposals.provenance import then
from proposals.provenance.story import tell
from proposals.reviewing import shown

may_see = permission_required("agents.view_agent", raise_exception=True)
may_see_log = permission_required("audit.view_auditentry", raise_exception=True)


@require_safe
@may_see
@may_see_log
def story(request: PersonRequest, pk: int) -> HttpResponse:
    """Everything behind one version, on one page that can be printed."""
    versions = Version.objects.select_related("document__agent", "restores").defer(*WHOLE, "restores__text")
    version = get_object_or_404(versions, pk=pk)
    head = ChainHead.objects.first()
    context = {
        "place": "agents",
        "document": version.document,
        "version": version,
        "story": tell(version),
        "head": head,
        "state": state(head),
    }
    return render(request, "proposals/story.html", context)


@require_safe
@may_see
def ran_then(request: PersonRequest) -> HttpResponse:
    """What an agent ran on at a time, who let it through, and on what evidence; the text of one of its documents."""
    asked = {name: request.GET[name] for name in ("agent", "at", "unit") if name in request.GET}
    likely = None if "agent" in asked else then.last_changed(request.user)
    initial = {"agent": likely and likely.slug, **asked, "at": timezone.now()}
    form = ThenForm(asked if "at" in asked else None, initial=initial, user=request.user)
    found = then.ran(**form.cleaned_data) if form.is_valid() else []
    slug = asked.get("agent", "").replace("\0", "")
    agent = likely or Agent.objects.for_person(request.user).filter(slug=slug).first()
    shown_one = next((one for one in found if one.version.document.slug == request.GET.get("document")), None)
    context = {
        "place": "audit",
        "form": form,
        "asked": form.cleaned_data if form.is_valid() else None,
        "found": found,
        "agent": agent,
        "picks": [(name, f"{at:%Y-%m-%d %H:%M:%S}") for name, at in then.picks(agent)] if agent else [],
        **_text(request, shown_one or (found[0] if found else None)),
    }
    return render(request, "proposals/ran_then.html", context, status=422 if form.errors else 200)


def _text(request: PersonRequest, one: then.Ran | None) -> dict[str, object]:
    """The text of one of them, in parts where it is long."""
    if one is None:
        return {}
    version = Version.objects.select_related("document").prefetch_related("document__sections").get(pk=one.version.pk)
    lines = shown.text_lines(version.document, version.text)
    return {"one": one, "code": shown.is_code(version.document), "part": shown.part(lines, request.GET)}
