"""Which columns told an outcome is remembered with each import, and was put down for the imports before."""

from importlib import import_module

from django.apps import apps

from leads.intake.imports.mapping import read_mapping
from leads.intake.imports.told import columns, told_by_files
from leads.intake.models import ImportJob, OutcomeColumn

MAPPING = {"columns": {
    "email": "Mail", "decision": {"column": "Stage", "values": {}}, "amount": "Value", "outcome": "Won?",
    "attributes.stage of the deal": "stage", "attributes.City": "City",
}}  # fmt: skip


def test_a_column_counts_by_its_heading_and_by_every_attribute_that_repeats_it():
    assert columns(read_mapping(MAPPING)) == {
        "decision": ["Stage", "stage of the deal"], "outcome": ["Won?"], "amount": ["Value"],
    }  # fmt: skip


def test_imports_from_before_are_put_down_by_the_migration_once(db, now):
    job = {"file_name": "old.csv", "size": 1, "created_at": now, "mapping": MAPPING}
    ImportJob.objects.create(stored_as="x", status="done", finished_at=now, **job)
    ImportJob.objects.create(stored_as="y", status="failed", finished_at=now, **job | {"file_name": "failed.csv"})
    remember = import_module("leads.intake.migrations.0003_outcome_columns").remember
    for _ in range(2):
        remember(apps, None)
    assert set(OutcomeColumn.objects.values_list("attribute", "field", "file_name")) == {
        ("Stage", "decision", "old.csv"), ("stage of the deal", "decision", "old.csv"),
        ("Won?", "outcome", "old.csv"), ("Value", "amount", "old.csv"),
    }  # fmt: skip
    assert told_by_files()["attributes.stage"] == "The import of old.csv read the decision from it."
