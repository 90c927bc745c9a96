"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from reviewapp.processes import tie_to_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
tie_to_server()
application = get_wsgi_application()
