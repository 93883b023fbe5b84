"""The rows of forms: what is asked, and what visitors sent."""

from leads.intake.forms.models.form import ConsentText, Form, FormVersion
from leads.intake.forms.models.submission import Consent, Progress, Submission

__all__ = ["Consent", "ConsentText", "Form", "FormVersion", "Progress", "Submission"]
