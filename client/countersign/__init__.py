"""What an agent needs of Countersign: the instructions people approved, and a place to report how runs went.

    board = Countersign("https://board.example.org", key, folder="/var/lib/agent/countersign")
    prompt = board.instructions("support", "system-prompt", unit=session)
    with board.tracked("support", prompt) as run:
        answer(prompt.text)
    board.report("support", run_id=run.id, rating="negative", reason="It promised 30 days", user=user)

While the server is down, reads give the last good copy, marked `stale` with its `age`, and reports wait in a file.
"""

from countersign.client import Countersign, Tracked
from countersign.copies import Instructions
from countersign.errors import Error, NeverServed, Refused
from countersign.reports import Sent

__all__ = ["Countersign", "Error", "Instructions", "NeverServed", "Refused", "Sent", "Tracked"]
