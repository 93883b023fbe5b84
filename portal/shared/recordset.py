"""Many rows in one statement of constant text: `FROM json_to_recordset(%s) AS r(…)`, typed by the model's columns.

The statement is the same for one row and for a thousand, so that it is planned once a connection.
"""

import json


def columns(model, names):
    """The columns of these fields, comma-separated: "lead_id, kind"."""
    return ", ".join(model._meta.get_field(name).column for name in names)


def typed(connection, model, names, **more):
    """The definition behind `AS r`: "lead_id bigint, kind varchar(60)"; `more` adds names with types of their own."""
    own = {field.column: _type(field, connection) for field in map(model._meta.get_field, names)}
    return ", ".join(f"{name} {kind}" for name, kind in (own | more).items())


def _type(field, connection):
    """The type of a value in the column: that of the key it refers to, where it refers to one."""
    return field.target_field.rel_db_type(connection) if field.remote_field else field.db_type(connection)


def as_json(rows):
    """Dicts by column as the parameter's text; instants with all their microseconds."""
    return json.dumps(rows, default=str)
