"""What the log can be asked for, in the words of those who ask: verbs by what they are about."""

from typing import Final

from audit.wording import VERBS, verb_in_words

_GROUPS: Final[dict[str, dict[str, str]]] = {
    "Proposals and decisions": {
        "proposal.opened": "Proposed by a person or an agent",
        "proposal.drafted": "Drafted by Countersign",
        "proposal.amended": "Amended",
        "proposal.rebased": "Brought up to date",
        "proposal.approval_given": "One of several approvals given",
        "proposal.approved": "Approved",
        "proposal.rejected": "Rejected",
        "proposal.changes_requested": "Changes requested",
        "proposal.request_taken_back": "Request for changes taken back",
        "proposal.withdrawn": "Withdrawn",
        "proposal.expired": "Expired",
        "proposal.bypassed": "Published without the approvals needed",
        "proposal.started_itself": "Started by itself",
        "proposal.undone": "Start by itself undone",
        "proposal.assigned": "Assigned",
        "proposal.unassigned": "Assignment taken back",
        "proposal.redraft_asked": "Redraft asked for",
        "proposal.redrafted": "Redrafted",
        "proposal.redraft_declined": "Redraft declined",
        "proposal.outputs_handed_in": "New outputs handed in",
        "proposal.chosen": "Chosen among several",
        "proposal.superseded": "Withdrawn, because another was chosen",
    },
    "Comments": {
        "comment.added": "Comment written",
        "comment.resolved": "Comments resolved",
        "comment.reopened": "Comments reopened",
        "suggestion.applied": "Suggested wording applied",
    },
    "What agents get": {
        "version.published": "Version published",
        "version.restored": "Older version restored",
        "version.registered": "Candidate registered",
        "document.rolled_back": "Document rolled back",
        "rollout.started": "Rollout started",
        "rollout.stepped": "Rollout: next step",
        "rollout.share_set": "Rollout: share set by a person",
        "rollout.gate_reached": "Rollout: gate reached",
        "rollout.asked": "Rollout: person asked for",
        "rollout.calmed": "Rollout: no person needed any more",
        "rollout.promoted": "Rollout promoted",
        "rollout.stopped": "Rollout stopped",
        "rollout.rolled_back": "Rollout rolled back",
        "rollout.given_up": "Rollout given up",
    },
    "Feedback and patterns": {
        "feedback.withdrawn": "Report withdrawn",
        "feedback.excluded": "Report excluded from the evidence",
        "feedback.included": "Report counted again",
        "run.excluded": "Run excluded from the evidence",
        "run.included": "Run counted again",
        "pattern.opened": "Pattern found",
        "pattern.dismissed": "Pattern dismissed",
        "pattern.reopened": "Pattern reopened",
        "pattern.came_back": "Pattern came back",
        "pattern.resolved": "Pattern resolved",
        "pattern.renamed": "Pattern renamed",
        "pattern.merged": "Pattern merged",
        "pattern.parted": "Pattern taken apart again",
        "pattern.split": "Pattern split off",
        "pattern.status_changed": "Pattern moved on",
    },
    "Agents and rules": {
        "agent.created": "Agent created",
        "agent.team_set": "Agent given to a team",
        "agent.traffic_set": "Time of drafts set",
        "document.created": "Document created",
        "document.drifts": "Document drifts",
        "source_rule.set": "Sources behind drafts: rule set",
        "source_rule.removed": "Sources behind drafts: rule removed",
        "section.protected": "Section protected",
        "section.unprotected": "Protection lifted",
        "policy.set": "Approvals needed: rule set",
        "policy.removed": "Approvals needed: rule removed",
        "rollout_plan.set": "Rollout plan set",
        "rollout_plan.removed": "Rollout plan removed",
        "safe_rules.set": "Starts by themselves: rules set",
        "safe_rules.removed": "Starts by themselves: turned off",
        "quoting.allowed": "Quoting corrections allowed",
        "quoting.forbidden": "Quoting corrections forbidden",
    },
    "People, teams and keys": {
        "person.created": "Account created",
        "person.renamed": "Person renamed",
        "person.roles_set": "Roles set",
        "person.deactivated": "Account deactivated",
        "person.reactivated": "Account reactivated",
        "person.password_set": "Password set",
        "person.link_made": "Sign-in link made",
        "person.signed_in": "Signed in",
        "person.signed_out": "Signed out",
        "person.identity_linked": "Sign-in service connected",
        "person.identity_unlinked": "Sign-in service disconnected",
        "session.ended": "Session ended",
        "session.all_ended": "Signed out everywhere",
        "factor.added": "Second factor added",
        "factor.codes_made": "Recovery codes made",
        "factor.removed": "Second factor taken away",
        "factor.reset": "Second factor reset",
        "team.created": "Team made",
        "team.renamed": "Team renamed",
        "team.members_set": "Members of a team set",
        "team.dissolved": "Team dissolved",
        "key.created": "API key created",
        "key.revoked": "API key revoked",
        "key.rotated": "API key replaced",
        "key.rules_set": "API key: networks and limits set",
        "key.quarantined": "API key: reports put in quarantine",
        "key.quarantine_settled": "API key: recounted without them",
        "key.quarantine_lifted": "API key: quarantine lifted",
        "key.quarantine_given_back": "API key: recounted with them again",
    },
    "The board and its log": {
        "board.frozen": "Board frozen",
        "board.thawed": "Freeze lifted",
        "board.backed_up": "Backed up",
        "board.restored": "Restored from a backup",
        "log.exported": "Log exported",
        "log.read": "Log read over the API",
        "record.read": "Stored rows looked at",
        "signing_key.created": "Signing key taken into use",
        "signing_key.rotated": "Signing key replaced",
        "subject.erasure_asked": "Erasing an end user asked for",
        "subject.erased": "End user erased",
        "notice.sent_again": "Notice sent again",
    },
}
_BY_KIND: Final = {
    verb.partition(".")[0]: group for group, verbs in reversed(_GROUPS.items()) for verb in reversed(list(verbs))
}


def grouped() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every verb there is, in groups. One that has no words above stands with its kind, in those of the log."""
    groups = {group: dict(verbs) for group, verbs in _GROUPS.items()}
    named = {verb for verbs in _GROUPS.values() for verb in verbs}
    for verb in sorted(set(VERBS) - named):
        words = verb_in_words(verb).rstrip(":")
        group = groups.setdefault(_BY_KIND.get(verb.partition(".")[0], "Other"), {})
        group[verb] = words[:1].upper() + words[1:]
    return [(group, list(verbs.items())) for group, verbs in groups.items()]
