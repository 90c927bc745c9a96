"""Comments on lines of a change; what was said, and whose wording was taken over, is history."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

TABLES = ["proposals_comment", "proposals_coauthor"]
REFUSE = """
CREATE TRIGGER {0}_append_only BEFORE UPDATE OR DELETE ON {0} FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER {0}_keep_all BEFORE TRUNCATE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
ALLOW = "DROP TRIGGER {0}_append_only ON {0}; DROP TRIGGER {0}_keep_all ON {0};"


class Migration(migrations.Migration):

    dependencies = [
        ('proposals', '0002_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True)),
                ('suggestion', models.TextField(blank=True)),
                ('marks', models.JSONField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Coauthor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='coauthored', to=settings.AUTH_USER_MODEL)),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='coauthors', to='proposals.revision')),
                ('comment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='applied', to='proposals.comment')),
            ],
        ),
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('old', 'before the change'), ('new', 'after the change')], max_length=3)),
                ('line', models.PositiveIntegerField()),
                ('end_line', models.PositiveIntegerField()),
                ('quote', models.TextField(help_text='The lines as they were, line breaks included.')),
                ('section', models.TextField(blank=True, help_text='The heading they stood under.')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('place', models.PositiveIntegerField(null=True)),
                ('end_place', models.PositiveIntegerField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to=settings.AUTH_USER_MODEL)),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='proposals.proposal')),
                ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='proposals.revision')),
            ],
        ),
        migrations.AddField(
            model_name='comment',
            name='thread',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='proposals.thread'),
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(('end_line__gte', models.F('line')), ('line__gte', 1)), name='thread_has_lines'),
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_place', None), ('place', None)), models.Q(('end_place__gte', models.F('place')), ('place__gte', 1)), _connector='OR'), name='thread_is_placed_or_orphan'),
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at', None), ('resolved_by', None)), models.Q(('resolved_at__isnull', False), ('resolved_by__isnull', False)), _connector='OR'), name='thread_resolved_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='comment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), ('marks__isnull', False), _connector='OR'), name='comment_says_or_suggests_something'),
        ),
        migrations.AddConstraint(
            model_name='comment',
            constraint=models.CheckConstraint(condition=models.Q(('suggestion', ''), ('marks__isnull', False), _connector='OR'), name='comment_suggestion_has_marks'),
        ),
        *[migrations.RunSQL(REFUSE.format(table), ALLOW.format(table)) for table in TABLES],
    ]
