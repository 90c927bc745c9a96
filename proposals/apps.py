from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "proposals"

    def ready(self) -> None:
        """Have what proposals hold of an end user erased with the reports."""
        from feedback.actions import erasure
        from proposals.actions.erasing import erase

        erasure.ALSO.append(erase)
