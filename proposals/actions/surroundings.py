"""Look around a new revision: the size of the text, what its new rules meet there, and praise it might harm."""

from collections.abc import Collection

from feedback.mining.nearby import nearest
from feedback.models import Feedback
from proposals.checking import pile
from proposals.diffs import Diff
from proposals.models import CounterExample, Revision, Surroundings

PRAISE_READ = 200
PRAISE_CHARS = 200
TOPIC_CHARS = 2000
COUNTER_EXAMPLES = 5


def look_around(revision: Revision, diff: Diff, *, agent_id: int, protected: Collection[str]) -> None:
    """Store what stands around a revision just made. The caller holds the transaction."""
    before, after = pile.size(revision.base_version.text), pile.size(revision.text)
    fresh = {row.new for row in diff.rows if row.kind == "add" and row.new and not row.moved}
    Surroundings.objects.create(
        revision=revision,
        words_before=before.words,
        words_after=after.words,
        tokens_before=before.tokens,
        tokens_after=after.tokens,
        rules_before=before.rules,
        rules_after=after.rules,
        findings=[found.to_json() for found in pile.look(revision.text, fresh, protected)],
    )
    _keep_praise(revision, diff, agent_id)


def _keep_praise(revision: Revision, diff: Diff, agent_id: int) -> None:
    """The newest praise that speaks of what changes; a topic of the agent, wherever in the text it stands."""
    praise = list(Feedback.objects.praise().filter(agent=agent_id).only("reason", "output")[:PRAISE_READ])
    found = nearest(topic(diff), [_said(item) for item in praise], limit=COUNTER_EXAMPLES)
    CounterExample.objects.bulk_create(
        CounterExample(revision=revision, feedback=praise[place], likeness=likeness) for place, likeness in found
    )


def topic(diff: Diff) -> str:
    """What a change is about: its lines, old and new, and the headings they stand below."""
    changed = [row for row in diff.rows if row.kind != "equal" and not row.moved]
    headings = dict.fromkeys(row.section for row in changed)
    return "\n".join([*headings, *(row.text.strip() for row in changed)])[:TOPIC_CHARS]


def _said(praise: Feedback) -> str:
    return f"{praise.reason[:PRAISE_CHARS]}\n{praise.output[:PRAISE_CHARS]}"
