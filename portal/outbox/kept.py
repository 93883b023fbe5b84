"""Mail kept in a folder instead of sent: for trying. One file a letter, so that the same letter is there once."""

import re
import tempfile
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from django.core.mail.backends.base import BaseEmailBackend

SHOWN = 100
HEADS = BytesHeaderParser(policy=policy.default)
NAME = re.compile(r"[\w.@+=-]{1,200}")


class KeptMail(BaseEmailBackend):
    """Django's e-mail backend of EMAIL_URL=file:///folder."""

    def __init__(self, *, file_path, **options):
        super().__init__(**options)
        self.folder = Path(file_path)

    def send_messages(self, email_messages):
        self.folder.mkdir(parents=True, exist_ok=True)
        for each in email_messages:
            self._keep(each.message())
        return len(email_messages)

    def _keep(self, message):
        """Whole or not at all: a killed process leaves no half letter under the letter's name."""
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as written:
            written.write(message.as_bytes(policy=policy.SMTP))
        Path(written.name).rename(self.folder / f"{name_of(message['Message-ID'])}.eml")


class Letter(NamedTuple):
    """A kept letter as a person reads it."""

    name: str
    to: str
    subject: str
    date: object
    text: str


def name_of(message_id):
    """The file's name, without its ending: only letters, digits and a few signs of the Message-ID."""
    return re.sub(r"[^\w.@+=-]", "", message_id)[:200]


def newest(folder):
    """The newest Letters of a folder, the newest first; of each only its head is read, and `text` is ""."""
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return [_letter(file, HEADS.parsebytes(file.read_bytes())) for file in files[:SHOWN]]


def one(folder, name):
    """The Letter of that name, or None."""
    file = folder / f"{name}.eml"
    if not (NAME.fullmatch(name) and file.is_file()):
        return None
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    text = message.get_body(("plain",))
    return _letter(file, message, text.get_content() if text else "")


def _letter(file, message, text=""):
    date = message["Date"].datetime if message["Date"] else None
    return Letter(file.stem, str(message["To"]), str(message["Subject"]), date, text)
