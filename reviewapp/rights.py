"""What the role may do that web, worker and scheduler sign in as, where another one owns the tables.

It reads and writes rows, and no more: it cannot change or empty a table, nor switch off a trigger. What the database
refuses anyway is not even its right, and of the log it may read entries and add them; sealing them is the owner's
(`audit/migrations/0005_sealed_by_the_owner.py`).
"""

from typing import Final

from django.db import ProgrammingError, connection, transaction
from psycopg.sql import SQL, Composed, Identifier

_ALL: Final = """
GRANT USAGE ON SCHEMA public TO {role};
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
REVOKE UPDATE ON audit_auditentry FROM {role};
REVOKE INSERT, UPDATE ON audit_chainhead FROM {role};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role};
REVOKE EXECUTE ON FUNCTION audit_seal() FROM PUBLIC;
"""
_REFUSED: Final = """
SELECT c.relname, bool_or(t.tgtype & 16 > 0), bool_or(t.tgtype & 8 > 0)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgfoid = 'refuse_change()'::regprocedure AND t.tgqual IS NULL AND t.tgattr = ''
GROUP BY c.relname
"""
"""Tables of which the database refuses every update, or every removal."""


class CannotGive(Exception):
    """Why the role does not have its rights, as a sentence for the person at the terminal."""


def give(role: str) -> None:
    """Give the role these rights and no others on the tables there are now. Raises CannotGive."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            if cursor.fetchone()[0] == role:
                raise CannotGive(f"COUNTERSIGN_DATABASE_ROLE: {role} owns the tables itself; name another role.")
            cursor.execute(_for(role, SQL(_ALL)))
            cursor.execute(_REFUSED)
            for table, updates, removals in cursor.fetchall():
                what = ", ".join(word for word, refused in (("UPDATE", updates), ("DELETE", removals)) if refused)
                if what:
                    cursor.execute(_for(role, SQL(f"REVOKE {what} ON {{table}} FROM {{role}}"), table))
    except ProgrammingError as error:
        raise CannotGive(f"COUNTERSIGN_DATABASE_ROLE: {str(error).strip().splitlines()[0]}.") from None


def _for(role: str, statement: SQL, table: str = "") -> Composed:
    return statement.format(role=Identifier(role), table=Identifier(table))
