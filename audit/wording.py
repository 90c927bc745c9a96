"""What the entries of the log say, in words. The log stores facts; this is their wording when shown."""

from typing import Any, Final

from audit.models import AuditEntry

VERBS: Final[dict[str, str]] = {
    "agent.created": "created the agent",
    "document.created": "created the document",
    "document.rolled_back": "rolled back",
    "version.published": "made current",
    "version.restored": "restored",
    "key.created": "created the API key",
    "key.revoked": "revoked the API key",
    "feedback.withdrawn": "withdrew",
    "pattern.opened": "found the pattern",
    "pattern.dismissed": "dismissed the pattern",
    "pattern.reopened": "reopened the pattern",
    "person.created": "created the account",
    "proposal.opened": "proposed",
    "proposal.drafted": "drafted",
    "proposal.amended": "amended",
    "proposal.rebased": "rebased",
    "proposal.withdrawn": "withdrew",
    "proposal.approval_given": "gave one of the approvals needed for",
    "proposal.approved": "approved",
    "proposal.changes_requested": "requested changes to",
    "proposal.rejected": "rejected",
}


def verb_in_words(verb: str) -> str:
    """“proposal.approved” → “approved”; a verb this file does not know is spelled out from its name."""
    return VERBS.get(verb) or verb.rpartition(".")[2].replace("_", " ")


def sentence(entry: AuditEntry) -> str:
    """What was done to what: “approved Say which refund window applies, revision 2, now version 5”."""
    before, after = entry.fact.get("before") or {}, entry.fact.get("after") or {}
    return ", ".join([f"{verb_in_words(entry.verb)} {entry.target_label}", *_details(before, after)])


def short(entry: AuditEntry) -> str:
    """The same where the target is plain from the page: “approved, revision 2, now version 5”."""
    before, after = entry.fact.get("before") or {}, entry.fact.get("after") or {}
    return ", ".join(
        [verb_in_words(entry.verb).removesuffix(" to").removesuffix(" for"), *_details(before, after)]
    )


def _details(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    told = []
    if after.get("revision"):
        told.append(f"revision {after['revision']}")
    if after.get("version"):
        was = f", before it {before['version']}" if before.get("version") else ""
        told.append(f"now version {after['version']}{was}")
    if after.get("restores"):
        told.append(f"with the text of version {after['restores']}")
    if after.get("single_operator"):
        told.append("under the single-operator setting")
    return told
