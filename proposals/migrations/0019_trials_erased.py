"""A trial may lose what it holds of somebody who is erased, and nothing else of it may change."""

from django.db import migrations

ERASABLE = """
DROP TRIGGER proposals_trial_append_only ON proposals_trial;
CREATE TRIGGER proposals_trial_append_only BEFORE DELETE ON proposals_trial
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposals_trial_only_words BEFORE UPDATE ON proposals_trial
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but('output', 'marks');
CREATE FUNCTION refuse_other_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is in % is never changed, only erased', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER proposals_trial_only_erased BEFORE UPDATE ON proposals_trial
    FOR EACH ROW WHEN (NEW.output <> '' OR NEW.marks <> '{}'::jsonb) EXECUTE FUNCTION refuse_other_words();
"""
KEPT = """
DROP TRIGGER proposals_trial_only_words ON proposals_trial;
DROP TRIGGER proposals_trial_only_erased ON proposals_trial;
DROP FUNCTION refuse_other_words();
DROP TRIGGER proposals_trial_append_only ON proposals_trial;
CREATE TRIGGER proposals_trial_append_only BEFORE UPDATE OR DELETE ON proposals_trial
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_checkpoints_kept"),
        ("feedback", "0015_erasure"),
        ("proposals", "0018_judge_fence"),
    ]

    operations = [migrations.RunSQL(ERASABLE, KEPT)]
