"""The chain can be verified: each version keeps the text it was signed as, each signature a digest, a head counts.

Versions and signatures that are there already get theirs from what their rows say today. Where those rows no longer
give the fingerprint that was signed, verification will say so.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from sla.chain import signature_digest, signed_text
from sla.scoring import Definition, Rule, Tier

# NOT VALID: binds every row written from now on; an older one that was altered is for verification to name.
TEXT_HAS_FINGERPRINT = """
    ALTER TABLE sla_slaversion ADD CONSTRAINT sla_version_text_has_fingerprint
    CHECK (fingerprint = encode(sha256(convert_to(canonical, 'UTF8')), 'hex')) NOT VALID
"""
RULE = (
    "key",
    "label",
    "axis",
    "condition",
    "points",
    "window_days",
    "minimum_count",
    "per_event",
    "cap",
    "decay_days",
)
TIER = ("key", "name", "position", "total", "fit", "behaviour")
REASON = (
    "code", "category", "label", "meaning", "is_general", "detail", "detail_default", "detail_required",
    "note_required", "unreachable", "next_step", "recycle_days", "retired",
)  # fmt: skip


def keep_signed_texts(apps, schema_editor):
    SLAVersion = apps.get_model("sla", "SLAVersion")
    with triggers_aside(schema_editor, "sla_slaversion"):
        for version in SLAVersion.objects.filter(proposed_at__isnull=False).order_by("number"):
            predecessor = version.predecessor.fingerprint if version.predecessor else None
            text = signed_text(content(version), predecessor)
            SLAVersion.objects.filter(pk=version.pk).update(canonical=text)


def digest_signatures(apps, schema_editor):
    Signature = apps.get_model("sla", "Signature")
    said = ("fingerprint", "party", "name", "role", "signed_at")
    with triggers_aside(schema_editor, "sla_signature"):
        for row in Signature.objects.all():
            digest = signature_digest(signed_by=row.signed_by_id, **picked(row, said))
            Signature.objects.filter(pk=row.pk).update(digest=digest)


def count_the_head(apps, schema_editor):
    SLAVersion, Signature = apps.get_model("sla", "SLAVersion"), apps.get_model("sla", "Signature")
    proposed = SLAVersion.objects.filter(proposed_at__isnull=False)
    followed = proposed.exclude(predecessor=None).values("predecessor")
    last = proposed.exclude(pk__in=followed).first()
    if last:
        apps.get_model("sla", "ChainHead").objects.create(
            id=1, versions=proposed.count(), fingerprint=last.fingerprint, signatures=Signature.objects.count()
        )


class triggers_aside:
    """The rows refuse every change; for the new column alone the refusal is put aside, as the table's owner."""

    def __init__(self, schema_editor, table):
        self.run = lambda act: schema_editor.execute(f"ALTER TABLE {table} {act} TRIGGER USER")

    def __enter__(self):
        self.run("DISABLE")

    def __exit__(self, *failure):
        if not any(failure):  # a failed transaction takes the change back by itself
            self.run("ENABLE")


def content(version):
    """The content as SLAVersion.content() made it at this release; a migration does not call code that will grow."""
    commitments = version.commitments.order_by("party", "kind", "tier__position", "id")
    return {
        "number": version.number,
        "summary": version.summary,
        "effective_from": version.effective_from,
        "clock_basis": version.clock_basis,
        "undo_within_seconds": seconds(version.undo_within),
        "cool_off_seconds": seconds(version.cool_off),
        "bulk_limit": version.bulk_limit,
        "attempts_before_unreachable": version.attempts_before_unreachable,
        "calendar": picked(version.calendar, ("zone", "week", "exceptions")),
        "definition": definition(version.definition),
        "commitments": [commitment(row) for row in commitments],
        "reasons": [picked(row, REASON) for row in version.reasons.order_by("code")],
    }


def definition(row):
    return Definition(
        number=row.number,
        rules=tuple(Rule(**picked(rule, RULE)) for rule in row.rules.order_by("position", "id")),
        tiers=tuple(Tier(**picked(tier, TIER)) for tier in row.tiers.order_by("position")),
    ).as_json()


def commitment(row):
    return {
        "party": row.party,
        "kind": row.kind,
        "tier": row.tier and row.tier.key,
        "within_seconds": seconds(row.within),
        "at_least": row.at_least,
        "at_most": row.at_most,
    }


def picked(row, names):
    return {name: getattr(row, name) for name in names}


def seconds(duration):
    return None if duration is None else int(duration.total_seconds())


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0002_signature_covers_fingerprint"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChainHead",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("versions", models.PositiveIntegerField()),
                ("fingerprint", models.CharField(help_text="of the version proposed last", max_length=64)),
                ("signatures", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="slaversion",
            name="sla_version_proposed_is_complete",
        ),
        migrations.AddField(
            model_name="signature",
            name="digest",
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="canonical",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.RunPython(keep_signed_texts, migrations.RunPython.noop),
        migrations.RunPython(digest_signatures, migrations.RunPython.noop),
        migrations.RunPython(count_the_head, migrations.RunPython.noop),
        migrations.RunSQL(
            TEXT_HAS_FINGERPRINT, "ALTER TABLE sla_slaversion DROP CONSTRAINT sla_version_text_has_fingerprint"
        ),
        migrations.AlterField(
            model_name="signature",
            name="digest",
            field=models.CharField(help_text="SHA-256 over all of the above, see sla.chain", max_length=64),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="counts_the_signature",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            UPDATE sla_chainhead SET signatures = signatures + 1;\n            IF NOT FOUND THEN\n                RAISE EXCEPTION 'a signature needs a chain' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="85ecee4bbaf6f1b6d518aaf66a78c7afa4a6689a",
                    operation="INSERT",
                    pgid="pgtrigger_counts_the_signature_59227",
                    table="sla_signature",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="slaversion",
            trigger=pgtrigger.compiler.Trigger(
                name="moves_the_head",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NEW.proposed_at IS NULL OR (TG_OP = 'UPDATE' AND OLD.proposed_at IS NOT NULL) THEN\n                RETURN NULL;\n            END IF;\n            IF NEW.predecessor_id IS NULL THEN\n                INSERT INTO sla_chainhead (id, versions, fingerprint, signatures) VALUES (1, 1, NEW.fingerprint, 0);\n                RETURN NULL;\n            END IF;\n            UPDATE sla_chainhead SET versions = versions + 1, fingerprint = NEW.fingerprint\n             WHERE fingerprint = (SELECT p.fingerprint FROM sla_slaversion p WHERE p.id = NEW.predecessor_id);\n            IF NOT FOUND THEN\n                RAISE EXCEPTION 'a proposed version follows the end of the chain' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="be2eec1ce5f8f011f1bda6ec8c1c168230eb433b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_moves_the_head_eafd8",
                    table="sla_slaversion",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("canonical", None), ("fingerprint", None), ("proposed_at", None)),
                    models.Q(
                        ("canonical__isnull", False),
                        ("effective_from__isnull", False),
                        ("fingerprint__isnull", False),
                        ("proposed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="sla_version_proposed_is_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="chainhead",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="sla_chainhead_is_one"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chainhead",
            trigger=pgtrigger.compiler.Trigger(
                name="counted_by_triggers",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'DELETE' OR pg_trigger_depth() < 2 THEN\n                        RAISE EXCEPTION 'the head of the chain is counted by the database alone' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="fcccc6cb30c3cfc2813487ee15f947e86c2e2cdd",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_counted_by_triggers_9f548",
                    table="sla_chainhead",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="chainhead",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'chain heads are never emptied' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="aa451d91bf2597981d35e2f59df3caf3650735fc",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_c6210",
                    table="sla_chainhead",
                    when="BEFORE",
                ),
            ),
        ),
    ]
