"""What was served to how many, and what the judge said, is history: the database refuses to change it. A rollout's epoch
only ever grows, and what has ended has ended.
"""

from django.db import migrations

TABLES = ["proposals_sharechange", "proposals_rolloutverdict"]
REFUSE = """
CREATE TRIGGER {0}_append_only BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER {0}_keep_all BEFORE TRUNCATE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
ALLOW = "DROP TRIGGER {0}_append_only ON {0}; DROP TRIGGER {0}_keep_all ON {0};"

FORWARD_ONLY = """
CREATE FUNCTION rollout_forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'rollout % has ended', OLD.split_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.epoch <= OLD.epoch AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'the epoch of rollout % must grow', OLD.split_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rollout_forward_only BEFORE UPDATE ON proposals_rollout
    FOR EACH ROW EXECUTE FUNCTION rollout_forward_only();
"""
BACK = "DROP TRIGGER rollout_forward_only ON proposals_rollout; DROP FUNCTION rollout_forward_only();"


class Migration(migrations.Migration):
    dependencies = [("proposals", "0014_rollouts"), ("audit", "0002_seal")]

    operations = [
        *(migrations.RunSQL(REFUSE.format(table), ALLOW.format(table)) for table in TABLES),
        migrations.RunSQL(FORWARD_ONLY, BACK),
    ]
