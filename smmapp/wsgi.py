from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from core.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")

application = get_wsgi_application()

# Views are imported with the addresses; without this the first visitor waits for it.
_ = get_resolver().url_patterns
keep_what_is_loaded()
