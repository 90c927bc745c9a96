"""The page of what the board told whom, and what was not delivered."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notices import actions
from notices.channels import notifiers
from notices.forms import MailsForm
from notices.models import Delivery, Notice
from people import fresh
from people.requests import PersonRequest

SHOWN = 50


@require_safe
@permission_required("audit.view_auditentry", raise_exception=True)
def notices(request: PersonRequest) -> HttpResponse:
    """What was not delivered, what was told lately, and which ways there are."""
    form = MailsForm(initial={"address": request.user.email, "kind": request.user.mails})
    fresh.fill(request, form)
    return _page(request, form)


def _page(request: PersonRequest, form: MailsForm, *, status: int = 200) -> HttpResponse:
    seen = Notice.objects.for_person(request.user)
    dead = Delivery.objects.filter(state=Delivery.State.DEAD, notice__in=seen).select_related("notice").order_by("-pk")
    context = {
        "place": "settings",
        "dead": dead[:SHOWN],
        "told": seen.prefetch_related("deliveries")[:SHOWN],
        "mail": settings.COUNTERSIGN_MAIL,
        "webhook": bool(settings.COUNTERSIGN_WEBHOOK_URL),
        "others": [name for name in notifiers() if name not in ("mail", "webhook")],
        "form": form,
    }
    return render(request, "notices/notices.html", context, status=status)


@require_POST
@permission_required("audit.view_auditentry", raise_exception=True)
def set_mails(request: PersonRequest) -> HttpResponse:
    """Keep which notices the person wants by mail, and where.

    What happens to an account is told by mail, so whoever has found a session open must not be able to lead that away.
    """
    form = MailsForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    address = form.cleaned_data["address"]
    if address != request.user.email and not fresh.is_fresh(request):
        return fresh.ask_for_form(request, back=reverse("notices"))
    actions.want_by_mail(user=request.user, address=address, kinds=form.cleaned_data["kind"])
    messages.success(request, "Saved." if address else "Saved. Nothing is mailed to you.")
    return _back()


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(actions.RESEND, raise_exception=True)
def send_again(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Try one delivery anew."""
    if request.method != "POST":
        return redirect("notices")
    try:
        again = actions.send_again(pk, user=request.user)
        messages.success(request, f"It is sent to {again.label} again within seconds.")
    except Delivery.DoesNotExist:
        raise Http404("There is no such delivery.") from None
    except actions.NoticeError as refusal:
        messages.error(request, str(refusal))
    return _back()


def _back() -> HttpResponse:
    answer = redirect("notices")
    answer.status_code = 303
    return answer
