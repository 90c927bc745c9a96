from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"

    def ready(self) -> None:
        """Have the versions compared with the log whenever that is walked."""
        from agents import recorded
        from audit import verify

        verify.ALSO.append(recorded.fault)
