from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.functions import Concat

from proposals.models.trigrams import Trigrams

MAKE = """
    CREATE FUNCTION countersign_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT COALESCE(array_agg(DISTINCT substr(upper($1), i, 3)), '{}') FROM generate_series(1, length($1) - 2) AS i
    $$
"""
DROP = "DROP FUNCTION countersign_trigrams(text)"
SEARCHED = Concat(models.F("title"), models.Value("\n"), models.F("rationale"), output_field=models.TextField())


class Migration(migrations.Migration):
    dependencies = [("proposals", "0026_key_shares")]
    operations = [
        migrations.RunSQL(MAKE, DROP),
        migrations.AddIndex("proposal", GinIndex(Trigrams(SEARCHED), name="proposal_by_words")),
    ]
