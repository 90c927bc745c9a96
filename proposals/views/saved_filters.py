"""The filters a person keeps."""

from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit.forms import LogFilter
from audit.scope import unseen_agents
from audit.views import NOT_KEPT
from people.requests import PersonRequest
from proposals import queue
from proposals.actions import attention
from proposals.exceptions import Invalid
from proposals.forms.queue import NameForm
from proposals.models import SavedFilter
from proposals.views.queue import board_page

_LONGEST: Final = 6000
_LONGEST_NAME: Final = 200
may_see = permission_required("proposals.view_proposal", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def saved_filters(request: PersonRequest) -> HttpResponseBase:
    """All of one's own; posting keeps the one in `queue`, or the search in `log`, under a name."""
    if request.method != "POST":
        return _page(request)
    if "log" in request.POST:
        return _keep_search(request)
    form, position = NameForm(request.POST), queue.Place.carried(request.POST)
    try:
        if not form.is_valid():
            return board_page(request, position, name_form=form, status=422)
        kept = attention.save_filter(user=request.user, name=form.cleaned_data["name"], query=position.filters.query)
    except Invalid as refusal:
        form.refuse(refusal.field, str(refusal))
        return board_page(request, position, name_form=form, status=422)
    messages.success(request, f"Kept as “{kept}”.")
    return _see(reverse("queue") + queue.Place(position.filters).query)


def _keep_search(request: PersonRequest) -> HttpResponse:
    """Back to the log either way; where it is refused, with what was typed and why at the field."""
    search = LogFilter(QueryDict(request.POST["log"][:_LONGEST]), unseen=unseen_agents(request))
    query, name = search.query, request.POST.get("name", "")
    try:
        if not query:
            messages.error(request, "Narrow the log down first.")
            return _see(reverse("audit_log"))
        kept = attention.save_filter(user=request.user, name=name, query=query, place=SavedFilter.Place.LOG)
    except Invalid as refusal:
        request.session[NOT_KEPT] = str(refusal)
        query = "&".join(filter(None, [query, urlencode({"name": name[:_LONGEST_NAME]})]))
    else:
        messages.success(request, f"Kept as “{kept}”.")
    return _see(f"{reverse('audit_log')}?{query}")


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def change(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Rename or delete one's own filter."""
    kept = get_object_or_404(SavedFilter, pk=pk, user=request.user)
    if request.method != "POST":
        return redirect("saved_filters")
    if request.POST.get("act") == "delete":
        attention.delete_filter(pk, user=request.user)
        messages.success(request, f"“{kept}” is deleted.")
        return _see(reverse("saved_filters"))
    form = NameForm(request.POST, auto_id=f"id_{pk}_%s")
    try:
        if not form.is_valid():
            return _page(request, wrong=form, of=pk)
        attention.rename_filter(pk, user=request.user, name=form.cleaned_data["name"])
    except Invalid as refusal:
        form.refuse(refusal.field, str(refusal))
        return _page(request, wrong=form, of=pk)
    messages.success(request, "Renamed.")
    return _see(reverse("saved_filters"))


def _page(request: PersonRequest, *, wrong: NameForm | None = None, of: int = 0) -> HttpResponse:
    kept = [
        (one, wrong if wrong and one.pk == of else NameForm({"name": one.name}, auto_id=f"id_{one.pk}_%s"))
        for one in request.user.saved_filters.order_by("-place", "name")
    ]
    return render(
        request, "proposals/saved_filters.html", {"place": "review", "kept": kept}, status=422 if wrong else 200
    )


def _see(address: str) -> HttpResponse:
    answer = redirect(address)
    answer.status_code = 303
    return answer
