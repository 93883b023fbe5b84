"""Numbers of the audit and the addresses of the very leads that they count."""

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from urllib.parse import quote_plus

from django.urls import reverse
from django.utils.safestring import SafeString

from portal.shared import text


def leads_url(filters, **more):
    """The list of exactly the handoffs that `filters` (see figures.rows) select."""
    return f"{_list()}?{query({**filters, **more})}"


def query(filters):
    """The filters as they stand in an address, without its question mark."""
    return "&".join(
        _pair(key, str(each))
        for key, value in filters.items()
        for each in (value if isinstance(value, (list, tuple)) else (value,))
    )


@lru_cache(maxsize=1)
def _list():
    return reverse("leads")


@lru_cache(maxsize=4096)  # a page has hundreds of these links, of a few dozen pairs
def _pair(key, value):
    return f"{key}={quote_plus(value)}"


@dataclass(frozen=True)
class Figure:
    """A number and the list behind it; none behind zero. In a template it is the link."""

    n: int
    url: str

    @classmethod
    def of(cls, n, filters, **more):
        return cls(n, leads_url(filters, **more) if n else "")

    def __str__(self):
        if not self.url:
            return "0"
        return SafeString(f'<a class="figure" href="{escape(self.url)}">{text.thousands(self.n)}</a>')
