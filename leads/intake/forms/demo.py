"""Tarnwick's forms for the demo: two of them, one in its second version, and the visitors of the last weeks.

Everything is done by the real verbs at its own instant; the same every time.
"""

import datetime as dt
from random import Random

from leads.intake.forms.logic import walk
from leads.intake.forms.models import Submission
from leads.intake.forms.services.build import (
    FormSettings,
    change_settings,
    create_form,
    publish_version,
    save_draft,
    start_draft,
)
from leads.intake.forms.services.progress import note_progress
from leads.intake.forms.services.submit import Sent, submit_form

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
SITE = "www.tarnwick.example"
LEFT, BEGAN = 5, 60  # of so many visits each form's page saw, these left at each question but the last


def _eq(field, value):
    return {"field": field, "op": "equals", "value": value}


def _choices(*labels):
    return [{"value": label} if isinstance(label, str) else dict(zip(("value", "label", "fact"), label, strict=True))
            for label in labels]  # fmt: skip


EMAIL = {"key": "email", "type": "email", "label": "Work e-mail", "required": True, "fills": "email"}
NAME = {"key": "name", "type": "text", "label": "Name", "required": True, "fills": "name"}
COMPANY = {"key": "company", "type": "text", "label": "Company", "required": True, "fills": "company"}
ROLE = {"key": "role", "type": "text", "label": "Job title", "fills": "title"}
COUNTRY = {
    "key": "country", "type": "choice", "label": "Country", "as_list": True, "fills": "country",
    "choices": _choices("Netherlands", "Belgium", "Germany", "Denmark", "Sweden", "Elsewhere"),
}  # fmt: skip
SIZE = {
    "key": "size", "type": "choice", "label": "People in the company", "as_list": True, "required": True,
    "fills": "employees", "choices": _choices(
        ("small", "Fewer than 50", 30), ("some", "50–199", 120), ("middle", "200–999", 500),
        ("large", "1,000–5,000", 2500), ("huge", "More than 5,000", 8000)),
}  # fmt: skip
INDUSTRY = {
    "key": "industry", "type": "choice", "label": "Industry", "as_list": True, "fills": "industry",
    "choices": _choices("Food", "Packaging", "Automotive", "Logistics", "Manufacturing", "Something else"),
}  # fmt: skip
HOW = {
    "key": "how", "type": "choice", "label": "How do you plan maintenance today?", "required": True,
    "fills": "attributes.system", "choices": [
        {"value": "paper", "label": "Excel or a whiteboard"}, {"value": "erp", "label": "In our ERP"},
        {"value": "other", "label": "Another maintenance system"}],
}  # fmt: skip
CONTRACT = {
    "key": "contract_end", "type": "date", "precision": "month", "label": "When does that contract end?",
    "help": "Roughly is fine, such as 2027-06. We won’t call before it makes sense.", "show": _eq("how", "other"),
    "fills": "attributes.contract_end",
}  # fmt: skip
STOPS = {"key": "stops", "type": "number", "label": "Unplanned stops in a month", "min": 0, "max": 1000,
         "fills": "attributes.stops"}  # fmt: skip
WHEN = {
    "key": "when", "type": "choice", "label": "When do you want to decide?", "required": True,
    "fills": "attributes.timeline", "choices": [
        {"value": "quarter", "label": "This quarter"}, {"value": "year", "label": "Within a year"},
        {"value": "looking", "label": "Just looking"}],
}  # fmt: skip
PHONE = {
    "key": "phone", "type": "phone", "label": "Phone", "help": "The fastest way to an answer.", "fills": "phone",
    "show": {"not": _eq("when", "looking")},
}  # fmt: skip
MORE = {"key": "more", "type": "text", "label": "Anything else?", "multiline": True}
CONSENT = {
    "key": "consent", "type": "consent", "required": True,
    "label": "Tarnwick may contact me about this by e-mail and phone. I can withdraw at any time.",
}  # fmt: skip
CAMPAIGN = {"key": "campaign", "type": "hidden", "fills": "campaign", "parameter": "utm_campaign"}
REFERRER = {"key": "from_page", "type": "hidden", "fills": "attributes.from_page", "parameter": "referrer"}


def _source(name):
    return {"key": "source", "type": "hidden", "fills": "source", "default": name}


THANKS = [
    {
        "tiers": ["hot"], "title": "Shall we talk today?",
        "text": "A maintenance planner calls you within the hour. If you would rather choose the time, do it here.",
        "link": {"label": "Book a call", "address": f"https://{SITE}/call"},
    },
    {
        "title": "Thank you",
        "text": "We have your answers. Until we meet: twelve steps to a maintenance plan that holds.",
        "link": {"label": "Read the guide", "address": f"https://{SITE}/guide"},
    },
]  # fmt: skip
ROI = {
    "title": "How many stops could you plan away?", "brand": "Tarnwick", "privacy": f"https://{SITE}/privacy",
    "intro": "Ten short questions, two minutes. A maintenance planner from Tarnwick calls only if you want that.",
    "pages": [
        {"key": "you", "title": "About you", "questions": [EMAIL, NAME, COMPANY, ROLE, SIZE]},
        {"key": "plant", "title": "Your plant", "questions": [INDUSTRY, COUNTRY, HOW, CONTRACT, STOPS]},
        {"key": "plan", "title": "What comes next",
         "questions": [WHEN, PHONE, MORE, CONSENT, _source("ROI calculator"), CAMPAIGN, REFERRER]},
    ],
    "thanks": THANKS,
}  # fmt: skip
ROI_BEFORE = ROI | {
    "pages": [
        {"key": "all", "questions": [EMAIL, NAME, COMPANY, SIZE, HOW, CONTRACT, STOPS, WHEN, CONSENT, CAMPAIGN]},
    ]
}
DEMO = {
    "title": "See the planner at work", "brand": "Tarnwick", "privacy": f"https://{SITE}/privacy",
    "intro": "Half an hour with a planner, on your own plant’s example.", "submit": "Ask for a demo",
    "pages": [{"key": "all", "questions": [
        EMAIL, NAME, COMPANY, ROLE, SIZE, INDUSTRY, COUNTRY, MORE, CONSENT, _source("Demo request"), CAMPAIGN]}],
    "thanks": THANKS,
}  # fmt: skip

# e-mail, name, company, job title, size, industry, country, how, when
NURTURED = (
    ("p.brandt@halvorsen-mill.example", "Piet Brandt", "Halvorsen Mill", "Technician", "small", "Manufacturing",
     "Denmark", "paper", "looking"),
    ("ines@kaldero.example", "Ines Kaldero", "Kaldero", "Owner", "small", "Something else", "Elsewhere", "paper",
     "year"),
    ("o.lindqvist@nordbake.example", "Oskar Lindqvist", "Nordbake", "Shift planner", "some", "Food", "Sweden", "other",
     "year"),
    ("amira.tazi@velopack.example", "Amira Tazi", "Velopack", "Purchasing", "some", "Packaging", "Belgium", "erp",
     "looking"),
    ("j.moreau@lyspres.example", "Jules Moreau", "Lyspres", "Student", "huge", "Something else", "Elsewhere", "paper",
     "looking"),
    ("katrin@ostheim-druck.example", "Katrin Ostheim", "Ostheim Druck", "Office", "small", "Packaging", "Germany",
     "paper", "year"),
    ("rik.vos@vosenzonen.example", "Rik Vos", "Vos en Zonen", "Mechanic", "small", "Logistics", "Netherlands", "paper",
     "quarter"),
    ("d.santoro@ferromoda.example", "Dario Santoro", "Ferromoda", "Quality", "some", "Automotive", "Elsewhere",
     "other", "year"),
)  # fmt: skip
HOT = (
    ("r.quintero-lund@aldermoss.example", "Rosa Quintero Lund", "Aldermoss", "Head of Maintenance", "middle", "Food",
     "Netherlands", "other", "quarter"),
    ("s.achterberg@melkrand.example", "Simon Achterberg", "Melkrand", "Plant Manager", "large", "Packaging", "Germany",
     "paper", "quarter"),
)  # fmt: skip
KEYS = ("email", "name", "company", "role", "size", "industry", "country", "how", "when")


def fill(who, *, at):
    """Make the forms, and let visitors come in the weeks before `at`. who: leads.demo.company.people()."""
    roi = _form(who, "ROI calculator", ROI_BEFORE, at=at - 90 * DAY)
    _visits(roi, NURTURED[:3], at=at - 40 * DAY)
    start_draft(form_id=roi.form_id, by=who.marketer, at=at - 32 * DAY)
    save_draft(form_id=roi.form_id, document=ROI, by=who.marketer, at=at - 31 * DAY)
    roi = publish_version(form_id=roi.form_id, by=who.marketing_leader, at=at - 30 * DAY)
    demo = _form(who, "Demo request", DEMO, at=at - 60 * DAY)
    _visits(roi, NURTURED[3:], at=at - 2 * DAY)
    _visits(demo, (NURTURED[1], NURTURED[4]), at=at - 5 * DAY)
    for n, person in enumerate(HOT):
        _send(demo, person, f"demo-hot-{n}", at=at - (50 - 20 * n) * MINUTE)
    _suspected(roi, at=at)


def _form(who, name, document, *, at):
    form = create_form(name=name, by=who.marketer, at=at, document=document)
    settings = FormSettings(name, embed_hosts=(SITE,), redirect_hosts=(SITE,))
    change_settings(form_id=form.pk, settings=settings, by=who.marketer, at=at)
    return publish_version(form_id=form.pk, by=who.marketer, at=at + HOUR)


def _visits(version, people, *, at):
    """Each of the people sends the form on a day of its own; others begin it and leave."""
    draw, content = Random(f"visits {version.form.slug} {version.number}"), version.as_content()  # noqa: S311 (invents)
    questions = [question.key for question in content.questions if question.type != "hidden"]
    for n, person in enumerate(people):
        _send(version, person, f"demo-{version.pk}-{n}", at=at - n * DAY - draw.randrange(600) * MINUTE)
    for n in range(BEGAN - len(people)):
        answered = questions[min(int(draw.expovariate(1 / LEFT)), len(questions) - 2)]
        began = at - draw.randrange(20 * 24 * 60) * MINUTE
        note_progress(
            version=version, content=content, visit=f"demo-left-{version.pk}-{n}", walked=walk(content, {}),
            answered=answered, started_at=began, at=began + MINUTE,
        )  # fmt: skip


def _send(version, person, token, *, at, suspected_by=""):
    said = dict(zip(KEYS, person, strict=True)) | {
        "consent": "yes", "stops": "9", "contract_end": "2027-06", "phone": "+31 20 555 0142",
    }  # fmt: skip
    posted = {key: [text] for key, text in said.items()}
    sent = Sent(posted, token, at - 2 * MINUTE, suspected_by=suspected_by)
    return submit_form(version=version, sent=sent, at=at)


def _suspected(version, *, at):
    """A robot, and somebody who was only quick: marketing may free the second."""
    robot = ("winner@prizes.example", "FREE PRIZE", "Prizes", "CEO", "huge", "Food", "Elsewhere", "paper", "quarter")
    quick = ("l.haverkamp@grutland.example", "Lotte Haverkamp", "Grutland", "Head of Operations", "large", "Food",
             "Netherlands", "erp", "quarter")  # fmt: skip
    _send(version, robot, "demo-robot", at=at - 7 * HOUR, suspected_by=Submission.Rule.HONEYPOT)
    _send(version, quick, "demo-quick", at=at - 3 * HOUR, suspected_by=Submission.Rule.TOO_FAST)
