"""The list of cryptography names what is there, and nothing that computes with it is missing from it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import re2
from django.conf import settings

from tests.test_imports import ORDER, imported, modules

PAGE: Final = settings.BASE_DIR / "docs" / "cryptography.md"
LIBRARIES: Final = {"cryptography", "hashlib", "hmac", "jwt", "secrets", "sesame", "ssl", "zlib"}
PARTS: Final = ("django.core.signing", "django.utils.crypto", "allauth.socialaccount.internal.jwtkit")
MADE_UP: Final = ("reviewapp/sample", "reviewapp/demo", "reviewapp/management/commands/demo_agent.py")


def named() -> set[str]:
    return {name for name in re2.findall(r"`([^`]+)`", PAGE.read_text()) if "/" in name}


def named_beside(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def computing() -> Iterator[Path]:
    for path in (path for app in ORDER for path in modules(app)):
        if any(name.split(".")[0] in LIBRARIES or name.startswith(PARTS) for name in imported(path)):
            yield path


def test_what_the_list_names_is_there() -> None:
    assert [name for name in named() if not (settings.BASE_DIR / name).is_file()] == []


def test_all_that_computes_with_it_is_on_the_list() -> None:
    found = {named_beside(path) for path in computing()}
    assert len(found) > 25
    assert found - named() == set()


def test_what_is_random_without_being_secret_makes_sample_data_only() -> None:
    using = [named_beside(path) for app in ORDER for path in modules(app) if "random" in set(imported(path))]
    assert [name for name in using if not name.startswith(MADE_UP)] == []


def test_the_algorithms_of_tokens_are_all_asymmetric() -> None:
    from people.oidc import ALGORITHMS

    assert {name[:2] for name in ALGORITHMS} == {"RS", "PS", "ES", "Ed"}


def test_no_weak_hash_is_used_for_safety() -> None:
    weak = [
        (named_beside(path), node.attr)
        for path in computing()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("md5", "sha1")
    ]
    assert weak == [("agents/spending.py", "sha1")]
