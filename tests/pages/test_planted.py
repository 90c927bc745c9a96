"""Scripts planted in everything people and agents can name or write: no page runs them, whatever it shows."""

from html.parser import HTMLParser
from itertools import cycle
from typing import Final

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from audit.models import AuditEntry
from people.models import User
from tests.log import tamper
from tests.pages.test_matrix import MATRIX, address_of, arguments

__all__ = ["arguments"]
pytestmark = pytest.mark.django_db

PLANTED: Final = [
    "<script planted>alert(1)</script>",
    "</title></textarea><script planted>alert(1)</script>",
    '"><img planted src=x onerror=alert(1)>',
    "'><svg planted onload=alert(1)>",
    '" planted onfocus=alert(1) autofocus x="',
    "' planted onmouseover=alert(1) x='",
    "javascript:alert(1)//planted",
    "[x](javascript:alert(1)) <a planted href=javascript:alert(1)>x</a>",
    "<iframe planted srcdoc='<script>alert(1)</script>'></iframe>",
    '<form planted action="https://evil.example"><input name=csrfmiddlewaretoken>',
    '<div planted hx-get="/settings/" hx-trigger="load" hx-on:load="alert(1)">',
    "<math planted><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "{{ planted }}{% load planted %}{{ constructor.constructor('alert(1)')() }}",
    "--></style><!--<style planted>*{display:none}</style>",
    "<base planted href=https://evil.example/>",
    "\u202e<scr\u0000ipt planted>".replace("\0", "") + "<ſcript planted>",
]
FIELDS: Final = {
    "agents.Agent": ["name"],
    "agents.Document": ["name"],
    "agents.ApiKey": ["label"],
    "agents.Section": ["heading"],
    "agents.Release": ["by", "reason"],
    "agents.Version": ["text", "created_by"],
    "people.User": ["name"],
    "people.Team": ["name"],
    "feedback.Feedback": [
        "reason",
        "correction",
        "input",
        "output",
        "edited_output",
        "expected",
        "predicted",
        "run_id",
    ],
    "feedback.Pattern": ["label", "draft_note"],
    "feedback.SharedPattern": ["label"],
    "feedback.Quarantine": ["reason", "by"],
    "proposals.Proposal": ["title", "rationale"],
    "proposals.Revision": ["text", "note"],
    "proposals.Thread": ["quote", "section"],
    "proposals.Comment": ["text", "suggestion"],
    "proposals.Check": ["message"],
    "proposals.Decision": ["note"],
    "proposals.Rollout": ["reason"],
    "notices.Notice": ["title", "text"],
    "notices.Delivery": ["label", "target", "problem"],
    "audit.AuditEntry": ["actor_label", "target_label"],
}


class Page(HTMLParser):
    """What a browser would make of a page that was not meant."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip().lower() for name, value in attrs}
        runs = any(name.startswith(("on", "hx-on")) or name in ("planted", "style", "srcdoc") for name in given)
        leads = any(given.get(name, "").startswith("javascript:") for name in ("href", "src", "action", "formaction"))
        inline = tag == "script" and not given.get("src", "").startswith("/static/")
        if runs or leads or inline or tag in ("base", "iframe", "object", "embed"):
            self.wrong.append(self.get_starttag_text() or tag)


def plant() -> int:
    """Put one of them into each text; how many texts there were."""
    payloads, planted = cycle(PLANTED), 0
    for path, columns in FIELDS.items():
        model = apps.get_model(path)
        for column in columns:
            field = model._meta.get_field(column)
            assert isinstance(field, models.Field)
            change = f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s WHERE "{model._meta.pk.column}" = %s'  # noqa: S608
            for pk in model._base_manager.values_list("pk", flat=True):
                tamper(change, next(payloads)[: field.max_length], pk)
                planted += 1
    return planted


def test_what_is_planted_anywhere_is_shown_and_never_run(
    client: Client, arguments: dict[str, object], ada: User, sealed_at_once: None
) -> None:
    assert plant() > 100
    client.force_login(ada)
    showing = 0
    for name in MATRIX:
        page = client.get(address_of(name, arguments, ada), follow=True)
        assert page.status_code in (200, 404, 405, 422), name
        if page.get("Content-Type", "").startswith("text/html"):
            assert Page(page.text).wrong == [], name
            showing += "planted" in page.text
            assert "script-src 'self'" in page["Content-Security-Policy"]
    assert showing > 30
    assert AuditEntry.objects.exists()


def test_the_trap_itself_springs() -> None:
    for text in PLANTED[:6]:
        assert Page(f'<p title="{text}">').wrong or Page(f"<p title='{text}'>").wrong or Page(text).wrong, text
