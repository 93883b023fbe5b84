"""People: users who sign in by e-mail, the roles they hold and the team they belong to."""

import datetime as dt
from zoneinfo import ZoneInfo

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from portal.shared.triggers import no_truncate, refuse


class Role(models.TextChoices):
    """What a person does here; a person may hold several."""

    REP = "rep", "Sales rep"
    SALES_MANAGER = "sales_manager", "Sales manager"
    MARKETER = "marketer", "Marketer"
    MARKETING_LEADER = "marketing_leader", "Marketing leader"
    SALES_LEADER = "sales_leader", "Sales leader"
    ADMIN = "admin", "Admin"


class Theme(models.TextChoices):
    SYSTEM = "system", "System"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Team(models.Model):
    """A sales or marketing team; a sales manager sees the handoffs of the team they belong to."""

    name = models.CharField(max_length=80, unique=True)

    def __str__(self):
        return self.name


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def holding(self, role):
        """Users who hold `role`, active or not."""
        return self.filter(roles__contains=[role])

    def reps(self):
        return self.active().holding(Role.REP)

    def present(self, *, on):
        """Active people who are not absent on that day (a date, or an aware datetime: its day in the organisation)."""
        return self.active().exclude(Exists(Absence.objects.on(on).filter(person=OuterRef("pk"))))

    def absent(self, *, on):
        """People, active or not, with an absence on that day (as in `present`)."""
        return self.filter(Exists(Absence.objects.on(on).filter(person=OuterRef("pk"))))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def create_user(self, email, password=None, *, name, roles=(), **fields):
        """A person who can sign in; without a password only the demo's one-click sign-in or a reset lets them in."""
        user = self.model(email=self.normalize_email(email), name=name, roles=sorted(roles), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, roles=[Role.ADMIN], **{"name": email, **fields})

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser):
    """A person. One without an e-mail address was learnt from an import: an owner of the past who cannot sign in."""

    email = models.EmailField(null=True, blank=True, unique=True)
    name = models.CharField(max_length=200)
    roles = ArrayField(models.CharField(max_length=20, choices=Role), default=list, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members")
    is_active = models.BooleanField(default=True)
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)
    keys_on = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=60, blank=True, default="", db_default="", help_text="empty: as the house")
    # kept by a trigger on the notices, so that the masthead's number costs no query
    unread = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.UniqueConstraint(fields=["name"], condition=Q(email=None), name="user_imported_name_unique"),
            models.CheckConstraint(
                condition=Q(email__isnull=False) | Q(is_active=False), name="user_active_has_email"
            ),
            models.CheckConstraint(condition=Q(roles__contained_by=list(Role.values)), name="user_roles_known"),
            models.CheckConstraint(condition=Q(theme__in=list(Theme.values)), name="user_theme_known"),
        ]

    def __str__(self):
        return self.name

    def holds(self, *roles):
        """True when the person holds any of the roles."""
        return bool(set(roles) & set(self.roles))

    @property
    def zone(self):
        """The person's own time zone, or the organisation's."""
        return ZoneInfo(self.time_zone) if self.time_zone else timezone.get_default_timezone()

    @property
    def initials(self):
        parts = self.name.split()
        return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()

    @property
    def role_labels(self):
        return [Role(role).label for role in self.roles]


class AbsenceQuerySet(models.QuerySet):
    def on(self, day):
        """Those that cover the day: a date, or an aware datetime (its day in the organisation's zone)."""
        if isinstance(day, dt.datetime):
            day = timezone.localdate(day, timezone.get_default_timezone())
        return self.filter(first_day__lte=day, last_day__gte=day).filter(Q(back_on=None) | Q(back_on__gt=day))

    def not_over(self, *, on):
        """Those that run on the day or are still to come."""
        return self.filter(last_day__gte=on).filter(
            Q(back_on=None) | Q(back_on__gt=on) & Q(back_on__gt=F("first_day"))
        )


class Absence(models.Model):
    """Days on which a person gets no new leads. It changes only by ending early: `back_on` is the first day back.

    Days are those of the organisation's zone. One that was called off before it began has `back_on` = `first_day`.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="absences", db_index=False)
    first_day = models.DateField()
    last_day = models.DateField()
    note = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    back_on = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["first_day", "id"]
        indexes = [models.Index(fields=["person", "last_day"], name="absence_person_last_day")]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="absence_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(back_on=None, ended_at=None, ended_by=None)
                | Q(
                    back_on__gte=F("first_day"), back_on__lte=F("last_day"), ended_at__isnull=False,
                    ended_by__isnull=False,
                ),
                name="absence_ended_early_by_someone",
            ),
            # the person as a range of one number: no extension of the database is needed
            ExclusionConstraint(
                name="absence_once_a_day",
                expressions=[
                    (Func(template="int8range(person_id, person_id, '[]')"), RangeOperators.OVERLAPS),
                    (
                        Func(template="daterange(first_day, coalesce(back_on, last_day + 1), '[)')"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="only_ends_early",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.back_on IS NOT NULL OR (OLD.person_id, OLD.first_day, OLD.last_day, OLD.note, OLD.created_at,"
                    " OLD.created_by_id) IS DISTINCT FROM (NEW.person_id, NEW.first_day, NEW.last_day, NEW.note,"
                    " NEW.created_at, NEW.created_by_id)"
                ),
                func=refuse("an absence does not change but for ending early, once"),
            ),
            pgtrigger.Trigger(
                name="never_deleted",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=refuse("absences are ended, never deleted"),
            ),
            no_truncate("absences"),
        ]

    def __str__(self):
        return f"{self.person} from {self.first_day} to {self.last_day}"

    @property
    def until(self):
        """The last day away, as it is or was; before `first_day` where it was called off."""
        return self.back_on - dt.timedelta(days=1) if self.back_on else self.last_day
