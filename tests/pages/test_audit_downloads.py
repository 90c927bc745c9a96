"""What the page of the log says of its soundness, and what can be taken away from it."""

import io
import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit import checkpoints
from audit.models import AuditEntry, Checkpoint
from audit.record import SYSTEM
from audit.standalone import verify_export
from audit.verify import verify_and_tell
from people.models import User
from proposals.models import Proposal
from tests.log import tamper

pytestmark = pytest.mark.usefixtures("sealed_at_once")
ACTS = ("audit_export", "audit_make_checkpoint")


@pytest.fixture
def auditor(client: Client, luis: User, pending: Proposal) -> Client:
    """Luis at a log with a proposal on it."""
    client.force_login(luis)
    return client


def taken(client: Client, form: str, **filters: str) -> list[str]:
    """The lines of an export."""
    answer = client.post(reverse("audit_export", query=filters), {"form": form})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    return b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]


def test_the_page_says_how_far_the_log_was_found_sound_and_by_whom(auditor: Client) -> None:
    assert "Not verified yet" in auditor.get(reverse("audit_log")).text
    size = checkpoints.make(SYSTEM).size
    verify_and_tell("the nightly check")
    taken(auditor, "csv")
    page = auditor.get(reverse("audit_log")).text
    for words in (f'entry <b class="num">{size}</b>', "by the nightly check; 1 checkpoint fits", "1 entry since"):
        assert words in page


def test_a_bad_entry_stands_on_top(auditor: Client) -> None:
    checkpoints.make(SYSTEM)
    tamper("UPDATE audit_auditentry SET actor_label = 'Nobody' WHERE sequence = 2")
    verify_and_tell("the nightly check")
    page = auditor.get(reverse("audit_log")).text
    assert "Entry 2 is bad:" in page
    assert "Not sound" in page


def test_a_checkpoint_is_made_by_a_button_and_downloaded_with_all_to_check_it(auditor: Client, tmp_path: Path) -> None:
    assert auditor.get(reverse("audit_checkpoint")).status_code == 404
    made = auditor.post(reverse("audit_make_checkpoint"))
    assert (made.status_code, made["Location"]) == (303, reverse("audit_log"))
    assert "Make a checkpoint" in auditor.get(reverse("audit_log")).text
    (tmp_path / "checkpoint.txt").write_text(auditor.get(reverse("audit_checkpoint")).text)
    (tmp_path / "keys.txt").write_text(auditor.get(reverse("audit_keys")).text)
    (tmp_path / "entries.jsonl").write_text("\n".join([*taken(auditor, "jsonl"), ""]))
    assert verify_export.main([str(tmp_path)]) == 0
    assert auditor.get(reverse("audit_program")).text == Path(verify_export.__file__).read_text()


def test_what_cannot_be_signed_is_said(auditor: Client) -> None:
    tamper("UPDATE audit_auditentry SET actor_label = 'Nobody' WHERE sequence = 2")
    page = auditor.post(reverse("audit_make_checkpoint"), follow=True)
    assert "Entry 2 of the log is bad" in page.text
    assert not Checkpoint.objects.exists()


def test_a_board_that_cannot_sign_says_so(auditor: Client, settings: Settings, tmp_path: Path) -> None:
    checkpoints.make(SYSTEM)
    settings.COUNTERSIGN_SIGNING_KEY = None
    settings.DATA_DIR = tmp_path
    assert (
        "No checkpoint is made. The key that signs checkpoints is not here." in auditor.get(reverse("audit_log")).text
    )


def test_an_export_holds_what_fits_the_filters_oldest_first_and_leaves_an_entry(auditor: Client, luis: User) -> None:
    last = AuditEntry.objects.latest("sequence").sequence
    lines = [json.loads(line) for line in taken(auditor, "jsonl", agent="support", verb="proposal.opened")]
    assert [line["fact"]["verb"] for line in lines] == ["proposal.opened"]
    assert [json.loads(line)["sequence"] for line in taken(auditor, "jsonl")] == list(range(1, (last or 0) + 2))
    entry = AuditEntry.objects.filter(verb="log.exported").earliest("sequence")
    assert (entry.actor_id, entry.target_label) == (str(luis.pk), f"the log up to entry {last}")
    assert entry.fact["after"] == {"form": "jsonl", "filters": {"agent": "support", "verb": "proposal.opened"}}
    page = auditor.get(reverse("audit_log"), {"verb": "log.exported"}).text
    assert f"<b>the log up to entry {last}</b>, as JSONL, only agent “support”; verb “proposal.opened”" in page
    assert len(taken(auditor, "csv", agent="support")) == 1 + AuditEntry.objects.filter(agent="support").count()


def test_an_export_that_makes_no_sense_is_refused(auditor: Client) -> None:
    before = AuditEntry.objects.count()
    for query, form in (({"since": "soon"}, "csv"), ({}, "exe"), ({}, "")):
        assert auditor.post(reverse("audit_export", query=query), {"form": form}).status_code == 422
    assert AuditEntry.objects.count() == before


def test_an_entry_comes_with_its_way_to_a_checkpoint(auditor: Client, tmp_path: Path) -> None:
    address = reverse("audit_proof", args=[1])
    assert auditor.get(address).status_code == 404
    assert "none covers it yet" in auditor.get(reverse("audit_entry", args=[1])).text
    first = checkpoints.make(SYSTEM)
    checkpoints.make(SYSTEM)
    assert address in auditor.get(reverse("audit_entry", args=[1])).text
    (tmp_path / "keys.txt").write_text(auditor.get(reverse("audit_keys")).text)
    proof = tmp_path / "proof"
    for query in ({}, {"size": str(first.size)}):
        answer = auditor.get(address, query)
        assert answer["Content-Disposition"] == 'attachment; filename="entry-1.tlog-proof"'
        proof.write_text(answer.text)
        assert verify_export.main(["--proof", str(proof), "--keys", str(tmp_path / "keys.txt")]) == 0
    for size in ("1", "x", "-1", "9" * 30, "٣"):
        assert auditor.get(address, {"size": size}).status_code == 404
    assert auditor.get(reverse("audit_proof", args=[10**6])).status_code == 404
    assert auditor.get(f"/audit/{'9' * 30}/proof").status_code == 404


@pytest.mark.parametrize("name", ACTS)
def test_only_auditors_and_admins_take_the_log_away(
    client: Client, ada: User, luis: User, mara: User, aiko: User, stranger: User, name: str
) -> None:
    for person, status in ((ada, 200), (luis, 200), (mara, 403), (aiko, 403), (stranger, 403)):
        client.force_login(person)
        answer = client.post(reverse(name), {"form": "csv"})
        assert answer.status_code == (303 if status == 200 and name == "audit_make_checkpoint" else status), person
        assert client.get(reverse(name)).status_code == 405
    client.logout()
    assert client.post(reverse(name))["Location"].startswith(reverse("account_login"))


def test_who_may_not_is_shown_no_button(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    page = client.get(reverse("audit_log")).text
    assert "Export CSV" not in page
    assert "Make a checkpoint" not in page


@pytest.mark.parametrize("name", ["audit_checkpoint", "audit_proof"])
def test_what_is_to_be_downloaded_takes_the_right_to_see_the_log(client: Client, stranger: User, name: str) -> None:
    address = reverse(name, args=[1] if name == "audit_proof" else [])
    assert client.get(address)["Location"].startswith(reverse("account_login"))
    client.force_login(stranger)
    assert client.get(address).status_code == 403


def test_the_program_is_one_file_that_reads_as_text(auditor: Client) -> None:
    answer = auditor.get(reverse("audit_program"))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert io.StringIO(answer.text).readline() == "#!/usr/bin/env python3\n"
