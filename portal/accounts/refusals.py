"""Why a verb on people or teams says no."""

from portal.shared.refusal import Refusal


class NameRequired(Refusal):
    code = "name_required"
    sentence = "Give a name. Nothing was saved."
    field = "name"


class NameTooLong(Refusal):
    code = "name_too_long"
    sentence = "This name is too long. Nothing was saved."
    field = "name"


class EmailTaken(Refusal):
    code = "email_taken"
    sentence = "Someone with this e-mail address exists already. Nothing was saved."
    field = "email"


class EmailInvalid(Refusal):
    code = "email_invalid"
    sentence = "This is not an e-mail address. Nothing was saved."
    field = "email"


class RoleUnknown(Refusal):
    code = "role_unknown"
    sentence = "Choose at least one of the roles. Nothing was saved."
    field = "roles"


class OwnAdminRole(Refusal):
    code = "own_admin_role"
    sentence = "You cannot take the admin role from yourself; another admin can."
    field = "roles"


class OwnAccount(Refusal):
    code = "own_account"
    sentence = "You cannot deactivate yourself; another admin can."


class TeamNameTaken(Refusal):
    code = "team_name_taken"
    sentence = "A team with this name exists already. Nothing was saved."
    field = "name"


class CannotSignIn(Refusal):
    code = "cannot_sign_in"
    sentence = "This person was learnt from an import and has no e-mail address. Give one to let them in."
    field = "email"


class DaysRequired(Refusal):
    code = "days_required"
    sentence = "Give a first and a last day, the last one not before the first. Nothing was saved."
    field = "last_day"


class DaysPast(Refusal):
    code = "days_past"
    sentence = "An absence that is over already changes nothing. Nothing was saved."
    field = "last_day"


class AbsentAlready(Refusal):
    code = "absent_already"
    sentence = "These days overlap another absence of the same person. Nothing was saved."
    field = "first_day"


class AbsenceOver(Refusal):
    code = "absence_over"
    sentence = "This absence is over or was ended already."
