"""Revisions, checks, decisions and their evidence are history: the database refuses to change them."""

from django.db import migrations

TABLES = ["proposals_revision", "proposals_check", "proposals_decision", "proposals_proposalevidence"]
REFUSE = """
CREATE TRIGGER {0}_append_only BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER {0}_keep_all BEFORE TRUNCATE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
ALLOW = "DROP TRIGGER {0}_append_only ON {0}; DROP TRIGGER {0}_keep_all ON {0};"


class Migration(migrations.Migration):
    dependencies = [("proposals", "0001_initial"), ("audit", "0002_seal")]

    operations = [migrations.RunSQL(REFUSE.format(table), ALLOW.format(table)) for table in TABLES]
