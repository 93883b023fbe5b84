"""The kinds of messages about leads: each person chooses by which ways they come, each chat room which it hears."""

from portal.accounts.models import Role
from portal.outbox.mail import BELL, MAIL, kind

SALES = (Role.REP, Role.SALES_MANAGER)
LEADERS = (Role.MARKETING_LEADER, Role.SALES_LEADER)

NEW_LEAD = kind(
    "new_lead", "A lead is mine", hint="It came into my inbox, or someone gave it to me.", roles=SALES,
    chat="A lead was handed over",
)  # fmt: skip
CLOCK_WARNING = kind(
    "clock_warning", "A clock of mine runs out soon", hint="At the share of its time that the agreement names.",
    roles=SALES, ways=(BELL, MAIL),
)  # fmt: skip
BREACH = kind(
    "breach", "A clock ran out", hint="Of a lead in my team, or of mine: and when it goes to the queue.", roles=SALES,
    chat="A clock ran out",
)  # fmt: skip
QUEUE = kind(
    "queue", "A lead waits in the default queue", hint="Nobody was free, or it was handed back; I answer for it.",
    roles=(Role.SALES_MANAGER, Role.SALES_LEADER, Role.ADMIN), chat="A lead waits in the default queue",
)  # fmt: skip
DISPUTE = kind(
    "dispute",
    "A rejection is disputed",
    hint="For me to rule on, or ruled on.",
    roles=(*SALES, *LEADERS, Role.MARKETER),
)
DIGEST = kind(
    "digest", "The day’s digest", hint="Each working morning: overdue, due today, new.", roles=SALES, ways=(MAIL,)
)
REVIEW = kind(
    "review", "The conversion review", hint="As often as the agreement says, when its week begins.",
    roles=LEADERS, ways=(MAIL,),
)  # fmt: skip
AUDIT = kind(
    "audit", "An audit waits for my signature", hint="It was closed, and both leaders sign it.", roles=LEADERS
)
EXCUSE = kind(
    "excuse", "A breach is to be excused", hint="The other side proposes it, or answered mine.",
    roles=(Role.MARKETER, *LEADERS, Role.SALES_MANAGER),
)  # fmt: skip
ACTION = kind(
    "action", "An action is mine", hint="An audit decided it and named me.",
    roles=(Role.MARKETER, *LEADERS, Role.SALES_MANAGER, Role.ADMIN),
)  # fmt: skip
ROUND = kind(
    "round", "A round of deals", hint="I was named to mark won and lost deals, or both have marked what I drew.",
    roles=(*SALES, *LEADERS, Role.MARKETER),
)  # fmt: skip
