"""What no browser sends by itself: odd charsets, NUL, in forms and in addresses. Never a 500."""

from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from agents.models import Document
from people.models import User
from proposals.models import Proposal, Revision
from reviewapp.lean import lean_response
from tests.cast import digest_of

BOUNDARY = "part"
HALF_PAIR = {"utf-7": b"+2AA-", "unicode_escape": b"\\ud800", "utf-16-le": b"\x00\xd8", "utf-8": b"\xed\xa0\x80"}
NAMES = (
    "agent",
    "document",
    "kind",
    "show",
    "page",
    "before",
    "actor",
    "text",
    "proposal",
    "since",
    "view",
    "evidence",
    "comment",
    "sort",
    "risk",
    "queue",
    "id",
)


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    client.raise_request_exception = False
    return client


def multipart(fields: dict[str, bytes]) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def test_a_file_that_nobody_asked_for_is_kept_nowhere(
    db: None, client: Client, tmp_path: Path, settings: Settings
) -> None:
    """Anybody may send the form to sign in, and a file would otherwise be as large as they like."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    file = SimpleUploadedFile("f", b"x" * 3_000_000)
    answer = client.post("/account/login/", {"login": "nobody", "password": "none", "file": file})
    assert (answer.status_code, len(answer.wsgi_request.FILES), [*tmp_path.iterdir()]) == (200, 0, [])


@pytest.mark.parametrize("length", ["10000001", "9" * 5000])
def test_what_says_that_it_is_longer_than_any_form_is_not_read(length: str) -> None:
    said = []
    environ = {"PATH_INFO": "/account/login/", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": length}
    assert lean_response(environ, lambda status, headers: said.append(status))
    assert said == ["413 Request Entity Too Large"]


@pytest.mark.parametrize("charset", HALF_PAIR)
def test_no_charset_brings_half_a_character_into_a_text(signed_in: Client, pending: Proposal, charset: str) -> None:
    digest = digest_of(pending).encode()
    body = multipart({"digest": digest, "text": b"# Role\n" + HALF_PAIR[charset], "note": HALF_PAIR[charset]})
    kind = f"multipart/form-data; boundary={BOUNDARY}; charset={charset}"
    answer = signed_in.generic("POST", f"/proposals/{pending.pk}/amend/", body, kind)
    assert answer.status_code in (303, 422)
    for text in Revision.objects.values_list("text", flat=True):
        text.encode()


@pytest.mark.parametrize("value", [b"\0", b"a\0b", b"+2AA-", b"\xed\xa0\x80", b"9" * 400, b"-1", b"\xff"])
@pytest.mark.usefixtures("complaints")
def test_no_address_breaks_a_page(signed_in: Client, prompt: Document, pending: Proposal, value: bytes) -> None:
    broken = []
    query = "&".join(f"{name}={quote(value)}" for name in NAMES)
    pages = (
        "/",
        "/proposals/together/",
        "/patterns/",
        "/audit/",
        f"/proposals/{pending.pk}",
        "/agents/",
        "/agents/support/system-prompt/",
    )
    for page in pages:
        answer = signed_in.get(f"{page}?{query}", content_type="text/plain; charset=utf-7", follow=True)
        broken += [page] if answer.status_code >= 500 else []
    for path in (f"/agents/{quote(value)}/x/", f"/agents/support/{quote(value)}/", f"/proposals/{quote(value)}/"):
        broken += [path] if signed_in.get(path, follow=True).status_code >= 500 else []
    assert broken == []
