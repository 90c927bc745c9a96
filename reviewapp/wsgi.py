"""The WSGI entry point: a few lean calls first, Django for all the rest."""

import gc
import os
from collections.abc import Iterable

from django.core.wsgi import get_wsgi_application

from reviewapp.processes import tie_to_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
tie_to_server()
_django = get_wsgi_application()

# Only now, with Django set up, can views be imported.
from django.urls import get_resolver  # noqa: E402

from agents.wire import Environ, StartResponse  # noqa: E402
from reviewapp.crowding import crowd  # noqa: E402
from reviewapp.lean import lean_response  # noqa: E402
from reviewapp.patience import limit_questions  # noqa: E402

limit_questions()
_PAGES = get_resolver().url_patterns  # loads the views of every page
gc.collect()
gc.freeze()  # all that is loaded now stays for good: the collector need not look through it between requests
gc.set_threshold(10_000, 20, 20)  # a page makes tens of thousands of objects and leaves hardly any that need it


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    crowd.enter()
    try:
        lean = lean_response(environ, start_response)
        return _django(environ, start_response) if lean is None else lean  # type: ignore[arg-type]
    finally:
        crowd.leave()
