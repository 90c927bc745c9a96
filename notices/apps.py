from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "notices"

    def ready(self) -> None:
        from audit.handing_out import NOTIFIERS
        from notices.outbox import tell_of_account, tell_of_checkpoint
        from people.telling import LISTENERS

        NOTIFIERS.append(tell_of_checkpoint)
        LISTENERS.append(tell_of_account)
