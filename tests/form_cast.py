"""A form and its visitors: questions that make a lead hot, lukewarm or neither."""


def eq(field, value):
    return {"field": field, "op": "equals", "value": value}


EMAIL = {"key": "email", "type": "email", "label": "Work e-mail", "required": True, "fills": "email"}
CONSENT = "Tarnwick may contact me about this by e-mail and phone."
# the questions of the drawn form: how many stops could you plan away?
ROI = {
    "title": "How many stops could you plan away?",
    "intro": "Ten short questions, two minutes.",
    "brand": "Tarnwick",
    "privacy": "https://tarnwick.example/privacy",
    "pages": [
        {
            "key": "you",
            "title": "About you",
            "questions": [
                EMAIL,
                {"key": "name", "type": "text", "label": "Name", "required": True, "fills": "name"},
                {"key": "company", "type": "text", "label": "Company", "required": True, "fills": "company"},
                {"key": "title", "type": "text", "label": "Job title", "fills": "title"},
                {"key": "size", "type": "choice", "label": "People in the company", "as_list": True,
                 "fills": "employees", "choices": [
                     {"value": "small", "label": "Fewer than 200", "fact": 50},
                     {"value": "middle", "label": "200–5,000", "fact": 640},
                     {"value": "large", "label": "More than 5,000", "fact": 9000}]},
            ],
        },
        {
            "key": "plant",
            "title": "Your plant",
            "questions": [
                {"key": "industry", "type": "choice", "label": "Industry", "fills": "industry",
                 "choices": [{"value": "Food"}, {"value": "Packaging"}, {"value": "Software"}]},
                {"key": "how", "type": "choice", "label": "How do you plan maintenance today?", "required": True,
                 "fills": "attributes.system", "choices": [
                     {"value": "paper", "label": "Excel or a whiteboard"}, {"value": "erp", "label": "In our ERP"},
                     {"value": "other", "label": "Another maintenance system"}]},
                {"key": "contract_end", "type": "date", "precision": "month", "label": "When does that contract end?",
                 "help": "Roughly is fine.", "show": eq("how", "other"), "required": True,
                 "fills": "attributes.contract_end"},
                {"key": "stops", "type": "number", "label": "Unplanned stops in a month", "min": 0, "max": 1000,
                 "require": eq("how", "erp")},
                {"key": "more", "type": "text", "label": "Anything else?", "multiline": True},
                {"key": "consent", "type": "consent", "label": CONSENT, "required": True},
                {"key": "source", "type": "hidden", "fills": "source", "parameter": "utm_source",
                 "default": "Demo request"},
            ],
        },
    ],
    "thanks": [
        {"tiers": ["hot"], "title": "Book a call",
         "text": "A planner calls you within the hour.",
         "link": {"label": "Choose a time", "address": "https://tarnwick.example/call"}},
        {"title": "Thank you", "text": "Here is our guide."},
    ],
}  # fmt: skip
HOT = {
    "email": "r.quintero@aldermoss.example", "name": "Rosa Quintero Lund", "company": "Aldermoss",
    "title": "Head of Maintenance", "size": "middle", "industry": "Food", "how": "paper", "stops": "12",
    "more": "Call me.", "consent": "yes", "source": "Demo request",
}  # fmt: skip
COLD = HOT | {"email": "s@school.example", "title": "Student", "size": "small", "industry": "Software", "source": "x"}
