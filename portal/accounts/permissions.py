"""Who may do what: the one table that page, API, task and command ask, with one sentence of refusal each."""

from enum import Enum

from portal.accounts.models import Role
from portal.shared.refusal import NotPermitted


class May(Enum):
    """A thing one may do: (roles that may, the sentence for everybody else)."""

    WORK_INBOX = (
        (Role.REP, Role.SALES_MANAGER),
        "Only sales reps and sales managers work the inbox.",
    )
    REASSIGN_LEADS = ((Role.SALES_MANAGER,), "Only a sales manager gives a lead to someone else.")
    CLAIM_LEADS = ((Role.REP, Role.SALES_MANAGER), "Only sales reps and sales managers claim leads from the queue.")
    HAND_BACK_LEADS = ((Role.REP, Role.SALES_MANAGER), "Only sales reps and sales managers hand a lead back.")
    SEE_BOARD = (
        (Role.SALES_MANAGER, Role.SALES_LEADER),
        "The board is open to sales managers and sales leaders.",
    )
    CHANGE_ROUTING = (
        (Role.SALES_MANAGER, Role.ADMIN),
        "Only a sales manager or an admin changes the routing rules.",
    )
    SEE_ALL_HANDOFFS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "You see only the leads that you or your team hold.",
    )
    READ_AUDIT = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER, Role.ADMIN),
        "The audit is open to marketing, sales managers, both leaderships and admins.",
    )
    SEE_SCORECARD = (tuple(Role), "Only people with a role see how promises were kept.")
    CLOSE_AUDIT = (
        (Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only the two leaders close an audit.",
    )
    PROPOSE_EXCUSES = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_MANAGER, Role.SALES_LEADER),
        "Only marketing, sales managers and the two leaders propose that a breach be excused.",
    )
    ANSWER_EXCUSES = (
        (Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only the two leaders answer whether a breach is excused.",
    )
    DECIDE_ACTIONS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER),
        "Only marketing, sales managers and the two leaders decide actions.",
    )
    SEE_DEALS = (tuple(Role), "Only people with a role see what was won and lost.")
    RECORD_DEALS = (
        (Role.REP, Role.SALES_MANAGER, Role.SALES_LEADER, Role.ADMIN),
        "Only sales and admins record what was won or lost.",
    )
    DRAW_SAMPLES = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only marketing and the two leaders draw a sample of rejections.",
    )
    RECODE_REASONS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER),
        "Only marketing, sales managers and the two leaders code rejections a second time.",
    )
    READ_AGREEMENT = (tuple(Role), "Only people with a role read the agreement.")
    EDIT_DEFINITION = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only marketing and the two leaders change a draft of the definition.",
    )
    BACKTEST_DEFINITION = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "Only marketing, the two leaders and admins see what a definition would have done to the leads.",
    )
    CALIBRATE = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only marketing and the two leaders start a calibration or propose what it found.",
    )
    READ_CALIBRATION = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "Calibration is open to marketing, both leaderships and admins.",
    )
    START_ROUNDS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only marketing and the two leaders draw a round of deals.",
    )
    ANNOTATE = (
        (Role.REP, Role.SALES_MANAGER, Role.SALES_LEADER),
        "Only sales marks won and lost deals.",
    )
    READ_ROUNDS = (tuple(Role), "Only people with a role read the rounds of deals.")
    DRAFT_AGREEMENT = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only marketing and the sales leadership draft and propose the agreement.",
    )
    DISCUSS_AGREEMENT = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER),
        "Only marketing, sales managers and the sales leadership comment on the agreement.",
    )
    RETURN_AGREEMENT = (
        (Role.MARKETING_LEADER, Role.SALES_LEADER),
        "Only whoever proposed it, or a leader, ends a proposal.",
    )
    IMPORT_LEADS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.ADMIN),
        "Only marketing and admins import leads.",
    )
    BUILD_FORMS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.ADMIN),
        "Only marketing and admins build forms.",
    )
    SEE_FORMS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER, Role.ADMIN),
        "Forms are open to marketing, sales managers, both leaders and admins.",
    )
    SEE_SUBMISSIONS = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "What visitors sent is open to marketing, both leaders and admins; sales reads it on its leads.",
    )
    FREE_SUBMISSIONS = (
        (Role.MARKETER, Role.MARKETING_LEADER),
        "Only marketing frees a submission that was suspected.",
    )
    SEE_NURTURE = (
        (Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "Nurture is open to marketing, both leaders and admins.",
    )
    WORK_NURTURE = (
        (Role.MARKETER, Role.MARKETING_LEADER),
        "Only marketing changes what becomes of a lead in nurture.",
    )
    WITHDRAW_HANDOFFS = (
        (Role.SALES_MANAGER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.ADMIN),
        "Only a manager, a leader or an admin withdraws a lead.",
    )
    DISPUTE_REJECTIONS = (
        (Role.MARKETER, Role.MARKETING_LEADER),
        "Only marketing disputes a rejection.",
    )
    RULE_ON_DISPUTES = (
        (Role.SALES_MANAGER, Role.SALES_LEADER),
        "Only a sales manager or the sales leader rules on a dispute.",
    )
    MANAGE_PEOPLE = ((Role.ADMIN,), "Only an admin manages people and teams.")
    MANAGE_KEYS = ((Role.ADMIN,), "Only an admin makes and revokes keys of programs and websites.")
    MANAGE_MESSAGES = ((Role.ADMIN,), "Only an admin looks after messages and chat rooms.")
    FORGET_PEOPLE = ((Role.ADMIN,), "Only an admin forgets people, and gives out what is known of them.")
    MANAGE_CONNECTIONS = ((Role.ADMIN,), "Only an admin looks after connections.")
    PLAN_ABSENCES = (
        (Role.SALES_MANAGER, Role.ADMIN),
        "Only the person, the manager of the team or an admin enters an absence.",
    )
    MANAGE_CALENDARS = ((Role.SALES_MANAGER, Role.ADMIN), "Only sales managers and admins look after calendars.")

    @property
    def roles(self):
        return self.value[0]

    @property
    def refusal(self):
        return self.value[1]


def may(user, what):
    """True when the active `user` holds a role that allows `what`. None (nobody) may nothing."""
    return bool(user and user.is_active and user.holds(*what.roles))


def require(user, what):
    """Raise NotPermitted with the one sentence unless `may(user, what)`."""
    if not may(user, what):
        raise NotPermitted(what.refusal)
