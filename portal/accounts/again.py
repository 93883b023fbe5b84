"""Asked again before something weighty: is it still the same person at the keyboard?"""

from allauth.core import ratelimit

from portal.accounts import demo


def wrong_password(request):
    """The sentence that says why the password in this POST will not do, or "" when it will.

    The demo's people sign in with one click and have none. Tries are limited as sign-in's are.
    """
    user = request.user
    if not user.has_usable_password() and demo.is_on():
        return ""
    if not ratelimit.consume(request, action="reauthenticate", user=user):
        return "Too many tries. Wait a minute. Nothing was signed."
    if not user.check_password(request.POST.get("password", "")):
        return "This is not your password. Nothing was signed."
    return ""
