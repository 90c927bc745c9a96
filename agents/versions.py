"""The only creator of agents, documents and versions."""

import hashlib
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.exceptions import BadText, BaseMoved, NameTaken
from agents.history import carried
from agents.models import Agent, Document, Release, Version
from agents.names import clean_name
from agents.sections import lines_of
from agents.texts import clean_text
from audit.record import Actor, record


def sha256(text: str) -> str:
    """Hex SHA-256 of the UTF-8 text: what a version is known and served by."""
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def create_agent(slug: str, *, name: str, actor: Actor, documents: Mapping[str, str] | None = None) -> Agent:
    """Make an agent with its first documents (slug → text). Raises NameTaken, BadName, BadText."""
    name = clean_name(name)
    try:
        with transaction.atomic():
            agent = Agent.objects.create(slug=slug, name=name)
    except IntegrityError:
        raise NameTaken(f"There is an agent called {slug} already.") from None
    record("agent.created", actor=actor, target=agent, agent=slug, after={"name": name})
    for document, text in (documents or {}).items():
        try:
            create_document(agent, document, text=text, actor=actor)
        except BadText as bad:
            raise BadText(f"{document}: {bad}") from None
    return agent


@transaction.atomic
def create_document(
    agent: Agent,
    slug: str,
    *,
    text: str,
    actor: Actor,
    name: str = "",
    kind: str = Document.Kind.PROMPT,
) -> Document:
    """Make a document whose first version is current at once. Raises NameTaken, BadName, BadText."""
    text = clean_text(text)
    name = clean_name(name) or slug.replace("-", " ").capitalize()
    try:
        with transaction.atomic():
            document = Document.objects.create(agent=agent, slug=slug, name=name, kind=kind)
    except IntegrityError:
        raise NameTaken(f"{agent} has a document called {slug} already.") from None
    version = _create_version(document, text, parent=None, origin=Version.Origin.INITIAL, actor=actor)
    _make_current(document, version, expected=None, actor=actor, reason="")
    _record(document, "document.created", version, None, actor, proposal=None)
    return document


@transaction.atomic
def publish(document: Document, text: str, *, base: Version, actor: Actor, proposal: int, reason: str = "") -> Version:
    """Make the approved text a new version and make it current. Raises BaseMoved if `base` is no longer current."""
    version = _create_version(document, text, parent=base, origin=Version.Origin.PROPOSAL, actor=actor)
    _make_current(document, version, expected=base, actor=actor, reason=reason)
    _record(document, "version.published", version, base, actor, proposal=proposal)
    return version


@transaction.atomic
def register(document: Document, text: str, *, base: Version, actor: Actor, proposal: int) -> Version:
    """Make the approved text a new version that is not current: a candidate, to be served to some.

    Raises BaseMoved if `base` is no longer current.
    """
    version = _create_version(document, text, parent=base, origin=Version.Origin.PROPOSAL, actor=actor)
    if not Document.objects.filter(pk=document.pk, current=base).exists():
        raise BaseMoved("Another version became current meanwhile.")
    _record(document, "version.registered", version, base, actor, proposal=proposal)
    return version


@transaction.atomic
def promote(candidate: Version, *, base: Version, actor: Actor, proposal: int, reason: str = "") -> None:
    """Make a registered candidate current. Raises BaseMoved if `base`, which it was made from, is no longer current."""
    document = candidate.document
    lock_document(document.pk)
    _make_current(document, candidate, expected=base, actor=actor, reason=reason)
    _record(document, "version.published", candidate, base, actor, proposal=proposal)


@transaction.atomic
def restore(document: Document, target: Version, *, base: Version, actor: Actor, reason: str) -> Version:
    """Publish the text of an older version as a new one, current at once. Raises BaseMoved."""
    version = _create_version(
        document, target.text, parent=base, origin=Version.Origin.ROLLBACK, actor=actor, restores=target
    )
    _make_current(document, version, expected=base, actor=actor, reason=reason)
    _record(
        document,
        "version.restored",
        version,
        base,
        actor,
        proposal=None,
        restores=target.number,
        reason=reason,
    )
    return version


def lock_document(document_id: int) -> None:
    """Lock the document until the transaction ends: what is proposed, protected and published waits in one line.

    Locks are taken in this order everywhere: proposal, document, pattern.
    """
    Document.objects.select_for_update(no_key=True).values_list("pk").get(pk=document_id)


def lock_documents(agent_id: int) -> None:
    """Lock all documents of an agent, always in one order: what is drafted and let out for it waits in one line.

    Two drafters would not see each other's draft of the same change, nor two approvals each other's release.
    """
    documents = Document.objects.select_for_update(no_key=True).filter(agent=agent_id).order_by("pk")
    list(documents.values_list("pk"))


def _create_version(
    document: Document,
    text: str,
    *,
    parent: Version | None,
    origin: Version.Origin,
    actor: Actor,
    restores: Version | None = None,
) -> Version:
    # The row lock gives numbers without gaps; whoever comes second sees the first one's version and its pointer.
    lock_document(document.pk)
    last = document.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return Version.objects.create(
        document=document,
        number=last + 1,
        text=text,
        sha256=sha256(text),
        parent=parent,
        origin=origin,
        restores=restores,
        created_by=actor.label,
        line_versions=_line_versions(text, last + 1, restores or parent),
    )


def _line_versions(text: str, number: int, earlier: Version | None) -> list[int]:
    """Who brought each line, kept with the version so that nobody has to walk the history. A restored text keeps the
    owners it had: whoever rolls back wrote none of it.
    """
    lines = lines_of(text)
    if earlier is None:
        return [number] * len(lines)
    return carried(lines_of(earlier.text), lines, earlier.line_versions, number)


def _make_current(document: Document, version: Version, *, expected: Version | None, actor: Actor, reason: str) -> None:
    moved = Document.objects.filter(pk=document.pk, current=expected).update(current=version)
    if moved != 1:
        raise BaseMoved("Another version became current meanwhile.")
    document.current = version
    Release.objects.create(document=document, version=version, at=timezone.now(), by=actor.label, reason=reason)


def _record(
    document: Document,
    verb: str,
    version: Version,
    base: Version | None,
    actor: Actor,
    *,
    proposal: int | None,
    **more: object,
) -> None:
    record(
        verb,
        actor=actor,
        target=version,
        agent=document.agent.slug,
        document=document.slug,
        proposal=proposal,
        before={"version": base.number, "sha256": base.sha256} if base else None,
        after={"version": version.number, "sha256": version.sha256, **more},
    )
