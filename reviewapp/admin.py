"""Django's own admin, for superusers and for looking only: what changes, changes by acts that the log records.

What is stored of people can be seen here in the raw, so the log records who looked at which rows, too.
"""

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BinaryField, Model
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from audit.record import Actor, record
from people.factors import asks_for_one, has_second
from people.models import User

SHOWN: Final = ("audit", "people", "notices", "agents", "feedback", "proposals")
_SECRET: Final = frozenset({"password", "digest", "secret"})
_UNUSED: Final = frozenset({"is_staff", "first_name", "last_name", "user_permissions"})
"""What Django gives every person, and means nothing here."""
_TIMES: Final = ("at", "created_at", "since", "started_at")

if TYPE_CHECKING:
    _Admin = ModelAdmin[Model]
else:
    _Admin = ModelAdmin  # cannot be subscripted when it runs


class Records(_Admin):
    """One kind of record: listed and shown, never added to, changed or deleted. Secrets stay hidden."""

    actions = None
    list_per_page = 50
    list_select_related = True
    show_full_result_count = False
    ordering = ("-pk",)

    @property
    def media(self) -> Media:
        """No scripts: there is nothing to fill in."""
        return Media()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = [field for field in self.opts.get_fields() if field.concrete and not isinstance(field, BinaryField)]
        return [field.name for field in fields if field.name not in _SECRET | _UNUSED]

    def get_list_display(self, request: HttpRequest) -> Any:
        named = {field.name for field in self.opts.get_fields() if field.concrete}
        return ("pk", "__str__", *[name for name in _TIMES if name in named][:1])

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj)

    @transaction.atomic
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        answer = super().changelist_view(request, extra_context)
        return self._looked_at(request, answer, {"rows": f"page {request.GET.get('p', '1')[:9]}"})

    @transaction.atomic
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        answer = super().change_view(request, object_id, form_url, extra_context)
        return self._looked_at(request, answer, {"rows": object_id[:40]})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The log has it; Django's own list would always be empty."""
        raise Http404

    def _looked_at(self, request: HttpRequest, answer: HttpResponseBase, which: dict[str, str]) -> HttpResponseBase:
        """The entry names the kind and the number alone: what the row is called may have to be erased one day."""
        if answer.status_code == 200 and isinstance(request.user, User):
            kind = ContentType.objects.get_for_model(self.model)
            record("record.read", actor=Actor.person(request.user), target=kind, after=which)
        return answer

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlySite(AdminSite):
    """Comes in by the board's own sign-in, second factor included, and has no way of its own to change a password."""

    site_header = site_title = "Countersign: records, to look at"
    index_title = "Records"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By the board's own page; whoever is signed in already may not come in here."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")


def is_superuser(request: HttpRequest) -> bool:
    """Whether whoever asks may look: no role makes a superuser, only `manage.py createsuperuser` does."""
    person = request.user
    if not isinstance(person, User) or not person.is_active or not person.is_superuser:
        return False
    return has_second(person) or not asks_for_one(person)


site = ReadOnlySite(name="admin")
for _app in SHOWN:
    for _model in apps.get_app_config(_app).get_models():
        site.register(_model, Records)
