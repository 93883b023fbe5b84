"""A refusal is a fact: a stable code for machines and one sentence for people."""


class Refusal(Exception):
    """Base of every refusal. `field` names the input at fault where there is one; nothing was changed."""

    code = "refused"
    sentence = "This cannot be done."
    field = None

    def __init__(self, sentence=None, *, field=None):
        self.sentence = sentence or self.sentence
        self.field = field or self.field
        super().__init__(self.sentence)


class NotPermitted(Refusal):
    """The person holds no role that allows it, or the record is not theirs."""

    code = "not_permitted"
    sentence = "You may not do this."
