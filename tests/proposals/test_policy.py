"""How many approvals a change needs: by agent, kind and protection, never silently fewer for what is open."""

import pytest
from django.db import IntegrityError, transaction

from agents.models import Agent, Document
from agents.protection import protect
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.decisions import approve
from proposals.actions.policy import remove_policy, set_policy
from proposals.actions.proposals import amend, rebase
from proposals.authority import policies
from proposals.checking.risk import Level
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import Policy, Proposal
from proposals.rules.terms import Quorum, Terms, strictest
from tests.cast import PROMPT, digest_of, propose

SAFETY = ("card numbers or passwords", "card numbers")
ANY, PROTECTED = Policy.Covers.ANY, Policy.Covers.PROTECTED


@pytest.mark.parametrize(
    ("usual", "protected", "expected"),
    [
        ([], [], ((1, 0), (1, 0))),
        ([(1, 0)], [(2, 1)], ((1, 0), (2, 1))),
        ([(3, 0)], [(2, 1)], ((3, 0), (3, 1))),
        ([(1, 0), (2, 0)], [(2, 1), (2, 2)], ((2, 0), (2, 2))),
        ([(2, 0)], [(1, 0)], ((2, 0), (2, 0))),
    ],
)
def test_of_all_rules_that_fit_the_strictest_applies(
    usual: list[tuple[int, int]], protected: list[tuple[int, int]], expected: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    found = strictest([Quorum(*one) for one in usual], [Quorum(*one) for one in protected])
    assert found == Terms(Quorum(*expected[0]), Quorum(*expected[1]))
    assert Terms.from_json(found.to_json()) == found


def rule(ada: User, covers: str, approvals: int, owners: int = 0, agent: Agent | None = None, kind: str = "") -> Policy:
    return set_policy(user=ada, agent=agent, kind=kind, covers=covers, approvals=approvals, owner_approvals=owners)


def need(proposal: Proposal) -> tuple[int, int]:
    found = Proposal.objects.select_related("document__current", "revision__base_version").get(pk=proposal.pk)
    assert found.revision
    asked = policies.approvals_needed(found, found.revision)
    return asked.approvals, max((section.count for section in asked.owned), default=0)


def why(proposal: Proposal) -> str:
    found = Proposal.objects.select_related("document__current", "revision__base_version").get(pk=proposal.pk)
    assert found.revision
    return policies.approvals_needed(found, found.revision).why


RULES: dict[str, tuple[list[tuple[str, int, int, str, str]], tuple[int, int], tuple[int, int]]] = {
    # rules as (covers, approvals, owners, agent, kind); what a usual and what a protected change then needs
    "built in": ([], (1, 0), (2, 1)),
    "more for all": ([("any", 2, 0, "", "")], (2, 0), (2, 1)),
    "three for all": ([("any", 3, 0, "", "")], (3, 0), (3, 1)),
    "both owners": ([("protected", 2, 2, "", "")], (1, 0), (2, 2)),
    "nothing special for protected ones": ([("protected", 1, 0, "", "")], (1, 0), (1, 0)),
    "this agent": ([("any", 2, 0, "support", "")], (2, 0), (2, 1)),
    "another agent": ([("any", 4, 0, "sales", "")], (1, 0), (2, 1)),
    "this kind": ([("any", 2, 0, "", "prompt")], (2, 0), (2, 1)),
    "another kind": ([("any", 4, 0, "", "tool")], (1, 0), (2, 1)),
    "high risk asks for more": ([("high", 3, 2, "", "")], (1, 0), (3, 2)),
    "medium risk asks for nothing of these": ([("medium", 5, 0, "", "")], (1, 0), (2, 1)),
    "low risk asks for more": ([("low", 2, 0, "", "")], (2, 0), (2, 1)),
    "a special rule never loosens the general one": ([("protected", 1, 0, "support", "prompt")], (1, 0), (2, 1)),
}


@pytest.mark.parametrize("name", RULES)
def test_what_a_change_needs(prompt: Document, ada: User, mara: User, aiko: User, name: str) -> None:
    create_agent("sales", name="Sales", actor=SYSTEM)
    protect(prompt, "Safety", owners=[ada, mara], actor=SYSTEM)
    rules, usual, protected = RULES[name]
    for covers, approvals, owners, agent, kind in rules:
        rule(ada, covers, approvals, owners, Agent.objects.filter(slug=agent).first(), kind)
    assert need(propose(prompt, aiko)) == usual
    assert need(propose(prompt, aiko, *SAFETY)) == protected


def test_the_page_says_it_in_one_sentence(prompt: Document, ada: User, mara: User, aiko: User) -> None:
    protect(prompt, "Safety", owners=[ada, mara], actor=SYSTEM)
    assert why(propose(prompt, aiko)) == "One approval."
    proposal = propose(prompt, aiko, *SAFETY)
    assert why(proposal) == "Two approvals, one by an owner of Safety: protected section."
    rule(ada, PROTECTED, 2, 2)
    assert why(proposal) == "Two approvals, two by owners of Safety: protected section."


def test_a_looser_policy_does_not_loosen_what_is_open(prompt: Document, ada: User, aiko: User, mara: User) -> None:
    general = rule(ada, ANY, 2)
    proposal = propose(prompt, aiko)
    remove_policy(general.pk, user=ada)
    assert need(proposal) == (2, 0)
    assert why(proposal) == "Two approvals. The policy asked for that when this text was written."
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert Proposal.objects.get(pk=proposal.pk).status == "pending"
    text = PROMPT.replace("30 days", "21 days")
    amend(proposal.pk, user=aiko, text=text, note="", digest=digest_of(proposal))
    assert need(proposal) == (1, 0)


def test_a_rule_by_risk_is_told_kept_and_never_raises_the_risk_itself(
    prompt: Document, ada: User, aiko: User, mara: User
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    made = rule(ada, Policy.Covers.LOW, 2)
    proposal = propose(prompt, aiko)
    assert proposal.risk == Level.LOW
    assert why(proposal) == "Two approvals: low risk."
    high = rule(ada, Policy.Covers.HIGH, 3, 1)
    risky = propose(prompt, aiko, *SAFETY)
    assert why(risky) == "Three approvals, one by an owner of Safety: high risk, protected section."
    remove_policy(made.pk, user=ada)
    remove_policy(high.pk, user=ada)
    assert why(proposal) == "Two approvals: low risk. The policy asked for that when this text was written."
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert Proposal.objects.get(pk=proposal.pk).status == "pending"


def test_terms_kept_before_there_were_rules_by_risk_are_read() -> None:
    assert Terms.from_json({}).risks == (Quorum(), Quorum(), Quorum())
    assert Terms.from_json({"usual": [2, 0], "protected": [3, 1]}) == Terms(Quorum(2), Quorum(3, 1))
    by_risk = strictest([], [], [[], [Quorum(2)], [Quorum(3, 1), Quorum(2, 2, opened=True)]])
    assert by_risk == Terms(Quorum(), Quorum(), (Quorum(), Quorum(2), Quorum(3, 2, opened=True)))
    assert Terms.from_json(by_risk.to_json()) == by_risk
    assert by_risk.asked(3, protected=False) == Quorum(3, opened=True)
    assert by_risk.asked(0, protected=True) == Quorum()


def test_moving_a_text_does_not_loosen_it_either(prompt: Document, ada: User, aiko: User, mara: User) -> None:
    general = rule(ada, ANY, 2)
    proposal = propose(prompt, aiko)
    remove_policy(general.pk, user=ada)
    other = propose(prompt, aiko, *SAFETY)
    approve(other.pk, user=mara, digest=digest_of(other))
    rebase(proposal.pk, user=mara)
    assert need(proposal) == (2, 0)


def test_a_stricter_policy_applies_at_once(prompt: Document, ada: User, aiko: User, mara: User, jonas: User) -> None:
    proposal = propose(prompt, aiko)
    rule(ada, ANY, 2)
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert Proposal.objects.get(pk=proposal.pk).status == "pending"
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert Proposal.objects.get(pk=proposal.pk).status == "approved"


def test_two_owners_have_to_agree_where_the_policy_says_so(
    prompt: Document, ada: User, aiko: User, mara: User, jonas: User
) -> None:
    grace = create_person("grace", name="Grace Hall", roles=[Role.REVIEWER])
    protect(prompt, "Safety", owners=[ada, mara], actor=SYSTEM)
    rule(ada, PROTECTED, 3, 2)
    proposal = propose(prompt, aiko, *SAFETY)
    for person in (jonas, grace, ada):
        approve(proposal.pk, user=person, digest=digest_of(proposal))
        assert Proposal.objects.get(pk=proposal.pk).status == "pending"
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert Proposal.objects.get(pk=proposal.pk).status == "approved"


@pytest.mark.parametrize(
    ("covers", "approvals", "owners", "field"),
    [
        ("some", 1, 0, "covers"),
        ("any", 0, 0, "approvals"),
        ("any", 10, 0, "approvals"),
        ("any", 2, 1, "owner_approvals"),
        ("low", 2, 1, "owner_approvals"),
        ("medium", 2, 1, "owner_approvals"),
        ("protected", 2, 3, "owner_approvals"),
        ("protected", 2, -1, "owner_approvals"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(ada: User, covers: str, approvals: int, owners: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rule(ada, covers, approvals, owners)
    assert refused.value.field == field
    assert not Policy.objects.exists()


def test_only_admins_change_the_policy(mara: User, ada: User) -> None:
    with pytest.raises(NotAllowed):
        rule(mara, ANY, 2)
    made = rule(ada, ANY, 2)
    with pytest.raises(NotAllowed):
        remove_policy(made.pk, user=mara)


def test_every_change_of_a_rule_is_on_the_log(ada: User) -> None:
    made = rule(ada, PROTECTED, 3, 2)
    rule(ada, PROTECTED, 3, 2)
    remove_policy(made.pk, user=ada)
    assert remove_policy(made.pk, user=ada) is None
    facts = [entry.fact for entry in AuditEntry.objects.filter(verb__startswith="policy.").order_by("pk")]
    assert [(fact["verb"], fact["before"], fact["after"]) for fact in facts] == [
        ("policy.set", {"approvals": 2, "owner_approvals": 1}, {"approvals": 3, "owner_approvals": 2}),
        ("policy.removed", {"approvals": 3, "owner_approvals": 2}, {"approvals": 2, "owner_approvals": 1}),
    ]


def test_the_database_keeps_one_rule_for_each_scope(ada: User) -> None:
    rule(ada, ANY, 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(covers=ANY, approvals=1)
