"""Change what may start by itself in a document. What did so already goes on under the rules it began with."""

from django.db import transaction

from agents.models import Document
from agents.versions import lock_document
from audit.record import Actor, record
from people.models import User
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import SafeRules
from proposals.safe import Rules


@transaction.atomic
def set_rules(document: Document, *, user: User, rules: Rules) -> SafeRules:
    """Let these settings of a document start by themselves. Raises NotAllowed, Invalid."""
    _require_manager(user)
    if document.kind != Document.Kind.CONFIG:
        raise Invalid("", "Only settings can start by themselves; instructions and tools never do.")
    lock_document(document.pk)
    found = SafeRules.objects.filter(document=document).first()
    rule = found or SafeRules(document=document)
    before = _facts(rule) if found else None
    if found is None or found.rules != rules:
        rule.kept = rules.to_json()
        rule.save()
        _record("safe_rules.set", rule, user, before, _facts(rule))
    return rule


@transaction.atomic
def remove_rules(document: Document, *, user: User) -> SafeRules | None:
    """Let nothing of a document start by itself any more; None if nothing did. Raises NotAllowed."""
    _require_manager(user)
    lock_document(document.pk)
    rule = SafeRules.objects.filter(document=document).first()
    if rule:
        _record("safe_rules.removed", rule, user, _facts(rule), None)
        rule.delete()
    return rule


def _require_manager(user: User) -> None:
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing what starts by itself needs the role admin.")


def _facts(rule: SafeRules) -> dict[str, object]:
    return {"settings": rule.kept, "rule": rule.rules.in_words}


def _record(
    verb: str, rule: SafeRules, user: User, before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    record(
        verb,
        actor=Actor.person(user),
        target=rule,
        agent=rule.document.agent.slug,
        document=rule.document.slug,
        before=before,
        after=after,
    )
