"""The document that a new form starts from: an e-mail address, a name, a company, and a word of thanks; pure."""


def starting_document(title):
    """The document of a form that can be published as it is; see forms.document."""
    questions = [
        {"key": "email", "type": "email", "label": "Work e-mail", "required": True, "fills": "email"},
        {"key": "name", "type": "text", "label": "Name", "required": True, "fills": "name"},
        {"key": "company", "type": "text", "label": "Company", "required": True, "fills": "company"},
    ]
    return {
        "title": title,
        "pages": [{"key": "about_you", "questions": questions}],
        "thanks": [{"title": "Thank you", "text": "We have your answers."}],
    }
