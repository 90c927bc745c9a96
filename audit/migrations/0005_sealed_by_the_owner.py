"""Seal entries by the right of whoever owns the log, so that who adds them need not be able to change any."""

from django.db import migrations

OWNERS = "ALTER FUNCTION audit_seal() SECURITY DEFINER SET search_path = public, pg_temp"
ANYBODYS = "ALTER FUNCTION audit_seal() SECURITY INVOKER RESET search_path"


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_checkpoints_kept")]

    operations = [migrations.RunSQL(OWNERS, ANYBODYS)]
