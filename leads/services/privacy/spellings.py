"""What counts as one e-mail address where a person is looked for in texts: as leads match, and a domain in both forms.

Case, blanks around it and a +tag do not count, as for leads (`mailbox`); nor whether the domain is written in letters
(müller.example) or in their ASCII form (xn--mller-kva.example), nor how an accent is composed.
"""

import re
import unicodedata

from django.db.models import Q

from leads.services.capture import mailbox

OF_AN_ADDRESS = r"[\w.+%'-]"  # before an address, it is the end of somebody else's
TAG = r"(\+[^@\s,;\"'<>]*)?"
ENDS = r"(?![\w-]|\.\w)"


def plain(text):
    """The text as patterns want it: small letters, accents composed."""
    return unicodedata.normalize("NFC", text.lower())


def spellings(address):
    """The mailbox of an address, with every form of its domain."""
    local, _, domain = plain(mailbox(address)).rpartition("@")
    return sorted({f"{local}@{form}" for form in _forms(domain)})


def _forms(domain):
    found = {domain}
    for other in (lambda: domain.encode("idna").decode(), lambda: domain.encode("ascii").decode("idna")):
        try:
            found.add(other())
        except UnicodeError:  # no name of a host, or in letters already
            continue
    return found


def patterns(words):
    """Of those words that are addresses: regular expressions of all spellings, for `plain` texts and PostgreSQL."""
    return tuple(dict.fromkeys(_pattern(spellings(word)) for word in words if "@" in word))


def _pattern(spelt):
    local, domains = spelt[0].rpartition("@")[0], [each.rpartition("@")[2] for each in spelt]
    return f"{re.escape(local)}{TAG}@({'|'.join(map(re.escape, domains))}){ENDS}"


def names(text, wanted):
    """Whether a `plain` text holds an address of these patterns, and not just the end of a longer one."""
    return any(
        not re.match(OF_AN_ADDRESS, text[max(0, found.start() - 1) : found.start()])
        for each in wanted
        for found in re.finditer(each, text)
    )


def holds_one(column, person):
    """A filter of the rows whose text names the person: by an address in any spelling, or by another word."""
    found = Q(pk=None)
    for each in person.patterns:
        found |= Q(**{f"{column}__iregex": f"(?<!{OF_AN_ADDRESS}){each}"})
    for word in person.words:
        found |= Q(pk=None) if "@" in word else Q(**{f"{column}__icontains": word})
    return found
