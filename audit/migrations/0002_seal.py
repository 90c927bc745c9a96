"""Seal entries at commit, and refuse every later change, in the database itself."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

-- The one update an entry ever sees is its own sealing, which fills three empty columns and touches no other.
CREATE FUNCTION audit_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sequence IS NOT NULL
       OR to_jsonb(OLD) - '{sequence,previous_hash,hash}'::text[] <> to_jsonb(NEW) - '{sequence,previous_hash,hash}'::text[]
    THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entry_sealed BEFORE UPDATE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_update();
CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_keep_all BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_chainhead
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_keep_all BEFORE TRUNCATE ON audit_chainhead
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# Runs at commit, when all other locks are held already: the head is the last lock anybody takes, so writers cannot
# deadlock over it and hold it only for the commit itself. Numbers therefore follow the order of commits, without gaps.
SEAL = """
CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head audit_chainhead%ROWTYPE;
    digest bytea;
BEGIN
    INSERT INTO audit_chainhead (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'))
        ON CONFLICT (id) DO NOTHING;
    SELECT * INTO head FROM audit_chainhead WHERE id = 1 FOR UPDATE;
    digest := sha256(decode('00', 'hex') || head.hash || int8send(head.sequence + 1) || convert_to(NEW.body, 'UTF8'));
    UPDATE audit_auditentry SET sequence = head.sequence + 1, previous_hash = head.hash, hash = digest WHERE id = NEW.id;
    UPDATE audit_chainhead SET sequence = head.sequence + 1, hash = digest WHERE id = 1;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_entry_seal AFTER INSERT ON audit_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_seal();
"""

UNDO = """
DROP TRIGGER audit_entry_seal ON audit_auditentry;
DROP FUNCTION audit_seal();
DROP TRIGGER audit_entry_sealed ON audit_auditentry;
DROP TRIGGER audit_entry_kept ON audit_auditentry;
DROP TRIGGER audit_entry_keep_all ON audit_auditentry;
DROP TRIGGER audit_head_kept ON audit_chainhead;
DROP TRIGGER audit_head_keep_all ON audit_chainhead;
DROP FUNCTION audit_refuse_update();
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE + SEAL, UNDO)]
