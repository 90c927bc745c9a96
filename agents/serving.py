"""Which instructions an agent gets: the present ones or past ones. Knows no HTTP and never touches the broker."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec

from agents import recorded
from agents.models import Document, Release, Version
from agents.statements import fetch, once_more

_CURRENT: Final = """
SELECT v.id, v.sha256, s.id, s.share, s.salt, c.id, c.sha256
FROM agents_document d JOIN agents_version v ON v.id = d.current_id
LEFT JOIN agents_split s ON s.document_id = d.id AND s.ended_at IS NULL
LEFT JOIN agents_version c ON c.id = s.candidate_id
WHERE d.agent_id = $1 AND d.slug = $2
"""


@dataclass(frozen=True, slots=True)
class Arm:
    """A unit's place in the rollout with this key: whether it gets the candidate, whose share is in percent."""

    rollout: int
    is_candidate: bool
    share: int

    def __str__(self) -> str:
        return "candidate" if self.is_candidate else "current"


@dataclass(frozen=True, slots=True)
class Served:
    """What to serve: `etag` names exactly this answer; `arm` is None outside a rollout."""

    version_id: int
    sha256: str
    arm: Arm | None = None

    @property
    def etag(self) -> str:
        # The version's own id is in it: a rollback brings back a text, but under a new number.
        tag = f"{self.version_id}-{self.sha256}"
        return f'"{tag}-{self.arm.rollout}-{self.arm}-{self.arm.share}"' if self.arm else f'"{tag}"'


def serve(agent_id: int, document: str, unit: str | None = None) -> Served | None:
    """What this unit gets now; None for an unknown document. Asks the database each time: an approval counts at once.

    Without a unit, everybody gets the current version.
    """
    rows = once_more(lambda: fetch(_CURRENT, (b"%d" % agent_id, document.encode())))
    if not rows:
        return None
    current, digest, rollout, share, salt, candidate, candidate_digest = rows[0]
    if rollout is None:
        return Served(int(current or 0), digest or "")
    percent = int(share or 0)
    if unit and gets_candidate(salt or "", unit, percent):
        return Served(int(candidate or 0), candidate_digest or "", Arm(int(rollout), True, percent))
    return Served(int(current or 0), digest or "", Arm(int(rollout), False, percent))


def gets_candidate(salt: str, unit: str, share: int) -> bool:
    """Whether a unit falls to the candidate at this share in percent; at a larger one it still does."""
    place = int.from_bytes(sha256(f"{salt}:{unit}".encode()).digest()[:8], "big")
    return place * 100 < share << 64


def serve_version(agent: str, document: str, number: int) -> Served | None:
    """A version by its number; None when there is none."""
    return _served(Version.objects.filter(document__in=_documents(agent, document), number=number))


def serve_at(agent: str, document: str, at: datetime) -> Served | None:
    """The version that was current at a time; None before the first."""
    release = Release.objects.filter(document__in=_documents(agent, document), at__lte=at).order_by("-at", "-pk")
    return _served(Version.objects.filter(pk__in=release.values("version")[:1]))


class AlteredText(Exception):
    """What is stored is not the text that was approved, so nobody gets it."""


def body(served: Served) -> bytes:
    """The JSON answer. Raises AlteredText."""
    start, arm = _start(served.version_id, served.sha256), served.arm
    if arm is None:
        return start + b"null}"
    said = b'{"id":%d,"arm":"%s","share":%g}}' % (arm.rollout, str(arm).encode(), arm.share / 100)
    return start + said


@lru_cache(maxsize=512)
def _start(version_id: int, digest: str) -> bytes:
    """The answer for one version, up to its rollout. Versions never change, so this may be remembered for good.

    Whoever gets past the database's own refusal to change a version would change what protected sections say, too; so
    it is compared with what the log has of it.
    """
    version = Version.objects.select_related("document__agent").filter(pk=version_id, sha256=digest).first()
    if version is None or not sha256(version.text.encode()).hexdigest() == digest == recorded.digest_of(version_id):
        which = f"version {version.number}" if version else "a version"
        raise AlteredText(f"The stored text of {which} is not the one that was approved.")
    whole = msgspec.json.encode(
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
    return whole.removesuffix(b"null}")


def _documents(agent: str, document: str) -> "Any":
    return Document.objects.named(agent, document)


def _served(versions: "Any") -> Served | None:
    found = versions.values_list("pk", "sha256").first()
    return Served(*found) if found else None
