"""A version says everything both sides agreed; signatures say where and with what; proposals can be withdrawn."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import sla.models.version


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0004_calendars_with_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("section", models.SlugField(max_length=20)),
                ("text", models.TextField()),
                ("commented_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["commented_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Deputy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("party", models.CharField(choices=[("marketing", "Marketing"), ("sales", "Sales")], max_length=9)),
                ("appointed_at", models.DateTimeField()),
                ("begins_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["appointed_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="EscalationStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "clock",
                    models.CharField(choices=[("contact", "First contact"), ("decision", "Decision")], max_length=8),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("warn_owner", "Warn the owner"),
                            ("tell_manager", "Tell the manager"),
                            ("to_queue", "Give the lead to the queue"),
                        ],
                        max_length=12,
                    ),
                ),
                ("share", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("after", models.DurationField(blank=True, null=True)),
            ],
            options={
                "ordering": ["version", "clock", "position"],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(choices=[("withdrawn", "Withdrawn"), ("returned", "Returned")], max_length=9),
                ),
                ("name", models.CharField(max_length=200)),
                ("withdrawn_at", models.DateTimeField()),
                ("comment", models.TextField(blank=True, default="")),
                ("digest", models.CharField(help_text="SHA-256 over all of the above, see sla.chain", max_length=64)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="signature",
            name="counts_the_signature",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="slaversion",
            name="moves_the_head",
        ),
        migrations.RemoveConstraint(
            model_name="slaversion",
            name="sla_version_one_in_force",
        ),
        migrations.AddField(
            model_name="chainhead",
            name="withdrawals",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="reasoncode",
            name="merged_into",
            field=models.CharField(blank=True, max_length=2, null=True),
        ),
        migrations.AddField(
            model_name="signature",
            name="address",
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name="signature",
            name="deputy_for",
            field=models.ForeignKey(
                help_text="the signatory",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="typed_name",
            field=models.CharField(help_text="as the person typed it", max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="signature",
            name="user_agent",
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="benchmark_source",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="benchmarks",
            field=models.JSONField(blank=True, default=list, help_text='[{"name": "good", "from_per_mille": 250}, …]'),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="campaigns",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=120), blank=True, default=list, help_text="empty: all of them"
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="changed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="dispute_within",
            field=models.DurationField(default=datetime.timedelta(days=10)),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="marketing_signatory",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="recycle_within",
            field=models.DurationField(
                default=datetime.timedelta(days=1825), help_text="a day to come back lies at most this far ahead"
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="review_cadence",
            field=models.CharField(
                choices=[("weekly", "Every week"), ("fortnightly", "Every two weeks"), ("monthly", "Every month")],
                default="monthly",
                max_length=11,
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="sales_signatory",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="sources",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=120), blank=True, default=list, help_text="empty: all of them"
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="started_from",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="drafts", to="sla.slaversion"
            ),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="target_accepted",
            field=models.PositiveIntegerField(blank=True, help_text="joint target, accepted a month", null=True),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="target_rate",
            field=models.PositiveSmallIntegerField(blank=True, help_text="joint target, per mille", null=True),
        ),
        migrations.AddField(
            model_name="slaversion",
            name="touch_kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                default=sla.models.version.counted_touches,
                help_text='what counts as a touch: "call:reached"',
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="only_while_it_waits",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    PERFORM 1 FROM sla_slaversion v WHERE v.id = NEW.version_id FOR NO KEY UPDATE;\n                    IF EXISTS (SELECT 1 FROM sla_withdrawal w WHERE w.version_id = NEW.version_id) THEN\n                        RAISE EXCEPTION 'a withdrawn or returned version is never signed' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="bdbbc8c5ec0f80984119cafc606f466839d9d12a",
                    operation="INSERT",
                    pgid="pgtrigger_only_while_it_waits_62590",
                    table="sla_signature",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="signature",
            trigger=pgtrigger.compiler.Trigger(
                name="counts_the_signature",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            UPDATE sla_chainhead SET signatures = signatures + 1;\n            IF NOT FOUND THEN\n                RAISE EXCEPTION 'a signature needs a chain' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            \n                    IF EXISTS (\n                        SELECT 1 FROM sla_slaversion v JOIN sla_slaversion mine ON mine.id = NEW.version_id\n                         WHERE v.id <> mine.id AND (SELECT count(DISTINCT s.party) FROM sla_signature s WHERE s.version_id = v.id) = 2\n                           AND (v.number > mine.number OR v.effective_from >= mine.effective_from)\n                    ) THEN\n                        RAISE EXCEPTION 'what both sides signed is followed by versions that come later and begin later' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                \n            RETURN NULL;\n        ",
                    hash="26f80424ba25d8a524267a3e6ad737a0caca5bb6",
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
                    func="\n            IF NEW.proposed_at IS NULL OR (TG_OP = 'UPDATE' AND OLD.proposed_at IS NOT NULL) THEN\n                RETURN NULL;\n            END IF;\n            IF NEW.predecessor_id IS NULL THEN\n                INSERT INTO sla_chainhead (id, versions, fingerprint, signatures) VALUES (1, 1, NEW.fingerprint, 0);\n                RETURN NULL;\n            END IF;\n            UPDATE sla_chainhead SET versions = versions + 1, fingerprint = NEW.fingerprint\n             WHERE fingerprint = (SELECT p.fingerprint FROM sla_slaversion p\n                                   WHERE p.id = NEW.predecessor_id AND p.number < NEW.number);\n            IF NOT FOUND THEN\n                RAISE EXCEPTION 'a proposed version follows the end of the chain, with a higher number' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="36d4b792096e9e9e8db8d9257916aaaaa1858d95",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_moves_the_head_eafd8",
                    table="sla_slaversion",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="reasoncode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(("retired", True), models.Q(("merged_into", models.F("code")), _negated=True)),
                    _connector="OR",
                ),
                name="sla_reason_merged_is_retired",
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deputy_for", None),
                    models.Q(("deputy_for", models.F("signed_by")), _negated=True),
                    _connector="OR",
                ),
                name="sla_signature_deputy_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("review_cadence__in", ["weekly", "fortnightly", "monthly"])),
                name="sla_version_cadence_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "touch_kinds__contained_by",
                        [
                            "call:reached",
                            "call:voicemail",
                            "call:no_answer",
                            "meeting:reached",
                            "meeting:no_answer",
                            "email:reached",
                            "email:sent",
                            "message:reached",
                            "message:sent",
                        ],
                    ),
                    ("touch_kinds__len__gte", 1),
                ),
                name="sla_version_touches_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("target_rate", None), ("target_rate__lte", 1000), _connector="OR"),
                name="sla_version_rate_is_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("benchmarks", []), models.Q(("benchmark_source", ""), _negated=True), _connector="OR"
                ),
                name="sla_version_benchmarks_name_their_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="slaversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("marketing_signatory", None),
                    ("sales_signatory", None),
                    models.Q(("marketing_signatory", models.F("sales_signatory")), _negated=True),
                    _connector="OR",
                ),
                name="sla_version_signatories_are_two",
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="commented_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="sla.slaversion"
            ),
        ),
        migrations.AddField(
            model_name="deputy",
            name="appointed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="deputy",
            name="deputy",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="escalationstep",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="escalation_steps", to="sla.slaversion"
            ),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="version",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="withdrawal", to="sla.slaversion"
            ),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="withdrawn_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="sla_comment_says_something"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="comment",
            trigger=pgtrigger.compiler.Trigger(
                name="only_added",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'UPDATE' OR EXISTS (\n                        SELECT 1 FROM sla_slaversion v WHERE v.id = OLD.version_id AND v.proposed_at IS NOT NULL\n                    ) THEN\n                        RAISE EXCEPTION 'comments do not change, and go only with a draft that is discarded' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                    RETURN OLD;\n                ",
                    hash="26139c4a70bdf6c2da9474a66c40e11b66be1688",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_only_added_f928f",
                    table="sla_comment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="comment",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'comments are never emptied' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="d723c8346ef86936ad8f232b1daedd614ef3ed3e",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_49a83",
                    table="sla_comment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="deputy",
            constraint=models.CheckConstraint(
                condition=models.Q(("party__in", ["marketing", "sales"])), name="sla_deputy_party_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="deputy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("begins_at", None), ("deputy", None), ("ends_at", None)),
                    models.Q(
                        ("begins_at__isnull", False),
                        ("deputy__isnull", False),
                        ("ends_at__gt", models.F("begins_at")),
                        ("ends_at__isnull", False),
                        models.Q(("deputy", models.F("appointed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="sla_deputy_is_dated_and_another",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deputy",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'deputies are append-only' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="0171b43abc07ecc108dcc053306b6f3b15515596",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_68634",
                    table="sla_deputy",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deputy",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'deputies are never emptied' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="d24d091c4e3d9697b32396eccfe3026bb9d7d9ce",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_6ff3f",
                    table="sla_deputy",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationstep",
            constraint=models.UniqueConstraint(fields=("version", "clock", "position"), name="sla_step_position_once"),
        ),
        migrations.AddConstraint(
            model_name="escalationstep",
            constraint=models.UniqueConstraint(
                fields=("version", "clock", "kind", "share", "after"), name="sla_step_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("clock__in", ["contact", "decision"])), name="sla_step_clock_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("after", None),
                        ("kind", "warn_owner"),
                        ("share__gte", 1),
                        ("share__isnull", False),
                        ("share__lte", 99),
                    ),
                    models.Q(
                        ("after__gte", datetime.timedelta(0)),
                        ("after__isnull", False),
                        ("kind__in", ["tell_manager", "to_queue"]),
                        ("share", None),
                    ),
                    _connector="OR",
                ),
                name="sla_step_shape",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="escalationstep",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_with_parent",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE parent bigint;",
                    func="\n                FOR parent IN SELECT unnest(CASE TG_OP\n                    WHEN 'INSERT' THEN ARRAY[NEW.version_id]\n                    WHEN 'DELETE' THEN ARRAY[OLD.version_id]\n                    ELSE ARRAY[OLD.version_id, NEW.version_id] END)\n                LOOP\n                    IF EXISTS (SELECT 1 FROM sla_slaversion p WHERE p.id = parent AND p.proposed_at IS NOT NULL) THEN\n                        RAISE EXCEPTION 'escalation steps of a proposed version do not change' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                END LOOP;\n                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n                RETURN NEW;\n            ",
                    hash="9e881e2ca28fd88a2861a4d9f9803948d244be2d",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_frozen_with_parent_95c9e",
                    table="sla_escalationstep",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="escalationstep",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'escalation steps are never emptied' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="9699acba26dd058614490a16e6e1264abe1ff520",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_9531c",
                    table="sla_escalationstep",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "withdrawn"),
                    models.Q(("kind", "returned"), models.Q(("comment", ""), _negated=True)),
                    _connector="OR",
                ),
                name="sla_withdrawal_returned_says_why",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="withdrawal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'withdrawals are append-only' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="e55f23552423deeca23d700cd57d4486759be246",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_76da3",
                    table="sla_withdrawal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="withdrawal",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'withdrawals are never emptied' USING ERRCODE = 'integrity_constraint_violation';",
                    hash="88240a35d4872a0ad7a0375f4d56febed23bc2b4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_a1d72",
                    table="sla_withdrawal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="withdrawal",
            trigger=pgtrigger.compiler.Trigger(
                name="only_while_it_waits",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    PERFORM 1 FROM sla_slaversion v WHERE v.id = NEW.version_id FOR NO KEY UPDATE;\n                    IF EXISTS (SELECT 1 FROM sla_slaversion v WHERE v.id = NEW.version_id AND (SELECT count(DISTINCT s.party) FROM sla_signature s WHERE s.version_id = v.id) = 2) THEN\n                        RAISE EXCEPTION 'what both sides signed is replaced, never withdrawn' USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="2c13760584cca177c6294b9ec2ccc3c4b421b318",
                    operation="INSERT",
                    pgid="pgtrigger_only_while_it_waits_2da8f",
                    table="sla_withdrawal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="withdrawal",
            trigger=pgtrigger.compiler.Trigger(
                name="counts_the_withdrawal",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            UPDATE sla_chainhead SET withdrawals = withdrawals + 1;\n            IF NOT FOUND THEN\n                RAISE EXCEPTION 'a withdrawal needs a chain' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            \n            RETURN NULL;\n        ",
                    hash="fa77ef8821cb8eb48cd0f76ba72c1160cc27e63d",
                    operation="INSERT",
                    pgid="pgtrigger_counts_the_withdrawal_679db",
                    table="sla_withdrawal",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE sla_reasoncode ADD CONSTRAINT sla_reason_merged_into_one_that_is_there"
            " FOREIGN KEY (version_id, merged_into) REFERENCES sla_reasoncode (version_id, code)"
            " DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE sla_reasoncode DROP CONSTRAINT sla_reason_merged_into_one_that_is_there",
        ),
        migrations.RunSQL(
            "ALTER TABLE sla_withdrawal ADD CONSTRAINT sla_withdrawal_covers_fingerprint"
            " FOREIGN KEY (version_id, fingerprint) REFERENCES sla_slaversion (id, fingerprint)",
            "ALTER TABLE sla_withdrawal DROP CONSTRAINT sla_withdrawal_covers_fingerprint",
        ),
    ]
