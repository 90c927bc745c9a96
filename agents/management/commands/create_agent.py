"""create_agent SLUG [--name NAME] [--document NAME=FILE …]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from agents.exceptions import AgentError
from agents.versions import create_agent
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Make an agent; each document's file becomes its version 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", type=_slug, help="its name in addresses, like support-agent")
        parser.add_argument("--name", default="", help="its name for people")
        parser.add_argument(
            "--document",
            action="append",
            default=[],
            type=_document,
            metavar="NAME=FILE",
            help="may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, documents = options["slug"], dict(options["document"])
        if len(documents) < len(options["document"]):
            raise CommandError("Each document needs a name of its own.")
        name = options["name"] or slug.replace("-", " ").capitalize()
        try:
            create_agent(slug, name=name, actor=COMMAND_LINE, documents=documents)
        except AgentError as error:
            raise CommandError(str(error)) from None
        count = f" with {len(documents)} document{'s' if len(documents) != 1 else ''}" if documents else ""
        self.stdout.write(f"Agent {slug} is made{count}.")


def _slug(value: str) -> str:
    try:
        validate_slug(value)
    except ValidationError:
        raise CommandError(f"“{value}” should be letters, digits, hyphens and underscores.") from None
    if len(value) > 80:
        raise CommandError("A name in addresses has at most 80 characters.")
    return value


def _document(value: str) -> tuple[str, str]:
    name, equals, path = value.partition("=")
    if not equals:
        raise CommandError(f"“{value}” should be NAME=FILE.")
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8 text.") from None
    if "\0" in text:
        raise CommandError(f"{path} contains a NUL character.")
    return _slug(name), text
