"""What the entries of the log say, in words. The log stores facts; this is their wording when shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audit.models import AuditEntry
from audit.numbers import counted

VERBS: Final[dict[str, str]] = {  # the target stands at {}, or else at the end
    "agent.created": "created the agent",
    "agent.team_set": "gave",
    "agent.traffic_set": "set when drafts are made for",
    "agent.releases_set": "set how many releases a day go out for",
    "document.created": "created the document",
    "document.drifts": "saw small changes add up in",
    "document.rolled_back": "rolled back",
    "section.protected": "protected",
    "section.unprotected": "lifted the protection of",
    "section.unprotect_asked": "asked to lift the protection of",
    "section.unprotect_refused": "kept the protection of",
    "version.published": "published",
    "version.restored": "restored",
    "key.created": "created the API key",
    "key.revoked": "revoked the API key",
    "key.rotated": "replaced the API key",
    "key.probation_ended": "ended the probation of the API key",
    "key.quarantined": "put the reports of the API key {} in quarantine",
    "key.quarantine_lifted": "lifted the quarantine of the API key",
    "key.quarantine_settled": "recounted the evidence without the reports of the API key",
    "key.quarantine_given_back": "recounted the evidence with the reports of the API key {} again",
    "key.rules_set": "set networks and limits of the API key",
    "feedback.withdrawn": "withdrew",
    "feedback.excluded": "excluded from the evidence",
    "feedback.included": "counted {} again",
    "run.excluded": "excluded from the evidence",
    "run.included": "counted {} again",
    "pattern.opened": "found the pattern",
    "pattern.dismissed": "dismissed the pattern",
    "pattern.reopened": "reopened the pattern",
    "pattern.came_back": "reopened the pattern {}, which came back",
    "pattern.resolved": "resolved the pattern {}, as nothing new came",
    "pattern.renamed": "renamed the pattern",
    "pattern.merged": "merged the pattern",
    "pattern.parted": "took the pattern {} apart again",
    "pattern.split": "split off the pattern",
    "pattern.status_changed": "moved the pattern",
    "policy.set": "set the approvals needed for",
    "policy.removed": "removed the rule on approvals for",
    "quoting.allowed": "allowed drafts to quote corrections for",
    "quoting.forbidden": "stopped drafts from quoting corrections for",
    "source_rule.set": "set who must stand behind drafts for",
    "source_rule.removed": "removed the rule on who must stand behind drafts for",
    "log.exported": "exported",
    "log.read": "read over the API",
    "record.read": "looked at stored rows of",
    "signing_key.created": "began to sign checkpoints with the key",
    "signing_key.rotated": "replaced the key that signs checkpoints with",
    "person.created": "created the account",
    "person.renamed": "renamed",
    "person.roles_set": "set the roles of",
    "person.deactivated": "deactivated",
    "person.reactivated": "reactivated",
    "person.password_set": "set the password of",
    "person.link_made": "made a sign-in link for",
    "person.identity_linked": "connected a sign-in service to",
    "person.identity_unlinked": "disconnected a sign-in service from",
    "person.signed_in": "signed in as",
    "person.signed_out": "signed out as",
    "session.ended": "ended a session of",
    "session.all_ended": "signed out everywhere",
    "factor.added": "added a second factor for",
    "factor.removed": "removed a second factor of",
    "factor.codes_made": "made new recovery codes for",
    "factor.reset": "reset the second factor of",
    "team.created": "created the team",
    "team.renamed": "renamed the team",
    "team.members_set": "set the members of the team",
    "team.dissolved": "dissolved the team",
    "proposal.opened": "proposed",
    "proposal.drafted": "drafted",
    "proposal.amended": "amended",
    "proposal.rebased": "rebased",
    "proposal.redraft_asked": "asked for a redraft of",
    "proposal.redrafted": "redrafted",
    "proposal.redraft_declined": "could not redraft",
    "proposal.outputs_handed_in": "handed in new outputs for",
    "proposal.chosen": "chose",
    "proposal.superseded": "withdrew {}, because another was chosen",
    "proposal.withdrawn": "withdrew",
    "proposal.expired": "let {} expire",
    "proposal.assigned": "assigned",
    "proposal.unassigned": "took back the assignment of",
    "proposal.approval_given": "gave one of the approvals needed for",
    "proposal.approved": "approved",
    "proposal.changes_requested": "requested changes to",
    "proposal.request_taken_back": "took back the request for changes to",
    "proposal.rejected": "rejected",
    "subject.erasure_asked": "asked to erase all of the end user",
    "subject.erased": "erased all of the end user",
    "retention.set": "set how long to keep",
    "retention.applied": "removed old rows of",
    "notice.sent_again": "sent {} again",
    "rollout.started": "started the rollout of",
    "rollout.stepped": "took the next step in the rollout of",
    "rollout.gate_reached": "brought the rollout of {} to its gate",
    "rollout.asked": "asked a person to look at the rollout of",
    "rollout.calmed": "no longer asks for a look at the rollout of",
    "rollout.share_set": "set the share of",
    "rollout.promoted": "promoted",
    "rollout.stopped": "stopped the rollout of",
    "rollout.rolled_back": "rolled back the candidate",
    "rollout.given_up": "gave up the rollout of",
    "rollout_plan.set": "set the rollout plan of",
    "rollout_plan.removed": "removed the rollout plan of",
    "safe_rules.set": "set what may start by itself in",
    "safe_rules.removed": "turned off what may start by itself in",
    "version.registered": "registered {} as a candidate",
    "board.frozen": "froze",
    "board.thawed": "lifted the freeze of",
    "board.backed_up": "backed up the board, with",
    "board.restored": "restored the board from a backup, with",
    "comment.added": "commented on",
    "comment.resolved": "resolved the comments on",
    "comment.reopened": "reopened the comments on",
    "suggestion.applied": "applied the wording suggested for",
    "proposal.bypassed": "published {} without the approvals needed",
    "proposal.started_itself": "started {} by itself, without an approval",
    "proposal.undone": "took {} back, which had started by itself",
}


def verb_in_words(verb: str) -> str:
    """“proposal.approved” → “approved”, without a target; one this file does not know is spelled out from its name."""
    return _phrase(verb).replace(" {}", "")


def _phrase(verb: str) -> str:
    return VERBS.get(verb) or verb.rpartition(".")[2].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Wording:
    """An entry as “<actor> approved <b>Say 14 days</b>, revision 2, now version 5”, in its parts.

    `ending` is the part of the verb that follows its target: “let <b>Say 14 days</b> expire”.
    """

    verb: str
    target: str
    ending: str
    details: tuple[str, ...]
    why: str

    @property
    def of_it(self) -> str:
        """The verb where the page makes plain what was acted on: “approved”, “let it expire”."""
        if self.ending:
            return f"{self.verb} it{self.ending}"
        return self.verb.removesuffix(":").removesuffix(" to").removesuffix(" for").removesuffix(" of")


_CODED: Final = frozenset({"proposal.rejected"})
"""Verbs whose reason is one of a few codes; it is worded, and the note follows it."""


def in_words(entry: AuditEntry) -> Wording:
    """Word one entry from the fact it holds."""
    fact = entry.fact
    before, after = fact.get("before") or {}, fact.get("after") or {}
    why = _why(entry.verb, after)
    if entry.verb == "proposal.approved" and before.get("status") == "in_effect":
        verb = f"confirmed the {after.get('confirms', 'change')} that made version {after.get('version')}:"
        if after.get("confirms") == "start":
            verb = f"confirmed the start by itself of version {after.get('candidate')}:"
        return Wording(verb, entry.target_label, "", (*_attention(after), *_alone(after)), why)
    told = tuple(_details(entry.target_kind, before, after))
    verb, _, ending = _phrase(entry.verb).partition(" {}")
    return Wording(verb, entry.target_label, ending, told, why)


def _alone(after: dict[str, Any]) -> tuple[str, ...]:
    return ("under the single-operator setting",) if after.get("single_operator") else ()


def _why(verb: str, after: dict[str, Any]) -> str:
    """What the actor gave as the reason, in the actor's words; empty when none was given."""
    reason, note = str(after.get("reason") or ""), str(after.get("note") or after.get("text") or "")
    if verb in _CODED:
        reason = reason.replace("_", " ").capitalize()
    return ": ".join(filter(None, (reason, note)))


_TOLD: Final[dict[str, str]] = {
    "restores": "with the text of version {}",
    "worded_by": "in the words of {}",
    "superseded_by": "for proposal {}",
    "outputs": "{} of them",
    "asked_by": "as {} asked",
    "ask": "{}",
}
_TOLD_LAST: Final[dict[str, str]] = {"to": "to {}"}


def _details(target_kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _of_version(target_kind, before, after)
    yield from _told(_TOLD, after)
    if after.get("over"):
        yield f"over proposal {', '.join(map(str, after['over']))}"
    if after.get("form"):
        yield _of_export(after)
    yield from _of_rollout(before, after)
    yield from _OF_KIND.get(target_kind, _nothing)(before, after)
    yield from _told(_TOLD_LAST, after)
    if after.get("approvals"):
        yield _approvals(after)
    if before.get("approvals"):
        yield f"in place of {_approvals(before)}"
    yield from _alone(after)


def _told(named: dict[str, str], facts: dict[str, Any]) -> Iterator[str]:
    return (words.format(facts[name]) for name, words in named.items() if facts.get(name))


def _nothing(_before: dict[str, Any], _after: dict[str, Any]) -> Iterator[str]:
    return iter(())


def _of_version(target_kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if after.get("revision"):
        yield f"revision {after['revision']}"
    if after.get("version") and target_kind != "version":
        yield f"now version {after['version']}"
    if before.get("version"):
        yield f"in place of version {before['version']}"


def _approvals(facts: dict[str, Any]) -> str:
    opened = ", the evidence opened first" if facts.get("opens_evidence") else ""
    return f"{facts['approvals']} with {facts['owner_approvals']} by owners{opened}"


def _of_export(after: dict[str, Any]) -> str:
    named = {"jsonl": "as JSONL", "csv": "as CSV", "bundle": "with all it takes to check it"}
    filters = "; ".join(f"{name} “{value}”" for name, value in (after.get("filters") or {}).items())
    return named.get(after["form"], after["form"]) + (f", only {filters}" if filters else "")


def _of_rollout(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before.get("share"):
        yield f"from {before['share']}\u00a0%"
    if after.get("share") and not after.get("plan"):
        yield f"to {after['share']}\u00a0%" if before.get("share") else f"with {after['share']}\u00a0%"
    if after.get("plan"):
        yield str(after["plan"])


def _of_proposal(_before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _told({"candidate": "as the candidate version {}"}, after)
    yield from _told({"rolled_back_before": "with the text of version {}, which was rolled back"}, after)
    yield from _attention(after)
    if after.get("days"):
        yield f"after {counted(after['days'], 'day')} without a decision or a new report"
    if after.get("key"):
        yield f"{after['key']} from {after.get('was')} to {after.get('now')}"
        yield f"under the rule {after.get('rule')}"


def _attention(after: dict[str, Any]) -> Iterator[str]:
    """How long who approved had it before them, and when they opened its evidence; the entry keeps both."""
    if "seconds" in after:
        yield f"{after['seconds']:,} s after first opening it"
    if opened := after.get("evidence_opened"):
        yield f"evidence opened {datetime.fromisoformat(opened):%Y-%m-%d %H:%M:%S} UTC"


def _of_safe_rules(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _told({"rule": "{}"}, after)
    yield from _told({"rule": "in place of {}" if after else "it was {}"}, before)


def _of_person(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if "roles" in after:
        yield f"as {', '.join(after['roles'])}" if after["roles"] else "without any role"
    yield from _told({"by": "by {}", "device": "with {}", "factor": "{}", "service": "{}"}, after)
    if after.get("new_device"):
        yield "for the first time there"
    if after.get("but_here"):
        yield "but not where they were"
    if before.get("factors"):
        yield f"which was {', '.join(before['factors'])}"
    yield from _told({"why": "because {}"}, after)


def _of_agent(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if "team" in after:
        yield f"to the team {after['team']}" if after["team"] else "to everybody"
        if before.get("team"):
            yield f"which was the team {before['team']}’s"
    if "releases_a_day" in after:
        yield f"{_rule(after['releases_a_day'])}, which was {_rule(before.get('releases_a_day'))}"
    if "traffic" not in after:
        return
    yield f"as of {after['traffic']} traffic" if after["traffic"] else "by its runs a day"
    named = {"reports": "{} reports needed", "window_h": "within {} h", "cooldown_h": "{} h of rest after a change"}
    yield from (words.format(after[name]) for name, words in named.items() if after.get(name) is not None)


def _of_key(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _told({"replaces": "in the place of csk_{}…", "successor": "by csk_{}…"}, after)
    if after.get("successor"):
        yield f"and let it work until {after.get('expires_at')}"
    for name, words in _RULES_OF_KEYS.items():
        if name in before and name in after and before[name] != after[name]:
            yield f"{words}: {_rule(after[name])}, which was {_rule(before[name])}"


_RULES_OF_KEYS: Final = {"networks": "from", "calls_a_minute": "calls a minute", "calls_a_day": "calls a day"}


def _rule(value: Any) -> str:
    """A rule of a key: its networks, or a number of calls."""
    if isinstance(value, list):
        return ", ".join(value) or "anywhere"
    return "as the board says" if value is None else str(value or "no limit")


def _of_retention(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if "rows" in after:
        yield f"{counted(after['rows'], 'row')} older than {counted(after['days'], 'day')}"
        return
    yield f"which was {_kept(before.get('days'))}"


def _kept(days: int | None) -> str:
    return counted(days, "day") if days else "for good"


def _of_stored(_before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _told({"rows": "{}"}, after)


def _of_team(_before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if "members" in after:
        yield f"with {', '.join(after['members'])}" if after["members"] else "with nobody"


def _of_pattern(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    if before.get("status") not in (None, "candidate") and after.get("status"):
        yield f"from {before['status']} to {after['status']}"
    if after.get("answered_by"):
        yield f"after version {after['answered_by']}"
    if after.get("duplicate_of"):
        yield f"as like pattern {after['duplicate_of']}"
    if after.get("merged_into"):
        yield f"into pattern {after['merged_into']}"
    if after.get("taken_from"):
        yield f"from pattern {after['taken_from']}"
    if after.get("moved"):
        yield f"{counted(after['moved'], 'report')} moved"
    if after.get("label"):
        yield f"“{after['label']}”"
    if before.get("label"):
        yield f"which was “{before['label']}”"


_OF_KIND: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], Iterator[str]]]] = {
    "agent": _of_agent,
    "apikey": _of_key,
    "contenttype": _of_stored,
    "pattern": _of_pattern,
    "proposal": _of_proposal,
    "retention": _of_retention,
    "team": _of_team,
    "saferules": _of_safe_rules,
    "user": _of_person,
}
