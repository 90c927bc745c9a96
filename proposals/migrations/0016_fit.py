import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0005_splits'),
        ('proposals', '0015_rollout_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='Fit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('applies', models.BooleanField()),
                ('conflicts', models.JSONField(default=list)),
                ('revision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='fit', to='proposals.revision')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agents.version')),
            ],
        ),
        migrations.CreateModel(
            name='Step',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('protected', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('diff', models.JSONField()),
                ('after', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='proposals.revision')),
                ('before', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='proposals.revision')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('before'), models.F('after'), name='step_once_per_pair')],
            },
        ),
    ]
