"""A fresh board for one drill: throwaway servers, a migrated database, and this process set up for both."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def board() -> Iterator[None]:
    """Start PostgreSQL and Valkey, and set Django up for them; nothing stays behind."""
    from tests.engines import running

    with ExitStack() as stack:
        os.environ |= stack.enter_context(running())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="countersign-drill-"))
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "reviewapp.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0, skip_checks=True)
        yield
        connection.close()
