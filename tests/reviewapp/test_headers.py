"""What every answer carries to keep browsers from harm, and what cookies are like over https."""

import json
import subprocess
import sys
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from agents.wire import Answer, _hsts, respond
from people.models import User
from reviewapp.lean import lean_response
from tests.reviewapp.test_drills import environment

NUL: Final = ["/agents/%00/", "/api/v1/agents/%00", "/api/v1/agents?cursor=%00"]


@pytest.mark.parametrize("path", ["/", "/account/login/", "/nothing", "/healthz", "/api/v1/agents", *NUL])
def test_every_answer_has_its_guards(client: Client, mara: User, path: str) -> None:
    client.force_login(mara)
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"


def lean(**environ: str) -> tuple[str, dict[str, str]]:
    """Status and headers of what is answered before Django is asked."""
    said: list[tuple[str, dict[str, str]]] = []
    call = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/v1/agents/a/instructions/b", "wsgi.url_scheme": "http"}
    lean_response(call | environ, lambda status, headers: said.append((status, dict(headers))))
    return said[0]


def test_so_have_the_calls_that_agents_make_all_the_time(settings: Settings) -> None:
    status, headers = lean()
    assert status == "401 Unauthorized"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Strict-Transport-Security" not in headers


def test_over_https_they_say_to_stay_there(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    settings.SECURE_HSTS_PRELOAD = True
    _hsts.cache_clear()
    try:
        wanted = "max-age=31536000; includeSubDomains; preload"
        assert lean(HTTP_X_FORWARDED_PROTO="https")[1]["Strict-Transport-Security"] == wanted
        assert "Strict-Transport-Security" not in lean()[1]
    finally:
        _hsts.cache_clear()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/static/countersign.css", "/api/v1/agents", "/api/v1/feedback"])
def test_trace_is_refused(method: str, path: str) -> None:
    status, headers = lean(REQUEST_METHOD=method, PATH_INFO=path)
    assert status == "405 Method Not Allowed"
    assert "nosniff" in headers.values()


def test_no_body_goes_with_an_answer_that_has_none() -> None:
    said: list[dict[str, str]] = []
    environ: dict[str, Any] = {"wsgi.url_scheme": "http"}
    respond(environ, Answer(304, b""), lambda status, headers: said.append(dict(headers)))
    assert "Content-Type" not in said[0]


OVER_HTTPS: Final = """
import json
from django.conf import settings
from django.test import Client
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
from people.models import User
from people.signin import sign_in_link
from audit.record import COMMAND_LINE
link = sign_in_link(User.objects.get(username="mara"), "", actor=COMMAND_LINE)
client = Client(headers={"host": "board.example"})
page = client.get("/account/login/", secure=True)
done = client.post(link, secure=True)
cookies = {**page.cookies, **done.cookies}
wanted = ("secure", "httponly", "samesite", "path", "domain")
kept = {name: {key: one[key] for key in wanted} for name, one in cookies.items()}
print(json.dumps({"cookies": kept, "hsts": page["Strict-Transport-Security"], "there": client.get("/").status_code}))
"""


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_over_https_cookies_are_bound_to_the_host_and_stay_there(mara: User) -> None:
    env = environment(COUNTERSIGN_HTTPS="true", ALLOWED_HOSTS="board.example")
    command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", OVER_HTTPS]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert said["there"] == 301  # in clear
    assert {"__Host-sessionid", "__Host-csrftoken", "__Host-countersign_device"} <= set(said["cookies"])
    for name, one in said["cookies"].items():
        assert name.startswith("__Host-"), name
        assert (one["secure"], one["samesite"], one["path"], one["domain"]) == (True, "Lax", "/", ""), name
        assert bool(one["httponly"]) is (name != "__Host-csrftoken"), name
