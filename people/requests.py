"""The request as a view sees it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from people.models import User


class PersonRequest(HttpRequest):
    """A request of somebody signed in, which the middleware makes sure of. For type checking only."""

    user: User
    htmx: HtmxDetails
