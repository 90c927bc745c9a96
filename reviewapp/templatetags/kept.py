"""What a person keeps, for pages of apps that know nothing of it."""

from django import template

from people.models import User
from proposals.models import SavedFilter

register = template.Library()


@register.simple_tag
def saved_searches(user: User) -> list[SavedFilter]:
    """This person's searches in the log, by name. One query."""
    return list(user.saved_filters.filter(place=SavedFilter.Place.LOG))
