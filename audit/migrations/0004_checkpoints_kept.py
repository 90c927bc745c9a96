"""Refuse every change of what vouches for the log, but for the few times and marks that are filled in later."""

from django.db import migrations

KEEP = """
-- Its arguments are the columns that may change.
CREATE FUNCTION refuse_change_but() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - TG_ARGV::text[] <> to_jsonb(NEW) - TG_ARGV::text[] THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_checkpoint_signed BEFORE UPDATE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but('filed_at', 'notified_at');
CREATE TRIGGER audit_checkpoint_kept BEFORE DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoint_keep_all BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_signingkey_signed BEFORE UPDATE ON audit_signingkey
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but('retired_at');
CREATE TRIGGER audit_signingkey_kept BEFORE DELETE ON audit_signingkey
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_signingkey_keep_all BEFORE TRUNCATE ON audit_signingkey
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_tile_kept BEFORE UPDATE OR DELETE ON audit_tile
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_tile_keep_all BEFORE TRUNCATE ON audit_tile
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_verification_kept BEFORE UPDATE OR DELETE ON audit_verification
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_verification_keep_all BEFORE TRUNCATE ON audit_verification
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

FORGET = """
DROP TRIGGER audit_checkpoint_signed ON audit_checkpoint;
DROP TRIGGER audit_checkpoint_kept ON audit_checkpoint;
DROP TRIGGER audit_checkpoint_keep_all ON audit_checkpoint;
DROP TRIGGER audit_signingkey_signed ON audit_signingkey;
DROP TRIGGER audit_signingkey_kept ON audit_signingkey;
DROP TRIGGER audit_signingkey_keep_all ON audit_signingkey;
DROP TRIGGER audit_tile_kept ON audit_tile;
DROP TRIGGER audit_tile_keep_all ON audit_tile;
DROP TRIGGER audit_verification_kept ON audit_verification;
DROP TRIGGER audit_verification_keep_all ON audit_verification;
DROP FUNCTION refuse_change_but();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_checkpoints")]

    operations = [migrations.RunSQL(KEEP, FORGET)]
