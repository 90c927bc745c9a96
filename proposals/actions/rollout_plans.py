"""Change how candidates are rolled out. What runs already keeps the plan it began with."""

from django.db import IntegrityError, transaction

from agents.models import Document
from audit.record import Actor, record
from people.models import User
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import RolloutPlan
from proposals.rules.plans import Plan


@transaction.atomic
def set_plan(*, user: User, document: Document | None, plan: Plan) -> RolloutPlan:
    """Make this the plan of a document, or of all that have none of their own. Raises NotAllowed, Invalid."""
    _require_manager(user)
    rows = RolloutPlan.objects.select_for_update(of=("self",)).select_related("document__agent")
    found = rows.filter(document=document).first()
    rule = found or RolloutPlan(document=document)
    before, rule.plan = rule.plan, plan.to_json()
    if found is None or before != rule.plan:
        try:
            with transaction.atomic():
                rule.save()
        except IntegrityError:
            raise Invalid("", "Somebody set a plan for the same at this moment. Look at it, and save again.") from None
        _record("rollout_plan.set", rule, user, {"settings": before} if found else None, {"settings": rule.plan})
    return rule


@transaction.atomic
def remove_plan(plan_id: int, *, user: User) -> RolloutPlan | None:
    """Take a plan back; None if it is gone. Raises NotAllowed."""
    _require_manager(user)
    rows = RolloutPlan.objects.select_for_update(of=("self",)).select_related("document__agent")
    rule = rows.filter(pk=plan_id).first()
    if rule:
        _record("rollout_plan.removed", rule, user, {"settings": rule.plan}, None)
        rule.delete()
    return rule


def _require_manager(user: User) -> None:
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing a rollout plan needs the role admin.")


def _record(
    verb: str, rule: RolloutPlan, user: User, before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    document = rule.document
    record(
        verb,
        actor=Actor.person(user),
        target=rule,
        agent=document.agent.slug if document else "",
        document=document.slug if document else "",
        before=before,
        after=after,
    )
