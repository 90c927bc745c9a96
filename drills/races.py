"""python -m drills.races [--races N] [--seed N]: from 2 to 16 people decide about one proposal at the same instant.

They approve, reject and amend it, roll the document back, revoke a key, and propose with that very key, by chance, each
from what they saw before. In every race each thing has exactly one winner or is refused with a sentence, and everything
that was written agrees: states, versions, decisions, revisions and the log.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agents.models import ApiKey, Document
    from people.models import User
    from proposals.models import Proposal

MOST: Final = 16
KINDS: Final = ("approve", "reject", "amend", "roll_back", "revoke", "propose")
TEXT: Final = "# Support\n\n## Role\nYou answer questions about orders.\n\n## Refunds\n- Within 30 days.\n"
VERBS: Final = {
    "approve": "proposal.approved",
    "reject": "proposal.rejected",
    "amend": "proposal.amended",
    "roll_back": "document.rolled_back",
    "revoke": "key.revoked",
    "propose": "proposal.opened",
}
"""What each kind leaves on the log when it wins."""
BEFORE: Final = Counter(propose=1)
"""What of it was there before the race."""


@dataclass(frozen=True)
class Scene:
    """What a race is about: a document at version 2, a pending proposal with the digest people saw, and a key.

    The key may propose; all who use it propose the same.
    """

    document: "Document"
    proposal: "Proposal"
    digest: str
    key: "ApiKey"


def main() -> None:
    """Run them all; stops at the first that does not hold."""
    parser = argparse.ArgumentParser(prog="python -m drills.races", description=__doc__)
    parser.add_argument("--races", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from drills.engines import board

    started = time.monotonic()
    with board():
        won = run(options.races, options.seed)
    told = ", ".join(f"{name.replace('_', ' ')} {won[name]}" for name in KINDS)
    print(f"{options.races} races of 2 to {MOST}: one winner each ({told}), nothing half-done, the log is sound;")
    print(f"{won['refused']} were refused with a sentence; {time.monotonic() - started:.0f} s, seed {options.seed}.")


def run(races: int, seed: int) -> Counter[str]:
    """So many races; how often each kind won, and how many were refused. Raises AssertionError."""
    from audit.verify import verify

    random, won = Random(seed), Counter[str]()
    people = _people()
    with _threads(MOST) as pool:
        for number in range(races):
            scene = _scene(f"race-{seed}-{number}", people[0])
            among = random.sample(KINDS, random.randint(1, len(KINDS)))
            kinds = random.choices(among, k=random.randint(2, MOST))
            won += _race(pool, scene, kinds, people[1:], f"race {number} of seed {seed}")
    assert verify().fault is None
    return won


@contextmanager
def _threads(most: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that keep their database connection from race to race, and close it at the end."""
    from django.db import connection

    with ThreadPoolExecutor(max_workers=most) as pool:
        yield pool
        everybody = Barrier(most)

        def leave() -> None:
            everybody.wait(timeout=30)  # so that no thread takes another's turn
            connection.close()

        for done in [pool.submit(leave) for _ in range(most)]:
            done.result()


def _people() -> "list[User]":
    """An author, and reviewers enough that nobody acts twice."""
    from people.roles import Role
    from people.signin import create_person

    return [
        create_person(f"person{number}", name=f"Person {number}", roles=[Role.REVIEWER]) for number in range(MOST + 1)
    ]


def _scene(slug: str, author: "User") -> Scene:
    from agents import keys
    from agents.versions import create_agent, publish
    from audit.record import SYSTEM
    from proposals.actions.proposals import submit

    agent = create_agent(slug, name=slug, actor=SYSTEM, documents={"prompt": TEXT})
    document = agent.documents.select_related("agent", "current").get()
    assert document.current
    publish(document, TEXT.replace("30", "40"), base=document.current, actor=SYSTEM, proposal=0)
    document.refresh_from_db()
    proposal = submit(
        document=document,
        base_number=2,
        text=TEXT.replace("30", "14"),
        title="Say 14",
        rationale="It is 14.",
        user=author,
    )
    key, _ = keys.create(agent, ["propose"], owner=author, actor=SYSTEM)
    assert proposal.revision
    return Scene(document, proposal, proposal.revision.digest, key)


def _deed(kind: str, scene: Scene, user: "User", number: int) -> bool:
    """Do it; whether it was done. Raises ReviewError."""
    from agents import keys
    from audit.record import Actor
    from proposals.actions.decisions import approve, reject
    from proposals.actions.proposals import amend
    from proposals.actions.rollbacks import roll_back

    proposal, digest = scene.proposal.pk, scene.digest
    if kind == "revoke":
        return keys.revoke(scene.key.prefix, actor=Actor.person(user))
    if kind == "propose":
        _propose_with(scene)
    elif kind == "approve":
        approve(proposal, user=user, digest=digest, start="at_once")
    elif kind == "reject":
        reject(proposal, user=user, digest=digest, reason="other", note="No.")
    elif kind == "amend":
        amend(proposal, user=user, digest=digest, text=f"{TEXT}- Amended, {number}.\n", note="")
    else:
        roll_back(scene.document.pk, user=user, to_number=1, current_number=2, reason="Worse.")
    return True


def _propose_with(scene: Scene) -> None:
    from agents.models import Document
    from proposals.actions.proposals import submit

    seen = Document.objects.select_related("agent", "current").get(pk=scene.document.pk)
    text = TEXT.replace("30", "21")
    submit(document=seen, base_number=2, text=text, title="Say 21", rationale="It is 21.", key=scene.key)


def _race(pool: ThreadPoolExecutor, scene: Scene, kinds: list[str], people: "list[User]", name: str) -> Counter[str]:
    from agents.tokens import BadKey
    from proposals.exceptions import ReviewError

    barrier, said = Barrier(len(kinds)), list[str]()

    def run(number: int, kind: str) -> bool:
        barrier.wait(timeout=30)
        try:
            return _deed(kind, scene, people[number], number)
        except (ReviewError, BadKey) as refused:
            said.append(str(refused))
            return False

    running = [pool.submit(run, number, kind) for number, kind in enumerate(kinds)]
    done = [one.result(timeout=60) for one in running]
    won = Counter(kind for kind, did in zip(kinds, done, strict=True) if did)
    assert all(said), f"{name}: refused without a word"
    for what, holds in _rules(set(kinds), won):
        assert holds, f"{name}: {what}; {kinds}, won: {dict(won)}"
    _look_at(scene, won, name)
    return won + Counter(refused=len(kinds) - won.total())


def _rules(kinds: set[str], won: Counter[str]) -> Iterator[tuple[str, bool]]:
    """Who may win together: one decision, one rollback, one revocation, and never two that make a version."""
    decisions = won["approve"] + won["reject"] + won["amend"]
    yield "one decision at most", decisions <= 1
    yield "one rollback at most", won["roll_back"] <= 1
    yield "one version at most", won["approve"] + won["roll_back"] <= 1
    yield "one revocation", won["revoke"] == ("revoke" in kinds)
    yield "one proposal with the key at most", won["propose"] <= 1
    yield (
        "with a key that works somebody proposes, unless the document moved",
        bool(won["propose"] or won["approve"] or won["roll_back"] or won["revoke"] or "propose" not in kinds),
    )
    # A rollback moves the proposal onto the new version, so that what was decided about the old one is refused.
    yield "somebody decides", bool(decisions or won["roll_back"] or kinds <= {"revoke", "propose"})
    yield (
        "somebody rolls back, unless a version was approved",
        bool(won["roll_back"] or won["approve"] or "roll_back" not in kinds),
    )


def _look_at(scene: Scene, won: Counter[str], name: str) -> None:
    """Everything that was written says the same."""
    from agents.models import ApiKey, Document, Version
    from audit.models import AuditEntry
    from proposals.models import Decision, Proposal

    proposal = Proposal.objects.select_related("published").get(pk=scene.proposal.pk)
    document = Document.objects.select_related("current").get(pk=scene.document.pk)
    status = "approved" if won["approve"] else "rejected" if won["reject"] else "pending"
    reviews = document.proposals.filter(origin=Proposal.Origin.ROLLBACK)
    logged = Counter(AuditEntry.objects.filter(agent=document.agent.slug).values_list("verb", flat=True))
    seen: list[tuple[str, object, object]] = [
        ("state of the proposal", proposal.status, status),
        ("its version", proposal.published and proposal.published.number, 3 if won["approve"] else None),
        ("decisions", Decision.objects.filter(revision__proposal=proposal).count(), won["approve"] + won["reject"]),
        ("revisions by people", proposal.revisions.filter(author__isnull=False).count(), 1 + won["amend"]),
        ("versions", Version.objects.filter(document=document).count(), 2 + won["approve"] + won["roll_back"]),
        ("current version", document.current and document.current.number, 2 + won["approve"] + won["roll_back"]),
        ("reviews of rollbacks", reviews.count(), won["roll_back"]),
        ("key revoked", ApiKey.objects.get(pk=scene.key.pk).revoked_at is not None, bool(won["revoke"])),
        *(("log of " + kind, logged[verb], won[kind] + BEFORE[kind]) for kind, verb in VERBS.items()),
    ]
    order = list(AuditEntry.objects.filter(agent=document.agent.slug, actor_kind="key").values_list("pk", flat=True))
    revoked = AuditEntry.objects.filter(agent=document.agent.slug, verb="key.revoked").values_list("pk", flat=True)
    seen.append(("entries of the key after it was revoked", [pk for pk in order if pk > min(revoked, default=pk)], []))
    wrong = [f"{what} is {found}, not {expected}" for what, found, expected in seen if found != expected]
    assert not wrong, f"{name}: {wrong}; won: {dict(won)}"


if __name__ == "__main__":
    main()
