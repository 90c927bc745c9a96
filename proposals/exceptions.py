"""What can be wrong with a wish to change or decide. Knows nothing of HTTP."""


class ReviewError(Exception):
    """Base of this app's refusals; the message is fit to be shown."""


class NotAllowed(ReviewError):
    """This person or key may not do this."""


class NotPending(ReviewError):
    """Somebody decided, withdrew or sent it back meanwhile."""


class Outdated(ReviewError):
    """The text changed after the page was shown: the digest is not the newest one's."""


class StaleProposal(ReviewError):
    """Another version of the document became current after the draft was made."""


class Blocked(ReviewError):
    """A check forbids approval."""


class Unopened(ReviewError):
    """Who approves this opens its evidence first, and this person did not."""


class LimitReached(ReviewError):
    """As many releases went out for the agent within a day as may."""


class Invalid(ReviewError):
    """A field is missing or wrong; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RolledBackBefore(Invalid):
    """The very same text was rolled back, and nobody said why it should be tried again."""


class Duplicate(ReviewError):
    """The same change is open or was rejected, and nothing new speaks for it."""
