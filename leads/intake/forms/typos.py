"""Addresses that are probably a slip of the fingers: "gmial.com" for gmail.com; pure."""

# where most private and many small companies' addresses are, and what people often mistype
WELL_KNOWN = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com",
    "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "freenet.de", "proton.me", "protonmail.com", "mail.com",
    "orange.fr", "laposte.net", "libero.it", "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "hotmail.fr",
)  # fmt: skip
ENDINGS = {"con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "nte": "net", "ogr": "org"}
# one letter from a well-known one, and real
REAL = {"gmx.at", "gmx.ch", "live.de", "live.fr", "aol.de", "ymail.com", "email.com"}


def typo_of(address):
    """The address that was probably meant, or "" where it looks right."""
    local, at, domain = address.strip().rpartition("@")
    domain = domain.lower()
    if not (local and at) or domain in WELL_KNOWN or domain in REAL or len(domain) > 60:
        return ""
    for meant in WELL_KNOWN:
        if _one_slip(domain, meant):
            return f"{local}@{meant}"
    name, dot, ending = domain.rpartition(".")
    return f"{local}@{name}.{ENDINGS[ending]}" if dot and ending in ENDINGS else ""


def _one_slip(typed, meant):
    """Whether one letter is missing, too many, wrong, or two neighbours are swapped."""
    least = min(len(typed), len(meant))
    if max(len(typed), len(meant)) > least + 1:
        return False
    alike = next((n for n, pair in enumerate(zip(typed, meant, strict=False)) if len(set(pair)) > 1), least)
    rest, wanted = typed[alike:], meant[alike:]
    if len(typed) > len(meant):
        return rest[1:] == wanted
    if len(typed) < len(meant):
        return rest == wanted[1:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:] and len(rest) > 1
    return rest[1:] == wanted[1:] or swapped
