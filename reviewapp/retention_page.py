"""The page on how long things are kept."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from people import fresh
from people.requests import PersonRequest
from proposals.exceptions import ReviewError
from proposals.forms.proposals import TypedForm
from proposals.views.refusals import show_in
from reviewapp import retention
from reviewapp.models import Retention


class RetentionForm(TypedForm):
    """What, and for how many days."""

    kind = forms.ChoiceField(label="What", choices=Retention.Kind.choices)
    days = forms.IntegerField(
        label="Days it is kept", required=False, min_value=retention.LEAST_DAYS, max_value=retention.MOST_DAYS
    )

    def clean(self) -> dict[str, Any]:
        kind, days = self.cleaned_data.get("kind"), self.cleaned_data.get("days")
        if kind and days and (said := retention.out_of_bounds(kind, days)):
            self.add_error("days", said)
        return self.cleaned_data


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(retention.MANAGE, raise_exception=True)
def page(request: PersonRequest) -> HttpResponseBase:
    """How long each kind is kept; a preview of a time before it is set."""
    if request.method != "POST":
        given = fresh.take_words(request, reverse("retention"))
        asked = {name: request.GET[name] for name in ("kind", "days") if name in request.GET}
        form = RetentionForm(request.GET if asked.get("days") else None, initial=given or asked)
        return _show(request, form, seen=form.is_bound and form.is_valid())
    form = RetentionForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=reverse("retention"), words=words)
    try:
        kept = retention.set_time(form.cleaned_data["kind"], form.cleaned_data["days"], user=request.user)
    except ReviewError as refusal:
        return _show(request, form, status=show_in(form, refusal))
    messages.success(request, f"{kept}. What is older goes next night." if kept and kept.days else f"{kept}.")
    answer = redirect("retention")
    answer.status_code = 303
    return answer


def _show(request: PersonRequest, form: RetentionForm, *, seen: bool = False, status: int = 200) -> HttpResponse:
    word: dict[str, Any] = form.cleaned_data if seen else {}
    times = dict(Retention.objects.values_list("kind", "days"))
    kinds = [(kind, label, retention.WAYS[kind], times.get(kind)) for kind, label in Retention.Kind.choices]
    context = {
        "place": "settings",
        "form": form,
        "kinds": kinds,
        "preview": retention.preview(word["kind"], word["days"]) if word.get("days") else None,
        "of": dict(Retention.Kind.choices).get(word.get("kind", "")),
    }
    return render(request, "retention.html", context, status=status)
