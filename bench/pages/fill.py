"""Fill an empty, migrated database with a large board; prints as JSON how to sign in and which addresses to ask for.

    python -m bench.pages.fill {board | open}

`board`: 10 000 proposals, most of them decided and 500 open, 1 000 versions of one document, another of 20 000 words,
200 000 reports, patterns, evidence and the log of it all. `open`: so many more proposals that 10 000 are open.

Whatever is few is made by the program's own actions; the rest goes in by COPY and set-based SQL, then VACUUM ANALYZE.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.db import connection  # noqa: E402 (models need Django set up)
from django.db.models import F  # noqa: E402
from django.test import Client  # noqa: E402

from agents.history import carried  # noqa: E402
from agents.keys import create  # noqa: E402
from agents.models import Agent, Document, Version  # noqa: E402
from agents.protection import protect  # noqa: E402
from agents.sections import lines_of  # noqa: E402
from agents.versions import create_agent, create_document, sha256  # noqa: E402
from audit.record import SYSTEM  # noqa: E402
from bench.pages import crowd  # noqa: E402
from bench.pages.addresses import SOME, addresses, unasked  # noqa: E402
from bench.pages.texts import Writer  # noqa: E402
from feedback.actions.rollups import count_runs  # noqa: E402
from feedback.actions.weighing import note_rising  # noqa: E402
from feedback.models import Pattern, SharedMember, SharedPattern  # noqa: E402
from people.accounts import create_person  # noqa: E402
from people.models import User  # noqa: E402
from people.roles import Role  # noqa: E402
from people.teams import create_team  # noqa: E402
from proposals.actions.decisions import approve  # noqa: E402
from proposals.authority.digests import decision_digest  # noqa: E402
from proposals.diffs import compute  # noqa: E402
from proposals.models import Proposal  # noqa: E402

VERSIONS, LONG_WORDS = 1_000, 20_000
PLACES = (("support", 12), ("sales", 8), ("coding", 5), ("travel", 5))
"""Agents, and how many documents each has."""
SIGNED_IN = {"reviewer": "mara", "admin": "ada"}


def main(what: str) -> None:
    """See the module."""
    writer = Writer(seed=1 if what == "board" else 2)
    if what == "board":
        _people_and_agents(writer)
        crowd.reports([writer.sentence() for _ in range(2_000)])
    with connection.cursor() as cursor:
        cursor.execute(crowd.DRAFTS)
        _copy(cursor, "bench_draft", crowd.DRAFT_COLUMNS, _drafts(writer))
    crowd.proposals(opened=500 if what == "board" else 9_500, decided=9_500 if what == "board" else 0)
    crowd.log()
    count_runs()
    note_rising()
    if what == "board":
        _shared()
        _rollouts()
        settings = "retries: 2\ntimeout_s: 30\n"
        create_document(Agent.objects.get(slug="support"), "settings", text=settings, actor=SYSTEM, kind="config")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    sessions = {role: _session(name) for role, name in SIGNED_IN.items()}
    found = addresses()
    assert not unasked(found), unasked(found)
    print(json.dumps({"sessions": sessions, "addresses": found}))


def _people_and_agents(writer: Writer) -> None:
    cast = [("ada", Role.ADMIN), ("mara", Role.REVIEWER), ("jonas", Role.REVIEWER), ("aiko", Role.OPERATOR)]
    cast += [(f"person-{number}", Role.REVIEWER if number < 16 else Role.VIEWER) for number in range(40)]
    people = {name: create_person(name, name=f"{name.capitalize()} Muster", roles=[role]) for name, role in cast}
    for name in SIGNED_IN.values():
        people[name].set_password("correct horse battery staple")
        people[name].save()
    create_team("Desk", members=list(people.values()), actor=SYSTEM)
    for slug, count in PLACES:
        texts = {f"document-{number}": writer.prompt(600) for number in range(count)}
        if slug == "support":
            texts |= {"document-0": writer.prompt(1_000), "document-1": writer.prompt(LONG_WORDS)}
        agent = create_agent(slug, name=f"{slug.capitalize()} agent", actor=SYSTEM, documents=texts)
        create(agent, ["ingest", "read"], actor=SYSTEM, owner=people["aiko"])
        for document in agent.documents.all():
            heading = "Safety"
            protect(document, heading, owners=[people["mara"]], actor=SYSTEM)
            _history(
                writer, document, {0: VERSIONS, 1: 60}.get(int(document.slug[9:]), 100) if slug == "support" else 100
            )
    support = Agent.objects.get(slug="support")
    create(support, ["ingest"], actor=SYSTEM, owner=people["mara"])


def _shared(count: int = 60) -> None:
    """Some of the patterns of each agent are one with others'."""
    mine, yours = (Pattern.objects.shown().filter(agent__slug=slug)[:count] for slug in ("support", "sales"))
    for one, other in zip(mine, yours, strict=True):
        seen = {"first_seen": one.first_seen, "last_seen": one.last_seen}
        shared = SharedPattern.objects.create(
            kind=one.kind, label=one.label, support=one.support, sources=one.sources, agents=2, **seen
        )
        SharedMember.objects.bulk_create(SharedMember(pattern=pattern, shared=shared) for pattern in (one, other))


def _rollouts() -> None:
    """A candidate of some documents is on its way."""
    approver = create_person("approver", name="Approver Muster", roles=[Role.REVIEWER])
    waiting = Proposal.objects.filter(status="pending", base_version=F("document__current"), risk=1)
    for proposal in waiting.exclude(document__agent__slug="support").distinct("document")[:SOME]:
        assert proposal.revision
        approve(proposal.pk, user=approver, digest=proposal.revision.digest, start="canary")


def _history(writer: Writer, document: Document, count: int) -> None:
    """So many versions, each a line or two from the one before, each current for some hours."""
    first = document.versions.get()
    text, carriers = first.text, first.line_versions
    start = datetime.now(UTC) - timedelta(days=400)
    rows = []
    for number in range(2, count + 1):
        after = writer.edited(text, changes=writer.random.randint(1, 2))
        carriers = carried(lines_of(text), lines_of(after), carriers, number)
        text = after
        at = start + timedelta(days=399 * number / count)
        origin = Version.Origin.PROPOSAL
        rows.append((document.pk, number, text, sha256(text), origin, at, "Mara Muster", list(carriers)))
    columns = ("document_id", "number", "text", "sha256", "origin", "created_at", "created_by", "line_versions")
    with connection.cursor() as cursor:
        _copy(cursor, "agents_version", columns, rows)
        cursor.execute(crowd.RELEASES, [document.pk])
        cursor.execute(crowd.CURRENT, [document.pk])


def _drafts(writer: Writer) -> list[tuple[object, ...]]:
    """Texts to propose: for each document some, most of them made from its current version."""
    rows: list[tuple[object, ...]] = []
    for document in Document.objects.select_related("agent", "current").order_by("pk"):
        newest = list(document.versions.order_by("-number")[:2])
        protected = [section.heading for section in document.sections.filter(is_protected=True)]
        for number in range(4):
            base = newest[-1 if number == 3 else 0]
            text = writer.edited(base.text, changes=writer.random.randint(1, 4))
            if text == base.text:
                continue
            diff = compute(base.text, text, protected)
            digest = decision_digest(base_sha256=base.sha256, text=text, protected=protected)
            title, why = writer.sentence(6)[:-1], " ".join(writer.sentence() for _ in range(3))
            words = diff.words_added, diff.words_removed
            stored = json.dumps(diff.to_json(), ensure_ascii=False)
            rows.append((document.pk, base.pk, text, sha256(text), digest, stored, *words, title, why))
    return rows


def _copy(cursor: object, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


def _session(username: str) -> str:
    client = Client()
    client.force_login(User.objects.get(username=username), backend="people.backends.ByRole")
    return client.cookies["sessionid"].value


if __name__ == "__main__":
    main(sys.argv[1])
