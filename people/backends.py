"""Who somebody is, and what they may do."""

from typing import Any, Final

from django.contrib.auth.backends import ModelBackend

from people.models import User
from people.roles import PERMISSIONS

_BY_NAME: Final[dict[str, tuple[str, ...]]] = {role.value: names for role, names in PERMISSIONS.items()}
# By name, not “u.*”: a prepared statement must give the same columns after a migration that adds one.
_COLUMNS: Final = ", ".join(f'u."{field.column}"' for field in User._meta.concrete_fields)
_WITH_ROLES: Final = f"""
    SELECT {_COLUMNS}, ARRAY(SELECT g.name FROM auth_group g JOIN people_user_groups m ON m.group_id = g.id
                      WHERE m.user_id = u.id) AS role_names,
           EXISTS(SELECT FROM mfa_authenticator f WHERE f.user_id = u.id AND f.type <> 'recovery_codes') AS has_factor
    FROM people_user u WHERE u.id = %s
"""  # noqa: S608 (nothing in it comes from outside)


class ByRole(ModelBackend):
    """What somebody may do follows from their roles alone: they are read with the person, for whoever is signed in.

    So is whether they have a second factor.
    """

    def get_user(self, user_id: Any) -> User | None:
        """The person with this key, if they are active."""
        user = next(iter(User.objects.raw(_WITH_ROLES, [user_id])), None)
        return user if self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """As `people.roles` has them; all of a superuser, none of who is not active."""
        if not isinstance(user_obj, User) or not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        found: set[str] | None = getattr(user_obj, "_perm_cache", None)
        if found is None:
            roles = getattr(user_obj, "role_names", None)
            if roles is None:
                roles = user_obj.groups.order_by().values_list("name", flat=True)
            found = {name for role in roles for name in _BY_NAME.get(role, ())}
            user_obj._perm_cache = found  # type: ignore[attr-defined]  # where Django's own backends look for it
        return found
