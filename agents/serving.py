"""Which instructions an agent gets: the present ones or past ones. Knows no HTTP and never touches the broker."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from agents.models import Document, Release, Version
from agents.statements import fetch, once_more

_CURRENT: Final = """
SELECT v.id, v.sha256 FROM agents_document d JOIN agents_version v ON v.id = d.current_id
WHERE d.agent_id = $1 AND d.slug = $2
"""


@dataclass(frozen=True, slots=True)
class Served:
    """What to serve: `etag` names exactly this version of this document; `rollout` is None outside a rollout."""

    version_id: int
    sha256: str
    rollout: None = None

    @property
    def etag(self) -> str:
        # The version's own id is in it: a rollback brings back a text, but under a new number.
        return f'"{self.version_id}-{self.sha256}"'


def serve(agent_id: int, document: str, unit: str | None = None) -> Served | None:
    """What this unit gets now; None for an unknown document. Asks the database each time: an approval counts at once.

    `unit` will decide the arm of a running rollout; outside one everybody gets the current version.
    """
    rows = once_more(lambda: fetch(_CURRENT, (b"%d" % agent_id, document.encode())))
    return Served(int(rows[0][0] or 0), rows[0][1] or "") if rows else None


def serve_version(agent: str, document: str, number: int) -> Served | None:
    """A version by its number; None when there is none."""
    return _served(Version.objects.filter(document__in=_documents(agent, document), number=number))


def serve_at(agent: str, document: str, at: datetime) -> Served | None:
    """The version that was current at a time; None before the first."""
    release = Release.objects.filter(document__in=_documents(agent, document), at__lte=at).order_by("-at", "-pk")
    return _served(Version.objects.filter(pk__in=release.values("version")[:1]))


@lru_cache(maxsize=512)
def body(version_id: int, sha256: str) -> bytes:
    """The JSON answer for one version. Versions never change, so this may be remembered for good."""
    version = Version.objects.select_related("document__agent").get(pk=version_id, sha256=sha256)
    return msgspec.json.encode(
        {
            "agent": version.document.agent.slug,
            "document": version.document.slug,
            "kind": version.document.kind,
            "version": version.number,
            "sha256": version.sha256,
            "content": version.text,
            "rollout": None,
        }
    )


def _documents(agent: str, document: str) -> "Any":
    return Document.objects.named(agent, document)


def _served(versions: "Any") -> Served | None:
    found = versions.values_list("pk", "sha256").first()
    return Served(*found) if found else None
