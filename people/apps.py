from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "people"

    def ready(self) -> None:
        from people.roles import sync_roles

        # Permissions are made per app by the same signal; syncing after each app ends with all of them.
        post_migrate.connect(sync_roles, dispatch_uid="people.sync_roles")
