"""What can be taken away from the log: exports, checkpoints, public keys, proofs, and the program that checks them."""

from typing import Final

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from audit import checkpoints, exporting
from audit.exceptions import AuditError
from audit.forms import LogFilter
from audit.models import AuditEntry
from audit.paging import LARGEST_CURSOR
from audit.record import Actor
from audit.scope import unseen_agents
from audit.views import may_see

_TEXT: Final = "text/plain; charset=utf-8"
_FORMS: Final = {
    "jsonl": ("application/jsonl; charset=utf-8", exporting.json_lines),
    "csv": ("text/csv; charset=utf-8", exporting.csv_lines),
}
may_export = permission_required("audit.export_log", raise_exception=True)


def _person(request: HttpRequest) -> Actor:
    """Whoever is signed in."""
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return Actor.person(request.user)


@require_POST
@may_export
def export(request: HttpRequest) -> HttpResponseBase:
    """The entries that fit the filters in the address, oldest first, streamed. Leaves an entry on the log itself."""
    form = LogFilter(request.GET, unseen=unseen_agents(request))
    kind = request.POST.get("form", "")
    if not form.is_valid() or kind not in _FORMS:
        return HttpResponse("This export makes no sense. Go back and try again.\n", _TEXT, status=422)
    content_type, lines = _FORMS[kind]
    filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
    last = exporting.begin(_person(request), form=kind, filters=filters)
    answer = StreamingHttpResponse(lines(form.entries(), last), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="audit-log-to-{last}.{kind}"'
    return answer


@require_POST
@may_export
def make_checkpoint(request: HttpRequest) -> HttpResponse:
    """Sign the log as it is now, after a check of what is new."""
    try:
        made = checkpoints.make(_person(request))
    except AuditError as refusal:
        messages.error(request, str(refusal))
    else:
        done = f"A checkpoint of {made.size:,} entries is made. Keep a copy where nobody here can change it."
        messages.success(request, done)
    answer = redirect("audit_log")
    answer.status_code = 303
    return answer


@require_safe
@may_see
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint, as signed."""
    found = checkpoints.newest()
    if found is None:
        raise Http404
    return _file(found.note, f"checkpoint-{found.size}.txt")


@require_safe
@may_see
def keys(request: HttpRequest) -> HttpResponse:
    """Every public key that ever signed a checkpoint."""
    return _file(exporting.keys_text(), "keys.txt")


@require_safe
@may_see
def program(request: HttpRequest) -> HttpResponse:
    """The stand-alone program that checks exports and proofs."""
    return _file(exporting.STANDALONE.read_text(encoding="utf-8"), exporting.STANDALONE.name)


@require_safe
@may_see
def proof(request: HttpRequest, sequence: int) -> HttpResponse:
    """One entry with its way to the root of a checkpoint: the newest, or the one of `?size=` entries."""
    found = get_object_or_404(AuditEntry, sequence=min(sequence, LARGEST_CURSOR))
    size = request.GET.get("size", "")
    asked = int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None
    covered = checkpoints.covering(sequence, asked)
    if covered is None or (size and asked is None):
        raise Http404
    return _file(exporting.proof_text(found, covered), f"entry-{sequence}.tlog-proof")


def _file(text: str, name: str) -> HttpResponse:
    return HttpResponse(text, _TEXT, headers={"Content-Disposition": f'attachment; filename="{name}"'})
