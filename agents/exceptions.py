"""What can be wrong with a wish about agents and documents. Knows nothing of HTTP."""


class AgentError(Exception):
    """Base of this app's refusals; the message is fit to be shown."""


class BaseMoved(AgentError):
    """Another version became current meanwhile."""


class NameTaken(AgentError):
    """An agent or document of that name exists."""


class BadName(AgentError):
    """A name or title with characters nobody could see."""


class BadText(AgentError):
    """A text that cannot be kept as a document."""


class RolloutRuns(AgentError):
    """The document has a split already; `rollout` is its key."""

    def __init__(self, message: str, *, rollout: int) -> None:
        self.rollout = rollout
        super().__init__(message)


class SplitEnded(AgentError):
    """The split ended, or was changed by somebody else, meanwhile."""
