"""The WSGI entrance that the web server imports."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("DATABASE_POOL", "1")
application = get_wsgi_application()

# What is loaded by now stays as long as the process: the garbage collector need not walk it during a request.
gc.collect()
gc.freeze()
