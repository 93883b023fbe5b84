from django.db import migrations, models
from django.db.models.functions import MD5

OF_OUTCOME = (
    "decision", "reason", "decided_at", "note", "first_touch_at", "outcome", "closed_at", "amount", "loss_reason",
    "deal_product", "deal_id", "owner",
)  # fmt: skip


def remember(apps, editor):
    """What earlier imports of the page read an outcome from, by the mappings that they kept."""
    jobs = apps.get_model("intake", "ImportJob").objects.filter(status="done").order_by("pk")
    rows = []
    for name, mapping, at in jobs.values_list("file_name", "mapping", "finished_at"):
        headings = {field: _heading(column) for field, column in mapping.get("columns", {}).items()}
        for field in OF_OUTCOME:
            if heading := headings.get(field):
                same = [
                    other.removeprefix("attributes.") for other, column in headings.items()
                    if other.startswith("attributes.") and column.casefold() == heading.casefold()
                ]  # fmt: skip
                rows += [(attribute, field, name, at) for attribute in {heading, *same}]
    model = apps.get_model("intake", "OutcomeColumn")
    model.objects.bulk_create(
        [model(attribute=attribute, field=field, file_name=name, read_at=at) for attribute, field, name, at in rows],
        ignore_conflicts=True,
    )


def _heading(column):
    return column["column"] if isinstance(column, dict) else column


class Migration(migrations.Migration):
    dependencies = [("intake", "0002_profile")]

    operations = [
        migrations.CreateModel(
            name="OutcomeColumn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attribute", models.TextField()),
                ("field", models.CharField(help_text="what was read from it, as imports name it", max_length=20)),
                ("file_name", models.CharField(help_text="of the first file that did", max_length=200)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(MD5("attribute"), models.F("field"), name="intake_outcome_column_once"),
                    models.CheckConstraint(
                        condition=models.Q(("attribute", ""), _negated=True), name="intake_outcome_column_has_name"
                    ),
                ],
            },
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
