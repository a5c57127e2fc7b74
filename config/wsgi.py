"""The WSGI door."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from config.celery import leave_alone_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = get_wsgi_application()
import_module("config.urls")  # with all that the pages need, before the first of them is asked for
leave_alone_what_is_loaded()
