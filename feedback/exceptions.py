"""What can be wrong with a wish about patterns and reports. Knows nothing of HTTP."""


class PatternError(Exception):
    """Base of this app's refusals; the message is fit to be shown, `field` is what it is about, if it is one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ExclusionError(Exception):
    """A report cannot be excluded, or counted again; the message is fit to be shown."""


class QuarantineError(PatternError):
    """The reports of a key cannot be put in quarantine, or given back; the message is fit to be shown."""
