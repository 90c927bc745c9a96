"""What every test can rely on: real engines, and a browser where there is one."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations
from playwright.sync_api import Browser, sync_playwright

from agents import spending
from audit.notes import PrivateKey
from reviewapp.settings import database_settings
from tests import engines

pytest_plugins = ["tests.cast", "tests.log", "tests.outcomes"]

_NO_CHROMIUM = "there is no Chromium here (Debian: apt-get install chromium)"
_CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_engines = ExitStack()

# A page left open asks for news until its browser is gone; emptying the tables under such a request is a deadlock.
_STRAGGLERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
"""

_FILLED_BY_MIGRATIONS = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


def pytest_configure(config: pytest.Config) -> None:
    """Start the engines once, in the process that starts first; pytest-xdist's workers inherit their addresses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker and not config.option.collectonly:
        given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
        if len(given) < 2:
            os.environ.update(_engines.enter_context(engines.running()) | given)
            if "DATABASE_URL" in given:
                del os.environ[engines.FOLDER]
    if "DATABASE_URL" in os.environ:
        settings.DATABASES["default"].update(database_settings(os.environ["DATABASE_URL"]))
        # Workers share the server, so each has a numbered database of its own, as pytest-django gives it in PostgreSQL.
        number = int(re.sub(r"\D", "", worker) or 0)
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rsplit('/', 1)[0]}/{number}"
        settings.CELERY_BROKER_URL = settings.CACHES["default"]["LOCATION"] = os.environ["REDIS_URL"]
    # How fast examples are made tells of the machine, not of the code.
    hypothesis.settings.register_profile("shared", suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("shared")
    # One day is enough, and each end user is a source; the tests of who stands behind a draft ask for more.
    settings.COUNTERSIGN_MIN_DAYS, settings.COUNTERSIGN_COUNT_USERS = 1, True
    os.environ |= {"COUNTERSIGN_MIN_DAYS": "1", "COUNTERSIGN_COUNT_USERS": "true"}
    # Nobody waits for tomorrow; the tests of how often something is released set it.
    settings.COUNTERSIGN_RELEASES_A_DAY = 0
    os.environ["COUNTERSIGN_RELEASES_A_DAY"] = "0"
    # By words alone, which takes no model; the tests of meaning turn it on.
    settings.COUNTERSIGN_MEANING = False
    os.environ["COUNTERSIGN_MEANING"] = "false"
    # A key made for these tests, and no folder to file checkpoints in: whoever tests that names one.
    settings.COUNTERSIGN_SIGNING_KEY = PrivateKey.generate("tests/log").text
    settings.COUNTERSIGN_CHECKPOINT_DIR = Path(os.devnull) / "checkpoints"
    # Passwords are kept so that guessing takes long, and so does each test that sets one.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files straight from their sources: nothing needs collecting before a test.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True


def pytest_unconfigure(config: pytest.Config) -> None:
    _engines.close()


def chromium_path() -> str | None:
    """Where Chromium is, if it is here."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say that browser tests did not run, so that a green line does not claim more than it should."""
    if not chromium_path():
        terminalreporter.write_line(f"browser tests skipped, because {_NO_CHROMIUM}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without one the test is skipped, or fails where COUNTERSIGN_REQUIRE_BROWSER is set."""
    if path := chromium_path():
        return path
    if os.environ.get("COUNTERSIGN_REQUIRE_BROWSER"):
        pytest.fail(f"COUNTERSIGN_REQUIRE_BROWSER is set, but {_NO_CHROMIUM}")
    pytest.skip(_NO_CHROMIUM)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A running headless Chromium; open a context of your own in it."""
    # Playwright keeps an event loop running in this thread; Django would refuse the ORM under it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, headless=True, args=_CHROMIUM_OPTIONS)
        yield running
        running.close()


@pytest.fixture(autouse=True)
def _valkey_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test learns of Valkey is forgotten for the next."""
    monkeypatch.setattr(spending, "_Valkey", type("_Valkey", (spending._Valkey,), {}))
    for name in ("_ahead", "_here"):
        monkeypatch.setattr(spending, name, {})


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let the database of each worker be a copy of one that was migrated."""
    if engines.migrated():
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = engines.MIGRATED


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let transactional tests empty the tables between tests, append-only ones too; only tests may, and only this way.

    Deleting the few rows of a test takes three milliseconds, truncating a hundred tables and filling those that
    migrations filled five hundred.
    """

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **kwargs: Any) -> list[str]:
        emptied = [f"DELETE FROM {self.quote_name(table)}" for table in {*tables} - _FILLED_BY_MIGRATIONS]  # noqa: S608
        return [_STRAGGLERS, "SET LOCAL session_replication_role = replica", "; ".join(emptied)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **kwargs: None)
        yield
