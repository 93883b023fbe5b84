"""What looks at the pages of all journeys finds what is wrong in one theme or in one width alone."""

import pytest

from tests.browser import check, look_at

pytestmark = [pytest.mark.journey, pytest.mark.django_db]  # as the portal’s role, like every journey
LOOKS = (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390))
PAGE = """<!doctype html><html lang="en"><head><title>Looks</title><meta name="viewport" content="width=device-width">
<style>
  body {{ color: #000; background: #fff }}
  .narrow {{ display: none }}
  @media (prefers-color-scheme: dark) {{ body {{ color: #fff; background: #000 }} {dark} }}
  @media (max-width: 500px) {{ .narrow {{ display: block }} {narrow} }}
  @media (max-width: 500px) and (prefers-color-scheme: dark) {{ {both} }}
</style></head><body><main><h1>Title</h1><section><p>Some text</p></section><div class="narrow">{more}</div></main>
</body></html>"""


def seen(page, **wrong):
    """What was wrong in the first look that was not fine."""
    page.set_content(PAGE.format(**{"dark": "", "narrow": "", "both": "", "more": "More"} | wrong))
    try:
        list(look_at(page, LOOKS))
    except AssertionError as found:
        return found.args[0]
    return "nothing"


def test_nothing_is_wrong_with_what_is_fine(page):
    assert seen(page) == "nothing"


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"dark": "p { color: #222 }"}, "color-contrast"),
        ({"narrow": "p { color: #ccc }"}, "color-contrast"),
        ({"narrow": "section { background: #111 }"}, "color-contrast"),
        ({"both": "section { background: #eee }"}, "color-contrast"),
        ({"both": "p { color: #222 }"}, "color-contrast"),
        ({"more": "<input>"}, "label"),
        ({"more": "<img src='data:,'>"}, "image-alt"),
    ],
)
def test_what_is_wrong_in_one_look_is_found(page, wrong, what):
    assert what in seen(page, **wrong)


def test_what_comes_into_a_page_that_was_fine_is_looked_at(page):
    assert seen(page) == "nothing"
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<p style=color:#444>New</p>')")
    with pytest.raises(AssertionError, match="color-contrast"):
        check(page)
