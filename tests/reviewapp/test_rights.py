"""Least rights: of two roles one owns the database, the other reads and writes rows; neither rules the server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import errors

from reviewapp.embedded.postgres import Postgres, bare, program
from reviewapp.environment import BASE_DIR
from reviewapp.processes import MARK, stop

pytestmark = pytest.mark.process

OWNER, ROLE = "countersign_owner", "countersign"


class Server(Postgres):
    """One with its superuser, who gets in by the socket, as in the container; everybody else needs a password."""

    @property
    def url(self) -> str:
        return self.of("postgres", "postgres")

    def of(self, role: str, database: str = "countersign", password: str = "") -> str:
        return f"postgresql://{role}{f':{password}' if password else ''}@/{database}?host={self.sockets}"

    def _initialise(self, cluster: Path) -> None:
        options = ["--username=postgres", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(cluster, "initdb", [*options, "--auth=trust", "--no-locale", "--no-sync"])
        (cluster / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As the image of PostgreSQL runs it, and `docker/database.sql` in it, and as “prepare” leaves it."""
    folder = tmp_path_factory.mktemp("rights")
    (folder / "run").mkdir(mode=0o711)
    made = Server(folder, durable=False)
    made.create()
    child = made.child(os.environ | {MARK: str(folder)})
    child.start()
    try:
        made.wait(child)
        secrets = {"POSTGRES_OWNER_PASSWORD": "the owner's", "POSTGRES_PASSWORD": "everybody's"}
        script = ["--set=ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", f"--file={BASE_DIR / 'docker' / 'database.sql'}"]
        subprocess.run([program("psql"), made.url, *script], env=bare(os.environ) | secrets, check=True)
        manage(made, OWNER, "prepare", "--verbosity", "0", COUNTERSIGN_DATABASE_ROLE=ROLE)
        yield made
    finally:
        stop([child])
        made.tidy()


PASSWORDS: Final = {OWNER: "the%20owner's", ROLE: "everybody's"}


def manage(server: Server, role: str, *arguments: str, **more: str) -> str:
    """What a command says, on the board of this role."""
    env = os.environ | {
        "DATABASE_URL": server.of(role, password=PASSWORDS[role]),
        "DATA_DIR": str(server.cluster.parent),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=BASE_DIR, env=env | more, text=True, capture_output=True
    )
    return done.stdout + done.stderr


@contextmanager
def signed_in(server: Server, role: str = ROLE) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server.of(role, password=PASSWORDS[role]), autocommit=True) as connection:
        yield connection


def test_the_board_runs_as_who_owns_nothing(server: Server, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.md"
    prompt.write_text("# Role\n\nYou answer.\n")
    assert "support" in manage(server, ROLE, "create_agent", "support", "--document", f"system-prompt={prompt}")
    assert manage(server, ROLE, "create_key", "support", "--scope", "ingest").startswith("csk_")
    assert "entries are sound" in manage(server, ROLE, "verify_audit")
    with signed_in(server) as connection:
        unsealed = connection.execute("SELECT count(*) FILTER (WHERE hash IS NULL) FROM audit_auditentry").fetchone()
    assert unsealed == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET actor_label = 'nobody'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "UPDATE audit_chainhead SET sequence = 0",
        "INSERT INTO audit_chainhead (id, sequence, hash) VALUES (2, 0, '')",
        "SELECT * FROM audit_chainhead FOR UPDATE",
        "DELETE FROM audit_verification",
        "UPDATE agents_version SET text = 'other'",
        "DELETE FROM agents_version",
        "DELETE FROM proposals_decision",
        "TRUNCATE proposals_proposal",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entry_kept ON audit_auditentry",
        "CREATE OR REPLACE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP TABLE proposals_proposal",
        "ALTER TABLE people_user ADD COLUMN x int",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET session_replication_role = replica",
        "SET ROLE countersign_owner",
        "COPY people_user TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_it_changes_no_table_and_nothing_of_the_log(server: Server, statement: str) -> None:
    with signed_in(server) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_neither_role_rules_the_server_and_nobody_signs_in_as_who_does(server: Server) -> None:
    with psycopg.connect(server.url) as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles"
            " WHERE rolname LIKE 'countersign%' ORDER BY 1"
        ).fetchall()
        (password,) = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolsuper").fetchall()
    assert found == [(ROLE, *[False] * 5), (OWNER, *[False] * 5)]
    assert password == (None,)
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(server.of(ROLE, database, PASSWORDS[ROLE]))


def test_the_roles_have_passwords_of_their_own(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.of(OWNER, password=PASSWORDS[ROLE]))


def test_rights_come_back_with_a_backup(server: Server, tmp_path: Path) -> None:
    assert "backup" in manage(server, ROLE, "backup", str(tmp_path / "backup")).lower()
    restored = manage(server, OWNER, "restore", str(tmp_path / "backup"), "--overwrite", COUNTERSIGN_DATABASE_ROLE=ROLE)
    assert "is sound" in restored
    assert "entries are sound" in manage(server, ROLE, "verify_audit")
    with signed_in(server) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("DELETE FROM audit_auditentry")


@pytest.mark.parametrize(("role", "said"), [("nobody", "does not exist"), (OWNER, "owns the tables itself")])
def test_a_role_that_cannot_be_given_rights_is_named(server: Server, role: str, said: str) -> None:
    found = manage(server, OWNER, "prepare", "--verbosity", "0", COUNTERSIGN_DATABASE_ROLE=role)
    assert "COUNTERSIGN_DATABASE_ROLE: " in found
    assert said in found
