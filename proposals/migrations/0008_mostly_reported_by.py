"""For whom a proposal rests mostly on their own reports, kept up by the database itself: the queue asks for it often."""

import django.contrib.postgres.fields
from django.db import migrations, models

# The share is `policies.DOMINANT_SHARE`. Reports are linked when a proposal is made and never changed afterwards.
COUNT = """
CREATE FUNCTION proposal_mostly_reported_by(asked bigint[]) RETURNS void LANGUAGE sql AS $$
    UPDATE proposals_proposal p SET mostly_reported_by = found.owners
    FROM (
        SELECT proposal_id, COALESCE(array_agg(owner ORDER BY owner) FILTER (WHERE own > 0.4 * whole), '{}') AS owners
        FROM (
            SELECT e.proposal_id, k.owner_id AS owner, count(k.owner_id) AS own,
                   sum(count(*)) OVER (PARTITION BY e.proposal_id) AS whole
            FROM proposals_proposalevidence e
            LEFT JOIN feedback_feedback f ON f.id = e.feedback_id
            LEFT JOIN feedback_run r ON r.id = e.run_id
            LEFT JOIN agents_apikey k ON k.id = COALESCE(f.key_id, r.key_id)
            WHERE e.proposal_id = ANY (asked)
            GROUP BY 1, 2
        ) AS counted GROUP BY 1
    ) AS found
    WHERE p.id = found.proposal_id AND p.mostly_reported_by <> found.owners;
$$;

CREATE FUNCTION proposal_evidence_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM proposal_mostly_reported_by(ARRAY(SELECT DISTINCT proposal_id FROM linked));
    RETURN NULL;
END $$;
CREATE TRIGGER proposal_evidence_linked AFTER INSERT ON proposals_proposalevidence
    REFERENCING NEW TABLE AS linked FOR EACH STATEMENT EXECUTE FUNCTION proposal_evidence_linked();

SELECT proposal_mostly_reported_by(ARRAY(SELECT id FROM proposals_proposal));
"""
FORGET = """
DROP TRIGGER proposal_evidence_linked ON proposals_proposalevidence;
DROP FUNCTION proposal_evidence_linked();
DROP FUNCTION proposal_mostly_reported_by(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0003_append_only"),
        ("feedback", "0003_pattern_life"),
        ("proposals", "0007_redrafts_candidates_trials"),
    ]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="mostly_reported_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                editable=False,
                help_text="People whose API keys reported most of the evidence; the database keeps it up.",
                size=None,
            ),
        ),
        migrations.RunSQL(COUNT, FORGET),
    ]
