"""The versions that are stored against those that the log tells of."""

from hashlib import sha256
from pathlib import Path

import pytest

from agents.models import Agent, Document, Version
from agents.versions import publish, restore
from audit.chain import Fault
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.verify import verify
from tests.cast import PROMPT
from tests.log import tamper

pytestmark = pytest.mark.usefixtures("sealed_at_once")


@pytest.fixture
def prompt(support: Agent, folder: Path) -> Document:
    """At version 3, which brought back the first."""
    document = support.documents.select_related("current").get()
    assert document.current
    first = document.current
    second = publish(document, f"{PROMPT}- New.\n", base=first, actor=SYSTEM, proposal=0)
    restore(document, first, base=second, actor=SYSTEM, reason="Worse.")
    assert verify().fault is None
    return document


def told(version: Version) -> int:
    """The entry that tells of it."""
    return AuditEntry.objects.about(version).values_list("sequence", flat=True).get() or 0


def test_a_text_changed_with_its_digest_is_found_out(prompt: Document) -> None:
    version, text = prompt.versions.get(number=2), f"{PROMPT}- Old.\n"
    digest = sha256(text.encode()).hexdigest()
    tamper("UPDATE agents_version SET text = %s, sha256 = %s WHERE id = %s", text, digest, version.pk)
    said = "version 2 of support/system-prompt, as it is stored now, is not what it tells of"
    verdict = verify()
    assert (verdict.fault, verdict.entries) == (Fault(told(version), said), told(version) - 1)


def test_a_version_that_was_exchanged_or_put_in_is_found_out(prompt: Document) -> None:
    first, last = prompt.versions.get(number=1), prompt.versions.get(number=3)
    tamper("UPDATE agents_document SET current_id = %s WHERE id = %s", first.pk, prompt.pk)
    said = "support/system-prompt has another current version now than the one it tells of"
    assert verify().fault == Fault(told(last), said)
    Version.objects.create(document=prompt, number=4, text="x", sha256=sha256(b"x").hexdigest(), line_versions=[4])
    fault = verify().fault
    assert fault
    assert fault.problem == "neither it nor one before it tells of version 4 of support/system-prompt, which is stored"
    tamper("UPDATE audit_auditentry SET body = 'x' WHERE sequence = 1")
    assert verify().fault == Fault(1, "its content was changed after it was written")
