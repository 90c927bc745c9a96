"""The page of what the board told whom, and what was not delivered."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notices import actions
from notices.channels import notifiers
from notices.models import Delivery, Notice
from people.requests import PersonRequest

SHOWN = 50


@require_safe
@permission_required("audit.view_auditentry", raise_exception=True)
def notices(request: PersonRequest) -> HttpResponse:
    """What was not delivered, what was told lately, and which ways there are."""
    dead = Delivery.objects.filter(state=Delivery.State.DEAD).select_related("notice").order_by("-pk")
    context = {
        "place": "settings",
        "dead": dead[:SHOWN],
        "told": Notice.objects.prefetch_related("deliveries")[:SHOWN],
        "mail": settings.COUNTERSIGN_MAIL,
        "webhook": bool(settings.COUNTERSIGN_WEBHOOK_URL),
        "others": [name for name in notifiers() if name not in ("mail", "webhook")],
        "address": request.user.email,
        "kinds": [(kind.value, kind.label, kind.value in request.user.mails) for kind in Notice.Kind],
    }
    return render(request, "notices/notices.html", context)


@require_POST
@permission_required("audit.view_auditentry", raise_exception=True)
def set_mails(request: PersonRequest) -> HttpResponse:
    """Keep which notices the person wants by mail, and where."""
    address, kinds = request.POST.get("address", "")[:254], request.POST.getlist("kind")
    try:
        actions.want_by_mail(user=request.user, address=address, kinds=kinds)
    except actions.BadAddress as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Saved." if address.strip() else "Saved. Nothing is mailed to you.")
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
