"""A Django view that returns a constant, under no middleware at all: what reads are measured against."""

import secrets

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], SECRET_KEY=secrets.token_hex(), DATABASES={}
)
BODY = b'{"content":"' + b"x" * 2000 + b'"}'


def constant(request: HttpRequest) -> HttpResponse:
    """Always the same two kilobytes."""
    # Without any middleware nobody else sets the length, and a chunked answer costs more.
    return HttpResponse(BODY, content_type="application/json", headers={"Content-Length": str(len(BODY))})


urlpatterns = [path("constant", constant)]
application = get_wsgi_application()
