"""Migrates an empty database in a fraction of the time: what `manage.py migrate` does, without rendering to no end.

Run as a program, it is `manage.py migrate`; tests/portal/test_up.py holds that both make the same database.
"""

import os
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from django.db.migrations.operations.models import IndexOperation


@contextmanager
def unrendered():
    """Within, an index, a constraint or a trigger is noted on its rendered model, which has no relation by it.

    Django renders the model anew, and thirty around it, each time.
    """
    with ExitStack() as changed:
        for each in IndexOperation.__subclasses__():
            changed.enter_context(patch.object(each, "state_forwards", _noting(each.state_forwards)))
        yield


def _noting(state_forwards):
    def noting(operation, app_label, state):
        def note(app_label, model_name, **_):
            rendered = state.apps.get_model(app_label, model_name)._meta
            for name in ("indexes", "constraints"):
                setattr(rendered, name, state.models[app_label, model_name].options.get(name, []))

        with patch.object(state, "reload_model", note):
            state_forwards(operation, app_label, state)

    return noting


if __name__ == "__main__":
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    with unrendered():
        call_command("migrate", verbosity=0)
