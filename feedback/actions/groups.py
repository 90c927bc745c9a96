"""Save the miner's groups as patterns."""

from collections.abc import Mapping, Sequence

from django.db import connection
from django.utils import timezone

from feedback.actions import columns
from feedback.mining import Group, Kind
from feedback.models import Pattern

_GROWN = """
    UPDATE feedback_pattern p SET grouped = new.grouped, grown = new.grown,
        centroid = coalesce(new.centroid, p.centroid), meaning = coalesce(new.meaning, p.meaning)
    FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bytea[], %s::bytea[])
        AS new (id, grouped, grown, centroid, meaning)
    WHERE p.id = new.id
"""


def store(agent_id: int, groups: Sequence[Group]) -> dict[int, int]:
    """Save new groups in the order they were made, and what moved of known ones; new key → primary key."""
    new = sorted((group for group in groups if group.key < 0), key=lambda group: -group.key)
    made = _insert(agent_id, new)
    columns.run(_GROWN, [(g.key, g.size, g.grown, g.centroid or None, g.meaning or None) for g in groups if g.key > 0])
    return {group.key: key for group, key in zip(new, made, strict=True)}


_EACH = {
    "kind": "text",
    "signature": "text",
    "centroid": "bytea",
    "meaning": "bytea",
    "grouped": "int",
    "grown": "bigint",
    "is_compared": "bool",
}


def _insert(agent_id: int, new: Sequence[Group]) -> list[int]:
    """Make patterns of new groups, in their order; their keys. As bulk_create, at a tenth of its cost."""
    rest = Pattern(agent_id=agent_id, created_at=timezone.now())
    fields = [field for field in Pattern._meta.concrete_fields if field.column not in _EACH and not field.primary_key]
    sql = _sql({str(field.column): str(field.db_type(connection)) for field in fields})
    same = [field.get_db_prep_save(getattr(rest, field.attname), connection) for field in fields]
    rows = [(g.kind, g.signature, g.centroid, g.meaning, g.size, g.grown, g.kind is not Kind.ERROR) for g in new]
    return [key for (key,) in columns.run(sql, rows, *same)]


def _sql(same: Mapping[str, str]) -> str:
    """Columns that are the same for all of them, with their types, and then those of each."""
    arrays = ", ".join(f"%s::{kind}[]" for kind in _EACH.values())
    # Names are ours, from this file and from the model; values travel as parameters.
    return (
        f"INSERT INTO feedback_pattern ({', '.join([*same, *_EACH])}) "  # noqa: S608
        f"SELECT {', '.join(f'%s::{kind}' for kind in same.values())}, {', '.join(f'new.{name}' for name in _EACH)} "
        f"FROM unnest({arrays}) WITH ORDINALITY AS new ({', '.join(_EACH)}, place) ORDER BY place RETURNING id"
    )
