"""A signature names a fingerprint that its version has: a signature on changed content cannot exist."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sla", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE sla_signature ADD CONSTRAINT sla_signature_covers_fingerprint"
            " FOREIGN KEY (version_id, fingerprint) REFERENCES sla_slaversion (id, fingerprint)",
            "ALTER TABLE sla_signature DROP CONSTRAINT sla_signature_covers_fingerprint",
        )
    ]
