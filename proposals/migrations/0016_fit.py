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
    ]
