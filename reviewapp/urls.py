"""Every address of the program."""

from django.urls import include, path

from reviewapp import csp_reports, health, pages, retention_page
from reviewapp.admin import site
from reviewapp.api import urls as api_urls

urlpatterns = [
    path("api/v1/", api_urls),
    path("admin/", site.urls),
    path("csp/", csp_reports.reports, name="csp_reports"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("settings/", pages.board_settings, name="settings"),
    path("settings/retention/", retention_page.page, name="retention"),
    path("", include("people.urls")),
    path("", include("notices.urls")),
    path("", include("audit.urls")),
    path("", include("agents.urls")),
    path("", include("feedback.urls")),
    path("", include("proposals.urls")),
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.broken
