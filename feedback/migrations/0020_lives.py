from django.db import migrations, models

_SEEN = """
    UPDATE feedback_textmiddle m SET first_seen = seen.first_seen, last_seen = seen.last_seen
    FROM (SELECT agent_id, kind, min(first_seen) AS first_seen, max(last_seen) AS last_seen
          FROM feedback_pattern GROUP BY agent_id, kind) seen
    WHERE seen.agent_id = m.agent_id AND seen.kind = m.kind
"""


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0019_withdrawn'),
    ]

    operations = [
        migrations.AddField(
            model_name='textmiddle',
            name='first_seen',
            field=models.DateTimeField(help_text='When the first of all texts so far came.', null=True),
        ),
        migrations.AddField(
            model_name='textmiddle',
            name='last_seen',
            field=models.DateTimeField(help_text='When the last of them came.', null=True),
        ),
        migrations.RunSQL(_SEEN, migrations.RunSQL.noop),
    ]
