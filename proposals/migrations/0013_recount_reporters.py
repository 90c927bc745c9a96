"""Who reported most of an open proposal's evidence, without what was excluded or withdrawn, and whenever that changes."""

from django.db import migrations

# The share is `policies.DOMINANT_SHARE`. Rows are locked in one order, as two exclusions may touch the same proposals.
COUNT = """
CREATE OR REPLACE FUNCTION proposal_mostly_reported_by(asked bigint[]) RETURNS void LANGUAGE sql AS $$
    SELECT id FROM proposals_proposal WHERE id = ANY (asked) ORDER BY id FOR NO KEY UPDATE;
    UPDATE proposals_proposal p SET mostly_reported_by = COALESCE(found.owners, '{}')
    FROM unnest(asked) AS one (id) LEFT JOIN (
        SELECT proposal_id, array_agg(owner ORDER BY owner) FILTER (WHERE own > 0.4 * whole) AS owners
        FROM (
            SELECT e.proposal_id, k.owner_id AS owner, count(k.owner_id) AS own,
                   sum(count(*)) OVER (PARTITION BY e.proposal_id) AS whole
            FROM proposals_proposalevidence e
            LEFT JOIN feedback_feedback f ON f.id = e.feedback_id
            LEFT JOIN feedback_run r ON r.id = e.run_id
            LEFT JOIN agents_apikey k ON k.id = COALESCE(f.key_id, r.key_id)
            WHERE e.proposal_id = ANY (asked)
            AND f.withdrawn_at IS NULL AND f.excluded_at IS NULL AND r.excluded_at IS NULL
            GROUP BY 1, 2
        ) AS counted GROUP BY 1
    ) AS found ON found.proposal_id = one.id
    WHERE p.id = one.id AND p.mostly_reported_by <> COALESCE(found.owners, '{}');
$$;

CREATE FUNCTION proposal_report_counts_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM proposal_mostly_reported_by(ARRAY(
        SELECT p.id FROM proposals_proposalevidence e JOIN proposals_proposal p ON p.id = e.proposal_id
        WHERE p.status IN ('pending', 'changes_requested', 'in_effect')
        AND (e.feedback_id = CASE TG_TABLE_NAME WHEN 'feedback_feedback' THEN NEW.id END
             OR e.run_id = CASE TG_TABLE_NAME WHEN 'feedback_run' THEN NEW.id END)
    ));
    RETURN NULL;
END $$;
CREATE TRIGGER proposal_feedback_counts_otherwise AFTER UPDATE OF excluded_at, withdrawn_at ON feedback_feedback
    FOR EACH ROW WHEN ((OLD.excluded_at, OLD.withdrawn_at) IS DISTINCT FROM (NEW.excluded_at, NEW.withdrawn_at))
    EXECUTE FUNCTION proposal_report_counts_otherwise();
CREATE TRIGGER proposal_run_counts_otherwise AFTER UPDATE OF excluded_at ON feedback_run
    FOR EACH ROW WHEN (OLD.excluded_at IS DISTINCT FROM NEW.excluded_at)
    EXECUTE FUNCTION proposal_report_counts_otherwise();

SELECT proposal_mostly_reported_by(ARRAY(
    SELECT id FROM proposals_proposal WHERE status IN ('pending', 'changes_requested', 'in_effect')
));
"""
FORGET = """
DROP TRIGGER proposal_feedback_counts_otherwise ON feedback_feedback;
DROP TRIGGER proposal_run_counts_otherwise ON feedback_run;
DROP FUNCTION proposal_report_counts_otherwise();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0007_meaning"),
        ("proposals", "0012_waits_for_owners"),
    ]

    operations = [migrations.RunSQL(COUNT, FORGET)]
