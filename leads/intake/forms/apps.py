"""The forms app."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    name = "leads.intake.forms"
    label = "forms"

    def ready(self):
        from leads.intake.forms import privacy, tell  # noqa: F401 (registers what it holds of a person)
        from leads.views import answered

        answered.SOURCE |= {"sql": tell.SQL, "read": tell.read}
