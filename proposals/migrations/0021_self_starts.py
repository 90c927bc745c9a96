import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

KEEP = """
CREATE TRIGGER proposals_selfstart_append_only BEFORE UPDATE OR DELETE ON proposals_selfstart
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposals_selfstart_keep_all BEFORE TRUNCATE ON proposals_selfstart
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
FREE = """
DROP TRIGGER proposals_selfstart_append_only ON proposals_selfstart;
DROP TRIGGER proposals_selfstart_keep_all ON proposals_selfstart;
"""

# What began without an approval reaches everybody only once it has one.
CONFIRMED_FIRST = """
CREATE FUNCTION rollout_confirmed_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM proposals_proposal WHERE id = NEW.proposal_id AND status = 'approved') THEN
        RAISE EXCEPTION 'proposal % is not approved', NEW.proposal_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rollout_confirmed_first BEFORE UPDATE ON proposals_rollout
    FOR EACH ROW WHEN (NEW.state = 'promoted') EXECUTE FUNCTION rollout_confirmed_first();
"""
UNCONFIRMED = "DROP TRIGGER rollout_confirmed_first ON proposals_rollout; DROP FUNCTION rollout_confirmed_first();"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_seal'),
        ('agents', '0005_splits'),
        ('proposals', '0020_teams'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='rollout',
            name='started_by',
            field=models.ForeignKey(help_text='Empty for one that began by itself, see `SelfStart`.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='SafeRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept', models.JSONField(help_text='See `proposals.safe.Rules`.')),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='safe_rules', to='agents.document')),
            ],
            options={
                'verbose_name_plural': 'safe rules',
            },
        ),
        migrations.CreateModel(
            name='SelfStart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(choices=[('retry', 'retry'), ('threshold', 'threshold'), ('routing', 'routing')], max_length=9)),
                ('key', models.TextField(help_text='The key that changed, after those above it, with dots between them.')),
                ('was', models.TextField()),
                ('now', models.TextField()),
                ('rules', models.JSONField(help_text='The rules in force then, see `proposals.safe.Rules`.')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('proposal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='self_start', to='proposals.proposal')),
                ('revision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='proposals.revision')),
            ],
        ),
        migrations.RunSQL(KEEP, FREE),
        migrations.RunSQL(CONFIRMED_FIRST, UNCONFIRMED),
    ]
