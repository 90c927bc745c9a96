"""How much of a proposal's evidence came with which API key, counted once, when the evidence is linked."""

from typing import Final

from django.db import connection, models

from agents.models import ApiKey
from proposals.models.proposal import Proposal

# What reads like instructions counts as no source. As an owner counts whoever owns the key; where there is none, the
# end user does.
_NOTE: Final = """
    WITH behind AS (
        SELECT e.proposal_id, coalesce(f.key_id, r.key_id) AS key_id,
            CASE WHEN NOT e.commands THEN coalesce(f.source, r.source) END AS source,
            CASE WHEN NOT e.commands
                THEN coalesce('owner ' || k.owner_id, encode(coalesce(f.source, r.source), 'hex')) END AS party
        FROM proposals_proposalevidence e LEFT JOIN feedback_feedback f ON f.id = e.feedback_id
        LEFT JOIN feedback_run r ON r.id = e.run_id LEFT JOIN agents_apikey k ON k.id = coalesce(f.key_id, r.key_id)
        WHERE e.proposal_id = %s
    )
    INSERT INTO proposals_keyshare (proposal_id, key_id, reports, sources, of_sources, of_owners)
    SELECT proposal_id, key_id, count(*), count(DISTINCT source), (SELECT count(DISTINCT source) FROM behind),
        (SELECT count(DISTINCT party) FROM behind)
    FROM behind WHERE key_id IS NOT NULL GROUP BY 1, 2
"""


class KeyShare(models.Model):
    """Of a proposal's evidence, `reports` came with this key, from `sources` of its `of_sources` distinct ones.

    What is linked never changes, so neither does this; what of it still counts is asked for where it matters.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="key_shares")
    reports = models.PositiveIntegerField()
    sources = models.PositiveIntegerField()
    of_sources = models.PositiveIntegerField()
    of_owners = models.PositiveIntegerField(help_text="Owners of keys, and end users that came by none.")

    class Meta:
        constraints = [models.UniqueConstraint("key", "proposal", name="key_share_once")]

    def __str__(self) -> str:
        return f"share of {self.key_id} in proposal {self.proposal_id}"


def note_key_shares(proposal_id: int) -> None:
    """Count whose the evidence of a proposal is, once it is linked. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [proposal_id])
