"""What a file tells beside the fields: a JSON object for each row."""

from json.encoder import encode_basestring as quoted

from leads.intake.imports import fields
from leads.intake.imports.cells import Seen


class Attributes:
    """The columns that become attributes, in the mapping's order."""

    def __init__(self, mapping):
        names = dict.fromkeys([*mapping.columns, *mapping.defaults])
        self._names = [name for name in names if name not in fields.FIELDS]
        self._written = {}

    def texts(self, chunk, more):
        """{name: texts}. more: {name: texts} of what else is kept as an attribute; it wins where it is filled."""
        found = {name.removeprefix(fields.ATTRIBUTE): chunk.texts(name) for name in self._names}
        for name, texts in more.items():
            if name in found:
                texts = [new or old for new, old in zip(texts, found[name], strict=True)]
            found[name] = texts
        return found

    def objects(self, texts, size):
        """The attributes of each row as JSON."""
        if not texts:
            return ["{}"] * size
        parts = [self._writer(name).each(column) for name, column in texts.items()]
        if all(map(all, parts)):
            said = map(", ".join, zip(*parts, strict=True))
        else:
            said = [", ".join(filter(None, row)) for row in zip(*parts, strict=True)]
        return [f"{{{text}}}" for text in said]

    def _writer(self, name):
        if name not in self._written:
            before = f"{quoted(name)}: "
            self._written[name] = Seen(lambda text: f"{before}{quoted(text)}" if text else "")
        return self._written[name]
