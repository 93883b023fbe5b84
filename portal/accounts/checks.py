"""What `manage.py check` says of accounts."""

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security)
def demo_is_never_production(app_configs=None, **kwargs):
    """One-click sign-in and real leads never meet."""
    if settings.DEMO and settings.PRODUCTION:
        return [Error("DEMO=1 gives everybody a sign-in. Unset DEMO.", id="handoff.E001")]
    return []
