"""Whether the versions that are stored are those that the log tells of.

Whoever gets past the database's own refusal to change a version can change its digest along with its text, but not the
digest on the log without breaking the chain.
"""

from typing import Any, Final

from django.db import connection

from audit.chain import Fault
from audit.models import AuditEntry

MAKES: Final = ("document.created", "version.published", "version.registered", "version.restored")
"""Verbs of the entries that tell of a version; the first that does has its digest."""
RELEASES: Final = ("document.created", "version.published", "version.restored")
"""Those that make one current."""

_OTHER_VERSION: Final = """
    WITH told AS (
        SELECT DISTINCT ON (target_id) target_id, sequence, agent || '/' || document AS document, target_label,
            body::jsonb -> 'after' ->> 'sha256' AS sha256
        FROM audit_auditentry WHERE verb = ANY(%s) AND target_kind = 'version' ORDER BY target_id, sequence
    )
    SELECT told.sequence, COALESCE(told.target_label, 'version ' || v.number) || ' of '
        || COALESCE(told.document, a.slug || '/' || d.slug)
    FROM agents_version v JOIN agents_document d ON d.id = v.document_id JOIN agents_agent a ON a.id = d.agent_id
    FULL JOIN told ON told.target_id = v.id::text
    WHERE told.sha256 IS DISTINCT FROM v.sha256 OR encode(sha256(convert_to(v.text, 'UTF8')), 'hex') <> v.sha256
    ORDER BY told.sequence NULLS LAST, v.id LIMIT 1
"""
_OTHER_CURRENT: Final = """
    SELECT told.sequence, told.agent || '/' || told.document
    FROM agents_document d JOIN agents_agent a ON a.id = d.agent_id JOIN (
        SELECT DISTINCT ON (agent, document) agent, document, target_id, sequence
        FROM audit_auditentry WHERE verb = ANY(%s) AND target_kind = 'version' ORDER BY agent, document, sequence DESC
    ) told ON (told.agent, told.document) = (a.slug, d.slug)
    WHERE told.target_id IS DISTINCT FROM d.current_id::text ORDER BY told.sequence LIMIT 1
"""


def digest_of(version_id: int) -> str | None:
    """The SHA-256 that the log has of a version's text, in hexadecimal digits; None where it tells of no such version.

    One query.
    """
    told = AuditEntry.objects.filter(target_kind="version", target_id=str(version_id), verb__in=MAKES)
    entry = told.order_by("sequence").first()
    return str((entry.fact["after"] or {}).get("sha256")) if entry else None


def fault(entries: int) -> Fault | None:
    """The first of so many entries that is not true of what is stored. Two queries that read every version."""
    if found := _first(_OTHER_VERSION, MAKES):
        sequence, version = found
        if sequence is None:
            return Fault(max(1, entries), f"neither it nor one before it tells of {version}, which is stored")
        return Fault(sequence, f"{version}, as it is stored now, is not what it tells of")
    if found := _first(_OTHER_CURRENT, RELEASES):
        return Fault(found[0], f"{found[1]} has another current version now than the one it tells of")
    return None


def _first(sql: str, verbs: tuple[str, ...]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(verbs)])
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
