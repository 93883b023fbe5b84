"""allauth's hooks: people are added by an admin, never by signing themselves up."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "Email and password don’t match.",
        "too_many_login_attempts": "Too many tries for this address. Wait five minutes, or set a new password.",
    }

    def is_open_for_signup(self, request):
        return False
