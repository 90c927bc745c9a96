"""What the log refuses to do, in sentences for people."""

from audit.chain import Fault


class AuditError(Exception):
    """The base of all of them."""


class CannotSign(AuditError):
    """There is no key to sign with, or it must not be used any more, or there is nothing to sign."""


class LogDamaged(AuditError):
    """What would be signed is not sound, so it is not signed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"Entry {fault.sequence} of the log is bad: {fault.problem}. Nothing was signed.")


class NotCovered(AuditError):
    """No checkpoint is of as many entries as are needed."""
