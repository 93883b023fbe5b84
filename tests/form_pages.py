"""What a browser would send of a form's page."""

import html
import re


def inputs(page):
    """{name: [values]} of the inputs of a page: hidden, ticked and typed ones."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        kind = attributes.get("type", "text")
        if "name" in attributes and (kind not in ("radio", "checkbox") or " checked" in tag):
            found.setdefault(attributes["name"], []).append(html.unescape(attributes.get("value", "")))
    return found
