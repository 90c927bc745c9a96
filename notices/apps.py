from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "notices"

    def ready(self) -> None:
        from audit.handing_out import NOTIFIERS
        from notices.outbox import tell_of_checkpoint

        NOTIFIERS.append(tell_of_checkpoint)
