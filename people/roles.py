"""Roles and what they may do: the one place that says it."""

from enum import StrEnum
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from people.models import User

SEE_EVERY_AGENT: Final = "agents.see_every_agent"


class Role(StrEnum):
    """The human roles. A person can have several."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


_SEE: Final = (
    "agents.view_agent",
    "feedback.view_pattern",
    "proposals.view_proposal",
    "audit.view_auditentry",
)
_CHECK: Final = ("audit.export_log", "agents.see_every_agent")
_DECIDE: Final = (
    "proposals.decide_proposal",
    "proposals.propose_change",
    "proposals.promote_rollout",
    "feedback.curate_pattern",
)
_OPERATE: Final = (
    "proposals.roll_back",
    "proposals.propose_change",
    "proposals.promote_rollout",
    "proposals.set_share",
    "feedback.mine_now",
    "agents.set_traffic",
    "agents.freeze_all",
    "notices.resend_notice",
)
_ADMINISTER: Final = (
    "agents.manage_agent",
    "agents.act_on_every_agent",
    "agents.manage_key",
    "people.manage_people",
    "feedback.erase_subject",
    "proposals.manage_policy",
    "proposals.bypass_review",
)

PERMISSIONS: Final[dict[Role, tuple[str, ...]]] = {
    Role.VIEWER: _SEE,
    Role.REVIEWER: (*_SEE, *_DECIDE, "proposals.roll_back"),
    Role.OPERATOR: (*_SEE, *_OPERATE),
    Role.AUDITOR: (*_SEE, *_CHECK),
    Role.ADMIN: (*_SEE, *_CHECK, *_DECIDE, *_OPERATE, *_ADMINISTER),
}


DESCRIPTIONS: Final[dict[Role, str]] = {
    Role.VIEWER: "sees everything but other teams’ agents",
    Role.REVIEWER: "decides, proposes, promotes, rolls back",
    Role.OPERATOR: "proposes, promotes, rolls back, starts mining, freezes all",
    Role.AUDITOR: "sees everything of every team, to check it",
    Role.ADMIN: "all of this, and manages people, agents and keys",
}


def holders(permission: str) -> "QuerySet[User]":
    """The active people with a role that gives this permission, by name."""
    roles = [role for role, names in PERMISSIONS.items() if permission in names]
    return User.objects.filter(is_active=True, groups__name__in=roles).distinct().order_by("name", "username")


def sync_roles(**_: object) -> None:
    """Make the groups and their permissions what this file says; runs after every migration."""
    for role, names in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Q(pk__in=[])
        for name in names:
            app, codename = name.split(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(wanted))
