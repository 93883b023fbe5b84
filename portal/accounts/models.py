"""People: users who sign in by e-mail, the roles they hold and the team they belong to."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


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
    def initials(self):
        parts = self.name.split()
        return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()

    @property
    def role_labels(self):
        return [Role(role).label for role in self.roles]
