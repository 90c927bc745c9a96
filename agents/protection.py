"""Protect sections and name their owners."""

from collections.abc import Iterable

from django.db import transaction

from agents.models import Document, Section
from audit.record import Actor, record
from people.models import User


@transaction.atomic
def protect(document: Document, heading: str, *, owners: Iterable[User], actor: Actor) -> Section:
    """Protect the section under this heading: machines may not touch it, people need two approvals, one an owner's."""
    section, _created = Section.objects.update_or_create(
        document=document, heading=heading, defaults={"is_protected": True}
    )
    people = list(owners)
    section.owners.set(people)
    record(
        "section.protected",
        actor=actor,
        target=section,
        agent=document.agent.slug,
        document=document.slug,
        after={"heading": heading, "owners": [person.username for person in people]},
    )
    return section
