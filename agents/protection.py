"""Protect sections and name their owners."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from agents.exceptions import AgentError
from agents.models import Document, Section
from agents.sections import heading_key, parse
from agents.versions import lock_document
from audit.record import Actor, record
from people.models import User

DECIDE: Final = "proposals.decide_proposal"
_LONGEST_HEADING: Final = 200


class CannotProtect(AgentError):
    """There is no such section, or nobody who could approve a change to it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@transaction.atomic
def protect(document: Document, heading: str, *, owners: Iterable[User], actor: Actor) -> Section:
    """Protect the section under this heading: machines may not touch it, people need two approvals, one an owner's.

    A section protected already gets these owners instead. Raises CannotProtect.
    """
    people = sorted(set(owners), key=lambda person: person.username)
    _require_owners(people)
    lock_document(document.pk)  # an approval on its way is either finished by now, or sees the protection
    document = Document.objects.select_related("agent", "current").get(pk=document.pk)
    name = _standing(document, heading)
    Section.objects.get_or_create(document=document, heading=name)
    section = _locked(document, name)
    before, after = _facts(section), {"protected": True, "owners": [person.username for person in people]}
    if before != after:
        Section.objects.filter(pk=section.pk).update(is_protected=True)
        section.owners.set(people)
        _record("section.protected", section, document, actor, before, after)
    section.is_protected = True
    return section


@transaction.atomic
def unprotect(document: Document, heading: str, *, actor: Actor) -> bool:
    """Make the section one like any other; False when it was. It keeps no owners. Raises Section.DoesNotExist."""
    lock_document(document.pk)
    section = _locked(document, heading)
    before = _facts(section)
    if not Section.objects.filter(pk=section.pk, is_protected=True).update(is_protected=False):
        return False
    section.owners.clear()
    _record("section.unprotected", section, document, actor, before, {"protected": False, "owners": []})
    return True


def headings(document: Document) -> list[str]:
    """The headings of the current text that can be protected, in order, each once; none where it is no prompt."""
    if document.kind != Document.Kind.PROMPT or document.current is None:
        return []
    found = dict.fromkeys(section.heading for section in parse(document.current.text))
    return [heading for heading in found if 0 < len(heading) <= _LONGEST_HEADING]


def _standing(document: Document, heading: str) -> str:
    """The heading as it stands in the current text. Raises CannotProtect."""
    there = headings(document)
    found = [name for name in there if heading_key(name) == heading_key(heading)]
    if not found:
        known = f"There are: {', '.join(there[:20])}." if there else "Only a heading of a prompt can be protected."
        raise CannotProtect("heading", f"{document} has no section “{heading[:80]}”. {known}")
    return heading if heading in found else found[0]


def _require_owners(people: list[User]) -> None:
    """Raises CannotProtect when there is none, or one whose approval would not count."""
    if not people:
        raise CannotProtect("owners", "A protected section needs an owner, or nobody could ever change it.")
    for person in people:
        if not person.is_active or not person.has_perm(DECIDE):
            raise CannotProtect("owners", f"{person} cannot be an owner: approving needs the role reviewer or admin.")


def _locked(document: Document, heading: str) -> Section:
    return Section.objects.select_for_update(no_key=True).get(document=document, heading=heading)


def _facts(section: Section) -> dict[str, Any]:
    owners = section.owners.order_by("username").values_list("username", flat=True)
    return {"protected": section.is_protected, "owners": list(owners)}


def _record(
    verb: str, section: Section, document: Document, actor: Actor, before: dict[str, Any], after: dict[str, Any]
) -> None:
    agent = document.agent.slug
    record(verb, actor=actor, target=section, agent=agent, document=document.slug, before=before, after=after)
