"""The many rows of a large board, made where they are kept."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.db import connection

from audit.chain import GENESIS, canonical, entry_hash
from audit.models import ChainHead

FEEDBACK, RUNS, PATTERNS = 200_000, 60_000, 3_000

RELEASES = """
    INSERT INTO agents_release (document_id, version_id, at, by, reason)
    SELECT document_id, id, created_at, created_by, 'Approved proposal' FROM agents_version
    WHERE document_id = %s AND number > 1 ORDER BY number
"""
CURRENT = """
    UPDATE agents_document d SET current_id = (
        SELECT id FROM agents_version v WHERE v.document_id = d.id ORDER BY number DESC LIMIT 1
    ) WHERE d.id = %s
"""

_REPORTS = """
    CREATE TEMP TABLE place AS
        SELECT row_number() OVER (ORDER BY id) AS n, id AS agent,
               (SELECT min(id) FROM agents_apikey k WHERE k.agent_id = a.id) AS key,
               (SELECT max(id) FROM agents_apikey k WHERE k.agent_id = a.id) AS other_key FROM agents_agent a;
    CREATE TEMP TABLE said AS SELECT n, text FROM unnest(%(said)s::text[]) WITH ORDINALITY AS t (text, n);

    INSERT INTO feedback_feedback (
        agent_id, key_id, external_id, digest, source, version, at, received_at, mined_at, run_id, rating, reason_code,
        reason, correction, expected, predicted, input, output, edited_output)
    SELECT agent, CASE WHEN g %% 10 = 0 THEN other_key ELSE key END, 'f' || g, sha256(g::text::bytea),
           substr(sha256(floor(power(r, 2) * 20000)::text::bytea), 1, 16), 1 + floor(r * 50), at, at, at,
           'r' || g %% %(runs)s, CASE WHEN g %% 4 = 0 THEN 'positive' ELSE 'negative' END, 'wrong',
           s.text, CASE WHEN g %% 3 = 0 THEN c.text ELSE '' END, '', '', c.text, s.text || ' ' || c.text, ''
    FROM (SELECT g, random() AS r, now() - random() * interval '90 days' AS at, 1 + floor(random() * 2000) AS i,
                 1 + floor(random() * 2000) AS j, greatest(1, floor(random() * 8) - 3) AS p
          FROM generate_series(1, %(feedback)s) g) AS x
    JOIN place ON place.n = x.p JOIN said s ON s.n = x.i JOIN said c ON c.n = x.j;

    INSERT INTO feedback_run (
        agent_id, key_id, external_id, digest, source, version, at, received_at, mined_at, document, task, tool,
        success, error, error_type, model, input_hash, output_hash)
    SELECT agent, key, 'r' || g, sha256(g::text::bytea), substr(sha256((g %% 9000)::text::bytea), 1, 16),
           1 + g %% 50, at, at, at, 'document-0', '', 'lookup_order', g %% 12 <> 0,
           CASE WHEN g %% 12 = 0 THEN 'timeout after 30 s' ELSE '' END, '', '', '', ''
    FROM (SELECT g, now() - random() * interval '90 days' AS at, greatest(1, floor(random() * 8) - 3) AS p
          FROM generate_series(0, %(runs)s - 1) g) AS x JOIN place ON place.n = x.p;

    INSERT INTO feedback_pattern (
        agent_id, kind, status, label, terms, named_support, signature, centroid, grouped, support, sources,
        dismissed_reason, dismissed_as, is_named_by_hand, is_formed_by_hand, is_merged_by_miner, is_kept_apart,
        is_compared, meaning, draft_note, error_class, grown, unproven, severity, weighed_support, created_at)
    SELECT agent, (ARRAY['complaint', 'correction', 'error', 'success'])[1 + g %% 4],
           (ARRAY['candidate', 'open', 'open', 'open', 'proposed', 'watching', 'resolved', 'dismissed'])[1 + g %% 8],
           left(s.text, 120), '[]', 1, '', decode(repeat('00', 1024), 'hex'), 1, 0, 0,
           '', '', false, false, false, false, true, '', '', '', g, 0, 1 + g %% 4, 0, now()
    FROM generate_series(1, %(patterns)s) g JOIN place ON place.n = greatest(1, g %% 8 - 3)
    JOIN said s ON s.n = 1 + g %% 2000;

    INSERT INTO feedback_evidence (pattern_id, feedback_id, source, version, at)
    SELECT (mine.ids)[1 + floor(array_length(mine.ids, 1) * power(x.r, 3))], x.id, x.source, x.version, x.at
    FROM (SELECT id, agent_id, source, version, at, random() AS r FROM feedback_feedback WHERE id %% 5 < 3) AS x
    JOIN (SELECT agent_id, array_agg(id ORDER BY id) AS ids FROM feedback_pattern GROUP BY 1) mine USING (agent_id);

    INSERT INTO feedback_patternsource (pattern_id, source, items)
        SELECT pattern_id, source, count(*) FROM feedback_evidence GROUP BY 1, 2;
    INSERT INTO feedback_patternday (pattern_id, day, items)
        SELECT pattern_id, (at AT TIME ZONE 'UTC')::date, count(*) FROM feedback_evidence GROUP BY 1, 2;
    UPDATE feedback_pattern p SET support = e.n, sources = e.sources, first_seen = e.first, last_seen = e.last
    FROM (SELECT pattern_id, count(*) AS n, count(DISTINCT source) AS sources, min(at) AS first, max(at) AS last
          FROM feedback_evidence GROUP BY 1) e WHERE e.pattern_id = p.id;
    INSERT INTO reviewapp_heartbeat (process, at)
        SELECT process, now() + interval '1 day' FROM unnest(ARRAY['worker', 'scheduler']) AS process;
    ANALYZE;
"""

DRAFT_COLUMNS = (
    "document", "base", "text", "sha256", "digest", "diff", "added", "removed", "title", "why",
)  # fmt: skip
DRAFTS = """
    CREATE TEMP TABLE bench_draft (
        n serial, document bigint, base bigint, text text, sha256 text, digest text, diff jsonb, added int, removed int,
        title text, why text)
"""

_PROPOSALS = """
    CREATE TEMP TABLE person AS SELECT row_number() OVER (ORDER BY id) AS n, id FROM people_user;
    -- Every version but the first of its document came from an approved proposal; not all of those are among ours.
    CREATE TEMP TABLE brought AS
        SELECT row_number() OVER (ORDER BY document_id, number) AS n, v.id, v.document_id, v.created_at
        FROM agents_version v
        WHERE number > 1 AND NOT EXISTS (SELECT 1 FROM proposals_proposal WHERE published_id = v.id);
    CREATE TEMP TABLE plan AS
        SELECT g, nextval(pg_get_serial_sequence('proposals_proposal', 'id')) AS id,
               nextval(pg_get_serial_sequence('proposals_revision', 'id')) AS revision,
               CASE WHEN g <= %(opened)s AND g %% 5 = 0 THEN 'changes_requested'
                    WHEN g <= %(opened)s THEN 'pending'
                    WHEN b.id IS NOT NULL THEN 'approved'
                    ELSE (ARRAY['rejected', 'rejected', 'rejected', 'withdrawn', 'expired'])[1 + g %% 5] END AS status,
               (ARRAY['drafter', 'drafter', 'person', 'agent'])[1 + g %% 4] AS origin,
               d.*, b.id AS published, p.id AS person, 1 + g %% 3 AS risk, t.id AS pattern, t.sources,
               least(b.created_at, now() - (g %% 400) * interval '1 day' - random() * interval '1 day') AS at,
               k.id AS key
        FROM generate_series(1, %(opened)s + %(decided)s) g
        LEFT JOIN brought b ON b.n = g - %(opened)s
        JOIN LATERAL (SELECT * FROM bench_draft x
                      WHERE CASE WHEN b.id IS NULL THEN x.n = 1 + g %% (SELECT count(*) FROM bench_draft)
                                 ELSE x.document = b.document_id AND (x.n - 1) %% 4 = g %% 4 END) d ON true
        JOIN person p ON p.n = 1 + g %% 12
        JOIN LATERAL (SELECT min(id) AS id FROM agents_apikey) k ON true
        LEFT JOIN LATERAL (
            SELECT id, sources FROM feedback_pattern f WHERE f.id = (
                SELECT min(id) FROM feedback_pattern) + (g + %(shift)s) %% %(patterns)s) t ON true;
    -- One open proposal for each pattern and document.
    UPDATE plan SET origin = 'person' WHERE g <= %(opened)s AND g > %(patterns)s - 600 AND origin = 'drafter';
    ALTER TABLE plan ADD PRIMARY KEY (id);
    ANALYZE plan;

    INSERT INTO proposals_proposal (
        id, document_id, base_version_id, title, rationale, origin, status, pattern_id, author_id, author_key_id,
        published_id, evidence_items, evidence_sources, fingerprint, risk, risk_reasons, mostly_reported_by,
        is_alternative, waits_for_owners_of, created_at, decided_at)
    SELECT id, document, base, title, why, origin, status, CASE WHEN origin = 'drafter' THEN pattern END,
           CASE WHEN origin = 'person' THEN person END, CASE WHEN origin = 'agent' THEN key END,
           CASE WHEN status = 'approved' THEN published END, 12, CASE WHEN origin = 'drafter' THEN 9 ELSE 0 END, '',
           risk,
           '["A check asks for a look."]', '{}', false, '{}', at,
           CASE WHEN status IN ('pending', 'changes_requested') THEN NULL ELSE at + interval '5 hours' END
    FROM plan ORDER BY id;

    INSERT INTO proposals_revision (
        id, proposal_id, number, base_version_id, text, sha256, digest, diff, words_added, words_removed, author_id,
        author_key_id, note, terms, created_at)
    SELECT revision, id, 1 + (g %% 7 = 0)::int, base, text, sha256, digest, diff, added, removed,
           CASE WHEN origin = 'person' THEN person END, CASE WHEN origin = 'agent' THEN key END, '', '{}', at
    FROM plan ORDER BY id;
    INSERT INTO proposals_revision (
        proposal_id, number, base_version_id, text, sha256, digest, diff, words_added, words_removed, author_id, note,
        terms, created_at)
    SELECT p.id, 1, d.base, d.text, d.sha256, d.digest, d.diff, d.added, d.removed, p.person, '', '{}', p.at
    FROM plan p JOIN bench_draft d ON d.n = p.n + CASE WHEN p.n %% 4 = 1 THEN 1 ELSE -1 END WHERE p.g %% 7 = 0;
    UPDATE proposals_proposal p SET revision_id = plan.revision FROM plan WHERE plan.id = p.id;

    INSERT INTO proposals_check (revision_id, name, verdict, asks, message)
    SELECT revision, name, CASE WHEN name = 'duplicate' AND g %% 5 = 0 THEN 'warn' ELSE 'pass' END, false,
           'Nothing found.'
    FROM plan CROSS JOIN unnest(ARRAY['protected', 'characters', 'secrets', 'links', 'tools', 'overrides', 'copied',
                                      'duplicate', 'size', 'evidence', 'format', 'model']) AS name ORDER BY id, name;
    INSERT INTO proposals_decision (revision_id, digest, actor_id, verdict, reason, note, single_operator, answers, at)
    SELECT revision, digest, (SELECT id FROM person WHERE n = 1 + (g + 1) %% 12),
           CASE status WHEN 'approved' THEN 'approve' WHEN 'rejected' THEN 'reject' WHEN 'pending' THEN 'approve'
                       ELSE 'request_changes' END,
           CASE WHEN status = 'rejected' THEN 'wrong_fix' ELSE '' END,
           CASE WHEN status IN ('rejected', 'changes_requested') THEN why ELSE '' END, false, '{}',
           at + interval '5 hours'
    FROM plan WHERE status IN ('approved', 'rejected', 'changes_requested') OR status = 'pending' AND g %% 9 = 0;
    INSERT INTO proposals_surroundings (
        revision_id, words_before, words_after, tokens_before, tokens_after, rules_before, rules_after, findings)
    SELECT revision, 600, 600 + added - removed, 900, 910, 60, 61, '[]' FROM plan;
    INSERT INTO proposals_proposalevidence (proposal_id, feedback_id, commands)
    SELECT plan.id, e.feedback_id, false FROM plan CROSS JOIN LATERAL (
        SELECT feedback_id FROM feedback_evidence e WHERE e.pattern_id = plan.pattern ORDER BY at DESC
        LIMIT CASE WHEN plan.g %% 10 = 0 THEN 1000 ELSE 12 END) e
    WHERE origin = 'drafter';
    INSERT INTO proposals_keyshare (proposal_id, key_id, reports, sources, of_sources, of_owners)
    SELECT proposal_id, key_id, count(*), count(DISTINCT source), min(whole.sources), min(whole.owners)
    FROM proposals_proposalevidence e JOIN feedback_feedback f ON f.id = e.feedback_id JOIN (
        SELECT proposal_id, count(DISTINCT source) AS sources, count(DISTINCT owner_id) AS owners
        FROM proposals_proposalevidence e JOIN feedback_feedback f ON f.id = e.feedback_id
        JOIN agents_apikey k ON k.id = f.key_id WHERE e.proposal_id IN (SELECT id FROM plan) GROUP BY 1) whole
        USING (proposal_id) GROUP BY 1, 2;
    INSERT INTO proposals_counterexample (revision_id, feedback_id, likeness)
    SELECT revision, f.id, 0.5 FROM plan JOIN generate_series(1, 3) i ON g %% 3 = 0
    JOIN feedback_feedback f ON f.id = (SELECT min(id) FROM feedback_feedback) + g * 7 + i;
    INSERT INTO proposals_assignment (proposal_id, user_id, at)
        SELECT id, person, at FROM plan WHERE g %% 10 = 3 AND status = 'pending';
    INSERT INTO proposals_assignment (proposal_id, group_id, at)
        SELECT id, (SELECT id FROM auth_group WHERE name = 'reviewer'), at FROM plan
        WHERE g %% 25 = 4 AND status = 'pending';
    INSERT INTO proposals_proposalseen (user_id, proposal_id, revision_id, at)
        SELECT u.id, plan.id, revision, plan.at
        FROM plan JOIN people_user u ON u.username IN ('mara', 'ada') AND g %% 2 = 0;
    INSERT INTO proposals_thread (
        proposal_id, revision_id, side, line, end_line, quote, section, author_id, at, place, end_place)
    SELECT id, revision, 'new', i * 3, i * 3, 'A line.', '', person, at, i * 3, i * 3
    FROM plan JOIN generate_series(1, 8) i ON g %% 40 = 1 WHERE g <= %(opened)s;
    INSERT INTO proposals_comment (thread_id, author_id, text, suggestion, at)
        SELECT t.id, t.author_id, title, '', t.at FROM proposals_thread t JOIN plan ON plan.id = t.proposal_id
        CROSS JOIN generate_series(1, 2);
    DROP TABLE person, brought;
    ANALYZE;
"""

_FACTS = """
    SELECT at, person, verb, kind, target, label, agent, named, proposal FROM (
        SELECT at, person, 'proposal.opened' AS verb, 'proposal' AS kind, id AS target, title AS label, document,
               id AS proposal
        FROM plan
        UNION ALL
        SELECT at + interval '5 hours', person, 'proposal.' || status, 'proposal', id, title, document, id
        FROM plan WHERE status NOT IN ('pending')
        UNION ALL
        SELECT at + interval '6 hours', person, 'version.published', 'version', published, 'version', document, id
        FROM plan WHERE status = 'approved'
        UNION ALL
        SELECT created_at, 1, 'pattern.opened', 'pattern', id, label, NULL, NULL FROM feedback_pattern
        WHERE NOT EXISTS (SELECT 1 FROM audit_auditentry WHERE verb = 'pattern.opened')
        UNION ALL
        SELECT now() - g * interval '2 minutes', p.id, 'person.signed_in', 'user', p.id, p.name, NULL, NULL
        FROM generate_series(1, 20000) g JOIN people_user p ON p.id = 1 + g % 40
    ) AS facts LEFT JOIN (SELECT d.id AS document, d.slug AS named, a.slug AS agent FROM agents_document d
                          JOIN agents_agent a ON a.id = d.agent_id) AS d USING (document)
    ORDER BY at
"""


def reports(said: list[str]) -> None:
    """Feedback, runs, what recurs in them, and the counts kept of it."""
    numbers = {"said": said, "feedback": FEEDBACK, "runs": RUNS, "patterns": PATTERNS}
    _run(_REPORTS, numbers)


def proposals(*, opened: int, decided: int) -> None:
    """Proposals with revisions, checks, decisions, evidence and talks, made from the rows of `bench_draft`."""
    numbers = {"opened": opened, "decided": decided, "patterns": PATTERNS, "shift": 0 if decided else 500}
    _run(_PROPOSALS, numbers)


def _run(script: str, numbers: Mapping[str, Any]) -> None:
    """One statement after the other: what needs parameters takes one at a time."""
    with connection.cursor() as cursor:
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement, numbers)


def log() -> None:
    """The log of what `proposals` made, with a true chain; sealed here, as the trigger would row by row."""
    head = ChainHead.objects.first() or ChainHead(sequence=0, hash=GENESIS)
    sequence, last = head.sequence, bytes(head.hash)
    columns = (
        "at, actor_kind, actor_id, actor_label, verb, target_kind, target_id, target_label, agent, document, proposal"
    )
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        found = cursor.fetchall()
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_entry_seal")
        with cursor.copy(f"COPY audit_auditentry ({columns}, body, sequence, previous_hash, hash) FROM STDIN") as copy:
            for at, person, verb, kind, target, label, agent, document, proposal in found:
                when = at.astimezone(UTC)
                fact = {
                    "at": when.isoformat(timespec="microseconds"),
                    "actor_kind": "person", "actor_id": str(person), "actor_label": f"Person {person}", "verb": verb,
                    "target_kind": kind, "target_id": str(target), "target_label": label, "agent": agent or "",
                    "document": document or "", "proposal": proposal,
                }  # fmt: skip
                body = canonical({**fact, "before": None, "after": {"revision": 1}, "request_id": ""})
                previous, sequence = last, sequence + 1
                last = entry_hash(previous, sequence, body)
                copy.write_row([*fact.values(), body, sequence, previous, last])
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_entry_seal")
        cursor.execute("DROP TABLE plan, bench_draft")
    ChainHead.objects.update_or_create(pk=1, defaults={"sequence": sequence, "hash": last})
