from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "people"

    def ready(self) -> None:
        from people import fresh
        from people.roles import sync_roles

        user_logged_in.connect(fresh.signed_in, dispatch_uid="people.fresh")
        # Permissions are made per app by the same signal; syncing after each app ends with all of them.
        post_migrate.connect(sync_roles, dispatch_uid="people.sync_roles")
