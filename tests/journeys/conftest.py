"""A real browser: the machine's Chromium, signed in by cookie, listening for complaints, checked by axe."""

import os
import shutil

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import expect

from tests.browser import check, look_at
from tests.services import BROWSERS

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs its loop in this thread


def pytest_runtest_setup(item):
    if item.get_closest_marker("journey") and CHROMIUM is None:
        pytest.skip("no Chromium found")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-dev-shm-usage"],
    }


@pytest.fixture
def context(context):
    context.set_default_timeout(60_000)
    return context


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}}


@pytest.fixture(autouse=True)
def served_as_the_portals_role(portal_role):
    """The server's threads connect with no more privileges than in production."""
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options", "")
    options["options"] = f"{before} -c role={portal_role}"
    yield
    options["options"] = before


@pytest.fixture
def sign_in(live_server):
    """Makes a browser page or context belong to a person: sign_in(page, user). Returns the portal's address."""

    def let_in(page, user):
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        getattr(page, "context", page).add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        return live_server.url

    return let_in


@pytest.fixture
def check_axe():
    """Fails with axe's report when the page as it stands has an accessibility violation."""
    return check


@pytest.fixture
def complaints(page):
    """What the browser complained about: errors of the console (blocked by the policy, 4xx, 5xx) and of scripts."""
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


EVERY_LOOK = (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390))


@pytest.fixture
def shown():
    """Checks the page in themes and widths: shown(page, name). Pictures go to the folder HANDOFF_PICTURES, if set."""

    def look(page, name, looks=EVERY_LOOK):
        before = page.viewport_size
        for scheme, width in look_at(page, looks):
            if folder := os.environ.get("HANDOFF_PICTURES"):
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)
        page.set_viewport_size(before)

    return look
