"""Three weeks on the board, told through the actions that pages, API and tasks call."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import transaction

from agents.models import Version
from agents.versions import sha256
from feedback.actions.patterns import dismiss
from proposals.actions.attention import look, open_evidence
from proposals.actions.comments import Spot, Wording, open_thread, reply
from proposals.actions.decisions import approve, reject, request_changes
from proposals.actions.proposals import amend, submit
from proposals.actions.rollbacks import roll_back
from proposals.actions.trials import NewOutput, cases_of, hand_in
from proposals.models import Decision, Proposal, Revision, Thread
from reviewapp.sample import clock, plan
from reviewapp.sample.board import Board, Progress

SEED: Final = 7


@transaction.atomic
def tell(now: datetime, progress: Progress, seed: int = SEED) -> None:
    """Write the whole story, ending at `now`, or nothing of it. `progress` is told how many reports came in."""
    seconds = Random(seed)
    with clock.running(plan.moment(now, plan.DAYS + 1) + timedelta(hours=10)) as running:
        board = Board(running, now, seed, progress)
        for days, hour, happen in STEPS:
            board.pass_until(plan.moment(now, days) + timedelta(hours=hour, seconds=seconds.randrange(180)))
            happen(board)
        board.pass_until(now - timedelta(minutes=20))
        board.mine()


def _newest(proposal: Proposal) -> Revision:
    return proposal.revisions.select_related("base_version").latest("number")


def _approve(board: Board, proposal: Proposal, who: str, note: str = "") -> None:
    _read(board, proposal, who)
    approve(proposal.pk, user=board.person(who), digest=_newest(proposal).digest, note=note)


def _read(board: Board, proposal: Proposal, who: str) -> None:
    """Open the page and the evidence on it, and take some minutes, the more the longer the change."""
    person, newest = board.person(who), _newest(proposal)
    look([Proposal.objects.get(pk=proposal.pk)], user=person)
    open_evidence(user=person, proposal=proposal.pk)
    words = newest.words_added + newest.words_removed
    board.pass_until(board.clock.now + timedelta(seconds=min(45 + 2 * words, 200)))


def _replaced(text: str, old: str, new: str) -> str:
    """Raises ValueError if the old words do not stand there exactly once."""
    if text.count(old) != 1:
        raise ValueError(f"This stands {text.count(old)} times in the text: {old}")
    return text.replace(old, new)


def _mine(board: Board) -> None:
    board.mine()


def _aiko_gives_the_search_more_time(board: Board) -> None:
    document = board.document("support", "settings")
    submit(
        document=document,
        base_number=1,
        text=_replaced(_text_of(board, "support", "settings"), '"search_help": 8', '"search_help": 12'),
        title="Give the search 12 seconds instead of 8",
        rationale="The knowledge base got slower since its move; its slowest answers come after 10 seconds.",
        user=board.person("aiko"),
    )


def _text_of(board: Board, agent: str, slug: str) -> str:
    return _current_of(board, agent, slug).text


def _current_of(board: Board, agent: str, slug: str) -> Version:
    current = board.document(agent, slug).current
    if current is None:
        raise LookupError(f"{slug} has no current version.")
    return current


def _mara_approves_the_search_time(board: Board) -> None:
    proposal = Proposal.objects.filter(document__slug="settings").latest("pk")
    _approve(board, proposal, "mara", "Fits what I see in the logs.")


def _mara_approves_waiting_for_the_search(board: Board) -> None:
    _approve(board, board.drafted("support", "search_limited"), "mara")


def _jonas_rejects_the_missing_tool(board: Board) -> None:
    proposal = board.drafted("support", "no_tracker")
    reject(
        proposal.pk,
        user=board.person("jonas"),
        digest=_newest(proposal).digest,
        reason=Decision.Reason.WRONG_FIX,
        note="The tool was renamed by mistake in Tuesday's release. Fixed there; the instructions were right.",
    )


def _mara_dismisses_the_crashes(board: Board) -> None:
    pattern = board.traffic["support"].pattern_about("app_crash")
    proposal = pattern.proposals.open().first()
    if proposal:
        reject(
            proposal.pk,
            user=board.person("mara"),
            digest=_newest(proposal).digest,
            reason=Decision.Reason.NOT_A_PROBLEM,
            note="This is about the shop's app, nothing the agent says can help.",
        )
    why = "About the shop's app, not about the agent. Passed on to the app team."
    dismiss(pattern.pk, user=board.person("mara"), dismissed_as="not_a_problem", reason=why)


def _jonas_approves_free_shipping(board: Board) -> None:
    _approve(board, board.drafted("support", "free_shipping"), "jonas", "Checked against the basket: 50 it is.")


def _jonas_rewords_the_reset_links(board: Board) -> None:
    _amend(
        board,
        board.drafted("support", "reset_links"),
        "- A customer who cannot sign in gets a link to reset the password.\n",
        "- A customer who cannot sign in gets a new link to reset the password. Links in articles and in earlier\n"
        "  messages have expired; never send one of those.\n",
        note="The links come from old help articles. Says so, and replaces the old rule.",
    )


def _mara_approves_fresh_reset_links(board: Board) -> None:
    _approve(board, board.drafted("support", "reset_links"), "mara")


def _mara_approves_ruff(board: Board) -> None:
    _approve(board, board.drafted("coding", "linter"), "mara", "The last flake8 file went in spring.")


def _mara_approves_smaller_test_runs(board: Board) -> None:
    _approve(board, board.drafted("coding", "tests_timeout"), "mara")


def _mara_approves_short_refunds(board: Board) -> None:
    _approve(board, board.drafted("support", "long_refunds"), "mara")


def _aiko_rolls_back(board: Board) -> None:
    document = board.document("support", "system-prompt")
    number = document.current.number if document.current else 0
    roll_back(
        document.pk,
        user=board.person("aiko"),
        to_number=number - 1,
        current_number=number,
        reason="Refund runs fail four times as often since version 5: the answers are short now, and leave out how to "
        "send the parcel back. Customers write again.",
    )


def _jonas_approves_the_labels(board: Board) -> None:
    _approve(board, board.drafted("support", "billing_refund"), "jonas")
    _approve(board, board.drafted("coding", "severity"), "jonas", "Better one blocker too many.")


def _the_coding_agent_proposes(board: Board) -> None:
    text = _text_of(board, "coding", "review-rules")
    submit(
        document=board.document("coding", "review-rules"),
        base_number=_number(board, "coding", "review-rules"),
        text=_replaced(
            text,
            "- `read_file(path)` and `search_code(query)` read the repository.\n",
            "- `read_file(path)` and `search_code(query)` read the repository.\n"
            "- `changed_files()` lists what the pull request changes. Call it first.\n",
        ),
        title="List the changed files first",
        rationale="In 9 of 40 reviews I read files that the pull request does not touch. Listing the changed "
        "files first saves about a third of the calls to read_file.",
        key=board.traffic["coding"].key,
    )


def _number(board: Board, agent: str, slug: str) -> int:
    current = board.document(agent, slug).current
    return current.number if current else 0


def _aiko_proposes_for_safety(board: Board) -> None:
    text = _text_of(board, "support", "system-prompt")
    submit(
        document=board.document("support", "system-prompt"),
        base_number=_number(board, "support", "system-prompt"),
        text=_replaced(
            text,
            "- Never ask for card numbers, passwords or copies of identity papers.\n",
            "- Never ask for card numbers, passwords, one-time codes or copies of identity papers.\n"
            "- When somebody else may have got into an account, hand over at once and do not talk about its orders.\n",
        ),
        title="Protect accounts that somebody else may have entered",
        rationale="Two customers wrote last week that a stranger had ordered in their name. The agent went on to read "
        "out the orders. It should hand over instead, and never ask for a one-time code.",
        user=board.person("aiko"),
    )


def _jonas_approves_safety(board: Board) -> None:
    proposal = Proposal.objects.open().get(title__startswith="Protect accounts")
    _approve(board, proposal, "jonas", "Yes. Mara owns the section, so she has the last word.")


def _mara_asks_for_a_real_rule(board: Board) -> None:
    proposal = board.drafted("coding", "generated")
    request_changes(
        proposal.pk,
        user=board.person("mara"),
        digest=_newest(proposal).digest,
        note="The problem is real, but this rule does not solve it. Say what to do with generated files.",
    )


def _jonas_writes_the_rule(board: Board) -> None:
    _amend(
        board,
        board.drafted("coding", "generated"),
        "- Configuration is in `config/`, migrations are in `migrations/`.\n",
        "- Configuration is in `config/`, migrations are in `migrations/`.\n"
        "- Never touch generated code. Change what it is made from, and say how to generate it again.\n",
        note="Says what to do instead.",
    )


def _mara_approves_the_rule(board: Board) -> None:
    """To a quarter first: it changes what the agent edits. With some dozens of runs a day that takes its time."""
    proposal, mara = board.drafted("coding", "generated"), board.person("mara")
    _read(board, proposal, "mara")
    note, digest = "Yes, like this. A quarter of the sessions first.", _newest(proposal).digest
    approve(proposal.pk, user=mara, digest=digest, note=note, start="canary", shares=(25, 50))


def _jonas_amends_the_apologies(board: Board) -> None:
    _amend(
        board,
        board.drafted("support", "apologies"),
        "- If something went wrong, apologise, and show that you understand how annoying it is.\n",
        "- If something went wrong on our side, apologise once, in half a sentence, and go on to the answer.\n",
        note="The old rule asked for the apologies. Changed it instead of adding another one.",
    )


def _mara_asks_the_coding_agent(board: Board) -> None:
    proposal = Proposal.objects.open().get(title="List the changed files first")
    _say(board, proposal, "mara", "`changed_files()`", "Does it list files that were only renamed, too?")


def _jonas_answers(board: Board) -> None:
    thread = Thread.objects.earliest("pk")
    reply(thread.pk, user=board.person("jonas"), text="Yes, with both names. I tried it on last week's big rename.")


def _mara_suggests_a_wording(board: Board) -> None:
    _say(
        board,
        board.drafted("support", "apologies"),
        "mara",
        "apologise once",
        "“Half a sentence” will be taken to the letter. Shorter says it better.",
        wording="- If something went wrong on our side, apologise once, briefly, and go on to the answer.\n",
    )


def _a_tool_tries_the_new_refund_window(board: Board) -> None:
    """The team's own test bench runs the agent on two real cases under the proposed text."""
    proposal, key = board.drafted("support", "digital_refund"), board.traffic["support"].key
    cases = list(cases_of(proposal).exclude(output="")[:2])
    outputs = [NewOutput(case, case.output.replace("30 days", "14 days"), "general-large") for case in cases]
    hand_in(proposal.pk, key=key, digest=_newest(proposal).digest, outputs=outputs)


def _say(board: Board, proposal: Proposal, who: str, where: str, text: str, *, wording: str = "") -> None:
    """Comment on the one line of the newest text that holds these words; `wording` is what should stand there."""
    newest = _newest(proposal)
    lines = newest.text.splitlines(keepends=True)
    (number,) = (number for number, line in enumerate(lines, start=1) if where in line)
    spot = Spot(newest.number, Thread.Side.NEW, number, number)
    better = Wording(wording, sha256(lines[number - 1])) if wording else None
    open_thread(proposal.pk, user=board.person(who), spot=spot, text=text, wording=better)


def _amend(board: Board, proposal: Proposal, old: str, new: str, *, note: str) -> None:
    """Jonas takes the current text instead of the draft, with other words of his own."""
    seen, current = _newest(proposal), _current_of(board, proposal.document.agent.slug, proposal.document.slug)
    text = _replaced(current.text, old, new)
    amend(proposal.pk, user=board.person("jonas"), text=text, note=note, digest=seen.digest, base=current.number)


STEPS: Final[tuple[tuple[int, float, Callable[[Board], None]], ...]] = (
    # days before today, hour of that day (UTC), and what happened then
    (16, 9.3, _aiko_gives_the_search_more_time),
    (16, 14.1, _mara_approves_the_search_time),
    (14, 6.0, _mine),
    (13, 9.7, _mara_approves_waiting_for_the_search),
    (13, 10.2, _jonas_approves_free_shipping),
    (13, 15.9, _jonas_rejects_the_missing_tool),
    (12, 9.2, _mara_dismisses_the_crashes),
    (12, 11.5, _mara_approves_ruff),
    (12, 11.7, _mara_approves_smaller_test_runs),
    (12, 15.4, _jonas_rewords_the_reset_links),
    (11, 10.1, _mara_approves_fresh_reset_links),
    (9, 9.5, _mara_approves_short_refunds),
    (8, 6.0, _mine),
    (7, 16.7, _aiko_rolls_back),
    (6, 10.3, _jonas_approves_the_labels),
    (5, 9.2, _mara_asks_for_a_real_rule),
    (5, 13.8, _jonas_writes_the_rule),
    (4, 8.8, _mara_approves_the_rule),
    (4, 11.0, _the_coding_agent_proposes),
    (3, 9.4, _mara_asks_the_coding_agent),
    (3, 13.1, _jonas_answers),
    (3, 15.2, _aiko_proposes_for_safety),
    (2, 6.0, _mine),
    (2, 10.5, _jonas_amends_the_apologies),
    (1, 9.1, _jonas_approves_safety),
    (1, 9.6, _mara_suggests_a_wording),
    (1, 11.3, _a_tool_tries_the_new_refund_window),
)
