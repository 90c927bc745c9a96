"""Which addresses are asked for: every page there is, in each of its states, on several objects where there are."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from agents.models import ApiKey, Document, Section
from audit.models import AuditEntry
from feedback.models import Evidence, Pattern, SharedPattern
from people.models import Team, User
from proposals.models import Proposal, Rollout

SOME: Final = 5
NO_PAGES: Final = frozenset(
    {"set_theme", "set_keys", "set_hints", "change_person", "deactivate_person", "reactivate_person", "make_link"}
    | {
        "revoke_key",
        "end_probation",
        "quarantine_key",
        "lift_quarantine",
        "send_back_shaken",
        "prepare_rollback",
        "rotate_key",
        "set_key_rules",
        "unprotect",
        "change_filter",
        "selected",
        "assign",
        "unassign",
        "decide",
        "rebase",
        "withdraw",
    }
    | {
        "remove_policy",
        "exclude",
        "exclude_commanding",
        "include",
        "merge_rules",
        "comment",
        "reply",
        "resolve",
        "reopen_thread",
    }
    | {"apply_suggestion", "draft", "dismiss", "reopen", "rename", "merge", "part", "split", "sign_in_by_link"}
    | {"account_logout", "account_inactive", "choose", "take_back", "redraft_on_current", "alternatives"}
    | {"act_on_rollout", "remove_rollout_plan", "gate", "dissolve_team", "forbid_quoting", "send_again", "set_mails"}
    | {"remove_source_rule", "csp_reports", "disconnect", "disconnect_person"}
    | {"sign_out_person", "reset_factor", "mfa_authenticate", "mfa_login_webauthn", "start_over", "mfa_remove_factor"}
    | {"end_session", "mfa_view_recovery_codes", "add_factor", "sign_in_by_service", "openid_connect_callback"}
    | {"audit_export", "audit_checkpoint", "audit_make_checkpoint", "audit_keys", "audit_program", "audit_proof"}
)
"""Addresses that only take forms, lead on to a page, or give a file."""

Addresses = dict[str, list[str]]


def addresses() -> dict[str, Addresses]:
    """The addresses of each page, for a reviewer, an admin and nobody in particular."""
    pages = {**_queue(), **_proposals(), **_documents(), **_rest()}
    return {"reviewer": pages, "admin": _for_admins(), "nobody": {"sign in": [reverse("account_login")]}}


def unasked(found: dict[str, Addresses]) -> list[str]:
    """Names of the URLconf that have a page and no address here."""
    asked = {
        get_resolver().resolve(address.partition("?")[0]).url_name
        for pages in found.values()
        for several in pages.values()
        for address in several
    }
    return sorted(set(_names(get_resolver())) - asked - NO_PAGES)


def _names(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield from [entry.name] if entry.name else []
        elif not str(entry.pattern).startswith(("api/", "admin/")):
            yield from _names(entry)


def _queue() -> Addresses:
    board = reverse("queue")
    pages = {
        "queue": "",
        "queue, page 2": "?page=2",
        "queue, last page": "?page=9999",
        "queue, everyone's": "?show=open",
        "queue, everyone's, page 100": "?show=open&page=100",
        "queue, by impact": "?show=open&sort=impact",
        "queue, oldest first": "?show=open&sort=age",
        "queue, after the fact": "?show=effect",
        "queue, decided": "?show=decided",
        "queue, decided, page 2": "?show=decided&page=2",
        "queue, all": "?show=all",
        "queue, one agent": "?show=open&agent=sales",
        "queue, low risk": "?risk=low",
        "queue, with warnings": "?show=open&checks=warn",
        "queue, mine": "?show=open&who=me",
        "queue, nobody's": "?show=open&who=nobody",
        "search, common": "?show=all&q=the",
        "search, rare": f"?show=all&q={Proposal.objects.latest('pk').title.split()[-1]}",
        "search, nothing": "?show=all&q=xyzzy",
    }
    return {name: [board + query] for name, query in pages.items()} | {
        "saved filters": [reverse("saved_filters")],
        "updates": [f"{reverse('updates')}?since=1&proposal={pk}&document=1" for pk in _some(Proposal.objects.open())],
    }


def _proposals() -> Addresses:
    normal = Proposal.objects.exclude(document__agent__slug="support", document__slug="document-1")
    waiting = normal.filter(status="pending", base_version=_current())
    drafted = waiting.filter(origin="drafter", pattern__support__gte=100)
    long = Proposal.objects.filter(status="pending", document__agent__slug="support", document__slug="document-1")
    long_now, long_moved = long.filter(base_version=_current()), long.exclude(base_version=_current())
    moved, talked = normal.filter(status="pending").exclude(base_version=_current()), waiting.filter(threads__gt=0)
    several = normal.filter(revision__number=2)
    pages = {
        "proposal": _pages("proposal", drafted),
        "proposal, by a person": _pages("proposal", waiting.filter(origin="person")),
        "proposal, side by side": _pages("proposal", drafted, "?view=side"),
        "proposal, full text": _pages("proposal", drafted, "?view=full"),
        "proposal, all lines": _pages("proposal", drafted, "?lines=all"),
        "proposal, with talks": _pages("proposal", talked),
        "proposal, from everyone's": _pages("proposal", drafted, "?queue=show%3Dopen%26sort%3Dimpact"),
        "proposal, base moved": _pages("proposal", moved),
        "proposal, approved": _pages("proposal", normal.filter(status="approved")),
        "proposal, rejected": _pages("proposal", normal.filter(status="rejected")),
        "proposal, 20 000 words": _pages("proposal", long_now),
        "proposal, 20 000 words, side by side": _pages("proposal", long_now, "?view=side"),
        "proposal, 20 000 words, full text": _pages("proposal", long_now, "?view=full"),
        "proposal, 20 000 words, all lines": _pages("proposal", long_now, "?lines=all"),
        "proposal, 20 000 words, base moved": _pages("proposal", long_moved),
        "amend": _pages("amend", waiting),
        "amend, 20 000 words": _pages("amend", long_now),
        "redraft": _pages("redraft", drafted),
        "redraft, 20 000 words": _pages("redraft", long_now.filter(origin="drafter")),
        "cases": _pages("cases", drafted),
    }
    pages["revision"] = [reverse("revision", args=[pk, 2]) for pk in _some(several.filter(status="pending"))]
    long_two = _some(long.filter(revision__number=2))
    pages["revision, 20 000 words"] = [reverse("revision", args=[pk, 2]) for pk in long_two]
    together = "&".join(f"id={pk}" for pk in waiting.filter(risk=1).values_list("pk", flat=True)[:20])
    return pages | {
        "together": [f"{reverse('together')}?{together}"],
        "together, done": [f"{reverse('together_done')}?{together}"],
    }


def _documents() -> Addresses:
    pages: Addresses = {}
    for title, slug, middle in (("1 000 versions", "document-0", 500), ("20 000 words", "document-1", 30)):
        args = ["support", slug]
        document = Document.objects.get(agent__slug="support", slug=slug)
        last = document.versions.count()
        home, compare, roll_back = (reverse(name, args=args) for name in ("document", "compare", "roll_back"))
        version, old = (reverse("version", args=[*args, number]) for number in (last, middle))
        pages |= {
            f"document, {title}": [home],
            f"document, {title}, page 2": [f"{home}?page=2"],
            f"version, {title}": [version, old],
            f"story, {title}": _pages("story", document.versions.filter(proposal__isnull=False)),
            f"blame, {title}": [f"{version}?view=blame", f"{old}?view=blame"],
            f"compare, {title}": [compare],
            f"compare, {title}, far apart": [f"{compare}?from=1&to={last}"],
            f"compare, {title}, side by side": [f"{compare}?from={middle}&to={last}&view=side"],
            f"compare, {title}, all lines": [f"{compare}?lines=all"],
            f"propose, {title}": [reverse("propose", args=args)],
            f"roll back, {title}": [f"{roll_back}?to={middle}"],
            f"download, {title}": [reverse("download", args=[*args, last])],
        }
    return pages


def _rest() -> Addresses:
    log, found = reverse("audit_log"), AuditEntry.objects.latest("sequence")
    patterns, some = reverse("patterns"), Pattern.objects.shown().order_by("-support")
    proposal = Proposal.objects.order_by("pk")[100].pk
    filters = {
        "": "",
        ", further back": "?before=30000",
        ", one agent": "?agent=travel",
        ", one document": "?document=document-3",
        ", one deed": "?verb=proposal.rejected",
        ", one proposal": f"?proposal={proposal}",
        ", who": "?actor=Person+7",
        ", who, nobody": "?actor=xyzzy",
        ", some days": "?since=2026-01-01&until=2026-02-01",
        ", text": "?text=refund",
        ", text, nothing": "?text=xyzzy",
    }
    return {
        "patterns": [patterns],
        "patterns, page 2": [f"{patterns}?page=2"],
        "patterns, all": [f"{patterns}?show=all"],
        "patterns, one agent": [f"{patterns}?agent=sales&kind=complaint"],
        "pattern, the largest": [reverse("pattern", args=[some[0].pk])],
        "pattern": _pages("pattern", some[100:]),
        "pattern, page 2": [reverse("pattern", args=[some[0].pk]) + "?page=2"],
        "pattern, one version": [reverse("pattern", args=[some[0].pk]) + "?version=7"],
        "candidates": _pages("candidates", some.filter(proposals__status="pending").distinct()),
        "why": [
            reverse("why", args=[one.pattern_id, one.pk]) for one in Evidence.objects.filter(pattern=some[0])[:SOME]
        ],
        "patterns, across agents": [f"{patterns}?show=across"],
        "pattern across agents": _pages("shared_pattern", SharedPattern.objects.all()),
        "rollouts": [reverse("rollouts")],
        "rollout": _pages("rollout", Rollout.objects.all()),
        "rollout plans": [reverse("rollout_plans")],
        "agents": [reverse("agents")],
        "agent": [reverse("agent", args=[slug]) for slug in ("support", "sales")],
        **{f"audit log{name}": [log + query] for name, query in filters.items()},
        "audit entry": [reverse("audit_entry", args=[(found.sequence or 9) - number]) for number in range(SOME)],
        "what ran then": [
            f"{reverse('ran_then')}?agent={slug}&unit=u&at=2026-02-01T10:42" for slug in ("support", "sales")
        ],
        "settings": [reverse("settings")],
        "policy": [reverse("policy")],
        "password": [reverse("account_change_password")],
        "signing in": [reverse("mfa_index")],
        "add an app": [reverse("mfa_activate_totp")],
        "add a passkey": [reverse("mfa_add_webauthn")],
        "new recovery codes": [reverse("mfa_generate_recovery_codes")],
    }


def _for_admins() -> Addresses:
    waiting = Proposal.objects.filter(status="pending", base_version=_current())
    section = Section.objects.select_related("document__agent").earliest("pk")
    place = [section.document.agent.slug, section.document.slug]
    return {
        "queue, admin": [reverse("queue")],
        "proposal, admin": _pages("proposal", waiting),
        "bypass": _pages("bypass", waiting),
        "traffic": [reverse("traffic", args=["support"])],
        "settings, admin": [reverse("settings")],
        "policy, admin": [reverse("policy")],
        "releases a day": [reverse("releases")],
        "rollout plans, admin": [reverse("rollout_plans")],
        "freeze": [reverse("freeze")],
        "erase": [reverse("erase")],
        "retention": [reverse("retention") + "?kind=feedback&days=30"],
        "notices": [reverse("notices")],
        "quoting": [reverse("quoting")],
        "sources": [reverse("sources")],
        "what starts by itself": [reverse("safe_rules", args=["support", "settings"])],
        "person": _pages("person", User.objects.all()),
        "new person": [reverse("new_person")],
        "new team": [reverse("new_team")],
        "team": _pages("team", Team.objects.all()),
        "agent's team": [reverse("agent_team", args=["support"])],
        "new key": [reverse("new_key", args=["support"])],
        "key": [reverse("key", args=[ApiKey.objects.latest("pk").prefix])],
        "what rests on a key": [reverse("taint", args=[ApiKey.objects.latest("pk").prefix])],
        "sections": [reverse("sections", args=place)],
        "sections, 20 000 words": [reverse("sections", args=["support", "document-1"])],
        "set password": [reverse("account_set_password")],
        "confirm": [reverse("account_reauthenticate")],
    }


def _current() -> Any:
    from django.db.models import F

    return F("document__current")


def _some(rows: "QuerySet[Any]") -> Sequence[int]:
    return list(rows.order_by().values_list("pk", flat=True).distinct()[:SOME])


def _pages(name: str, rows: "QuerySet[Any]", query: str = "") -> list[str]:
    keys = rows.values_list("pk", flat=True)[:SOME]
    return [reverse(name, args=[pk]) + query for pk in keys]
