import django.db.models.deletion
from django.db import migrations, models

# What is filtered by is read from the evidence alone, so what is there already gets it, too.
COPIED = """
    UPDATE feedback_evidence e SET version = f.version FROM feedback_feedback f
    WHERE f.id = e.feedback_id AND e.version IS NULL AND f.version IS NOT NULL;
    UPDATE feedback_evidence e SET version = r.version FROM feedback_run r
    WHERE r.id = e.run_id AND e.version IS NULL AND r.version IS NOT NULL;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0021_open_patterns'),
    ]

    operations = [
        migrations.AddField(
            model_name='evidence',
            name='version',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.RunSQL(COPIED, migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='evidence',
            name='evidence_by_pattern_and_time',
        ),
        migrations.AlterField(
            model_name='evidence',
            name='pattern',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='feedback.pattern'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(fields=['pattern', '-at', '-id'], include=('version',), name='evidence_by_pattern_and_time'),
        ),
    ]
