"""What a first visit brings over the wire: a page, compressed, and the style, scripts, icon and font it asks for."""

import gzip
import re
from collections.abc import Iterator
from random import Random

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, Document
from agents.versions import create_agent, publish
from audit.record import SYSTEM
from feedback.models import Evidence, Pattern
from people.models import User
from proposals.actions.proposals import submit
from proposals.models import Proposal, ProposalEvidence
from reviewapp.collected import shortened
from tests.cast import propose, report

MOST = 100_000
ASSETS = re.compile(r'<(?:link|script)[^>]+(?:href|src)="/static/([^"]+)"')
COMPRESSED = {"accept-encoding": "gzip"}


RANDOM = Random(7)
WORDS = ["".join(RANDOM.choices("aeioubcdfglmnprst", k=RANDOM.randint(2, 9))) for _ in range(3_000)]


def _say(words: int) -> str:
    """So many words that say nothing twice, which is what compresses worst."""
    return " ".join(RANDOM.choices(WORDS, k=words))


@pytest.fixture
def handbook(db: None) -> Document:
    """20 000 words in 1 600 lines, under a heading every 20 lines."""
    lines = [f"- {_say(12)}.\n" for _ in range(1_600)]
    text = "".join(f"\n## Part {n // 20}\n\n{line}" if n % 20 == 0 else line for n, line in enumerate(lines))
    agent: Agent = create_agent("library", name="Library", actor=SYSTEM, documents={"handbook": text})
    return agent.documents.get()


def _weight(client: Client, address: str) -> int:
    """Bytes of the page and all it brings."""
    answer = client.get(address, headers=COMPRESSED)
    assert answer["Content-Encoding"] == "gzip"
    page = gzip.decompress(answer.content).decode()
    return len(answer.content) + sum(map(_asset, dict.fromkeys(ASSETS.findall(page))))


def _asset(name: str) -> int:
    found = finders.find(name)
    assert found is not None, name
    with open(found, "rb") as file:
        content = file.read()
    return len(content) if name.endswith("woff2") else len(gzip.compress(shortened(name, content.decode()).encode()))


def test_pages_of_a_short_text_are_light(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    for address in ("/", reverse("proposal", args=[pending.pk]), reverse("settings")):
        assert _weight(client, address) < MOST * 0.8, address


def test_a_text_of_20_000_words_makes_no_heavy_page(client: Client, mara: User, handbook: Document) -> None:
    client.force_login(mara)
    place = ["library", "handbook"]
    version = reverse("version", args=[*place, 1])
    for address in (reverse("document", args=place), version, f"{version}?view=blame", f"{version}?part=99"):
        assert _weight(client, address) < MOST, address


def _pattern(agent: Agent) -> Pattern:
    now = timezone.now()
    pattern = Pattern(agent=agent, kind="complaint", status="open", label=_say(15), support=40, sources=40)
    pattern.first_seen = pattern.last_seen = now
    return pattern


@pytest.fixture
def crowded(handbook: Document, aiko: User, mara: User, ada: User) -> list[str]:
    """Lists full to the end of their first page, in long words; the addresses that show them."""
    library, now = handbook.agent, timezone.now()
    patterns = Pattern.objects.bulk_create(_pattern(library) for _ in range(60))
    texts = {"input": _say(120), "output": _say(120), "run_id": "r"}
    items = [report(library, f"p{n}", reason=_say(90), correction=_say(90), **texts) for n in range(40)]
    Evidence.objects.bulk_create(
        Evidence(pattern=patterns[0], feedback=item, source=item.source, at=now) for item in items
    )
    assert handbook.current is not None
    lines = handbook.current.text.splitlines(keepends=True)
    rewritten = "".join(f"- {_say(12)}.\n" if n % 4 == 3 else line for n, line in enumerate(lines))
    long = submit(document=handbook, base_number=1, text=rewritten, title=_say(15), rationale=_say(200), user=aiko)
    ProposalEvidence.objects.bulk_create(ProposalEvidence(proposal=long, feedback=item) for item in items)
    for number in range(31):
        made = create_agent(f"a{number}", name=_say(4), actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
        propose(made.documents.get(), aiko, new=_say(12))
    publish(handbook, rewritten, base=handbook.current, actor=SYSTEM, proposal=0)
    place = ["library", "handbook"]
    proposal = reverse("proposal", args=[long.pk])
    addresses = [proposal, f"{proposal}?view=side", f"{proposal}?view=full", f"{proposal}?evidence=2"]
    addresses += [reverse("revision", args=[long.pk, 1]), f"{reverse('compare', args=place)}?from=1&to=2"]
    addresses += [f"{reverse('roll_back', args=place)}?to=1", reverse("pattern", args=[patterns[0].pk]), "/?show=all"]
    low = Proposal.objects.exclude(pk=long.pk).values_list("pk", flat=True)[:20]
    addresses += [reverse(name) for name in ("patterns", "agents", "audit_log", "settings", "policy")]
    return [
        *addresses,
        reverse("agent", args=["library"]),
        f"{reverse('together')}?{'&'.join(f'id={pk}' for pk in low)}",
    ]


def test_lists_full_of_long_words_are_light(client: Client, ada: User, crowded: list[str]) -> None:
    client.force_login(ada)
    weights = {address: _weight(client, address) for address in crowded}
    assert {address: weight for address, weight in weights.items() if weight >= MOST} == {}


def test_an_editor_full_of_text_does_without_the_font(
    client: Client, mara: User, aiko: User, handbook: Document
) -> None:
    client.force_login(mara)
    assert handbook.current is not None
    line = handbook.current.text.splitlines()[800]
    long = propose(handbook, aiko, line, "- Say it once.")
    for address in (reverse("propose", args=["library", "handbook"]), reverse("amend", args=[long.pk])):
        assert _weight(client, address) < MOST, address
    assert "inter-latin" not in client.get(reverse("propose", args=["library", "handbook"])).text
    assert "inter-latin" in client.get(reverse("document", args=["library", "handbook"])).text


def _texts(client: Client, address: str) -> Iterator[str]:
    """The page and all that follow it."""
    while True:
        page = client.get(address).text
        yield page
        following = re.search(r'rel="next" href="(\?[^"#]+)', page)
        if not following:
            return
        address = f"{address.partition('?')[0]}{following[1]}"


def test_page_by_page_the_whole_text_can_be_read(client: Client, mara: User, handbook: Document) -> None:
    client.force_login(mara)
    numbers = [
        int(number)
        for page in _texts(client, reverse("version", args=["library", "handbook", 1]))
        for number in re.findall(r'id="L(\d+)"', page)
    ]
    assert handbook.current is not None
    assert numbers == list(range(1, len(handbook.current.text.splitlines()) + 1))


def test_a_line_is_found_on_its_page(client: Client, mara: User, handbook: Document) -> None:
    client.force_login(mara)
    address = reverse("version", args=["library", "handbook", 1])
    assert 'id="L1000"' in client.get(f"{address}?line=1000").text
    assert 'id="L1000"' not in client.get(address).text


def test_answers_of_one_page_differ_in_length(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    assert len({len(client.get("/", headers=COMPRESSED).content) for _ in range(12)}) > 3
