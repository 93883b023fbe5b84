"""What a browser would send of a form's page."""

import html
import re
from html.parser import HTMLParser


def inputs(page):
    """{name: [values]} of the inputs of a page: hidden, ticked and typed ones."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        kind = attributes.get("type", "text")
        if "name" in attributes and (kind not in ("radio", "checkbox") or " checked" in tag):
            found.setdefault(attributes["name"], []).append(html.unescape(attributes.get("value", "")))
    return found


class _Dangers(HTMLParser):
    """Collects the tags that would run something."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        said = {name: (value or "") for name, value in attrs}
        scripted = tag == "script" and not said.get("src", "").startswith("/static/")
        handler = any(name.startswith("on") for name in said)
        address = any(re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE) for value in said.values())
        if scripted or handler or (address and tag != "input") or tag in ("iframe", "object", "embed", "base"):
            self.found.append(self.get_starttag_text())


def dangers(page):
    """The tags of a page that would run something which is not the portal's: none, if it escapes what people wrote."""
    parser = _Dangers()
    parser.feed(page)
    return parser.found
