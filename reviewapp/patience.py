"""How long the web process lets a question to the database take. Worker, scheduler and commands wait to the end.

Streamed exports hold no question open: they ask for some thousand entries at a time (`audit.exporting.in_batches`).
"""

from django.conf import settings
from django.db import connections


def limit_questions() -> None:
    """Have every connection made from here on end what takes too long, and give up waiting for what others hold.

    Said as a connection starts, so that no question costs a round trip more. What the operator's own DATABASE_URL says
    comes last, and so counts.
    """
    wanted = {
        "statement_timeout": settings.COUNTERSIGN_STATEMENT_TIMEOUT_S,
        "lock_timeout": settings.COUNTERSIGN_LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": settings.COUNTERSIGN_IDLE_TRANSACTION_TIMEOUT_S,
    }
    options = connections.settings["default"]["OPTIONS"]
    said = [f"-c {name}={seconds}s" for name, seconds in wanted.items() if seconds] + [options.pop("options", "")]
    if given := " ".join(filter(None, said)):
        options["options"] = given
