"""Lift the protection of a section: an admin asks for it, and another admin or an owner of the section confirms.

One person alone could else lift the protection first and change the section then with one approval. Where the board is
one person's, asking is enough, and the log says so.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents import protection
from agents.exceptions import AgentError
from agents.models import Section
from agents.reach import require_act
from agents.versions import lock_document
from audit.record import Actor
from people.models import User

MANAGE = "agents.manage_agent"


class CannotLift(AgentError):
    """Not by this person, or not any more."""


@transaction.atomic
def ask(section_id: int, *, user: User) -> bool:
    """Ask to lift the protection; True where that lifted it, on a single-operator board. Raises CannotLift."""
    section = _locked(section_id, user)
    if not user.has_perm(MANAGE):
        raise CannotLift("Asking for this needs the role admin.")
    if section.lift_asked_by:
        raise CannotLift(f"{section.lift_asked_by} asks for it already.")
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return protection.unprotect(section.document, section.heading, actor=Actor.person(user), single_operator=True)
    _wish(section, user)
    protection.record_on("section.unprotect_asked", section, Actor.person(user))
    return False


@transaction.atomic
def confirm(section_id: int, *, user: User) -> None:
    """Lift the protection that somebody else asked to have lifted. Raises CannotLift."""
    section = _locked(section_id, user)
    asker = section.lift_asked_by
    if asker is None:
        raise CannotLift("Nobody asks for it any more.")
    if asker == user:
        raise CannotLift("You asked for it, so somebody else confirms it.")
    if not may_confirm(user, section):
        raise CannotLift("Only an admin or an owner of the section confirms it.")
    if not asker.is_active or not asker.has_perm(MANAGE):
        raise CannotLift(f"{asker} may not ask for it any more; keep the section protected, and ask anew.")
    actor = Actor.person(user)
    protection.unprotect(section.document, section.heading, actor=actor, asked_by=str(asker))


@transaction.atomic
def keep(section_id: int, *, user: User) -> None:
    """Turn the wish down, or take one's own back. Raises CannotLift."""
    section = _locked(section_id, user)
    if section.lift_asked_by is None:
        raise CannotLift("Nobody asks for it any more.")
    if not may_confirm(user, section):
        raise CannotLift("Only an admin or an owner of the section does this.")
    _wish(section, None)
    protection.record_on("section.unprotect_refused", section, Actor.person(user))


def may_confirm(user: User, section: Section) -> bool:
    """Whether this person has a say in it: not yet whether it was they who asked."""
    return user.has_perm(MANAGE) or (user.has_perm(protection.DECIDE) and user in section.all_owners)


def _wish(section: Section, user: User | None) -> None:
    section.lift_asked_by, section.lift_asked_at = user, timezone.now() if user else None
    section.save(update_fields=["lift_asked_by", "lift_asked_at"])


def _locked(section_id: int, user: User) -> Section:
    """The section with its document, as it stays until the transaction ends. Raises CannotLift, OutOfReach."""
    lock_document(Section.objects.values_list("document", flat=True).get(pk=section_id))
    rows = Section.objects.select_for_update(no_key=True, of=("self",))
    section = rows.select_related("document__agent", "lift_asked_by").get(pk=section_id)
    require_act(user, section.document.agent_id)
    if not section.is_protected:
        raise CannotLift(f"{section} is not protected any more.")
    return section
