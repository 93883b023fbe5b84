"""How a fact came in: from one lead's page, in bulk, with an import or through the API."""

from django.db import models


class Via(models.TextChoices):
    PAGE = "page", "Page"
    BULK = "bulk", "Bulk"
    IMPORT = "import", "Import"
    API = "api", "API"
