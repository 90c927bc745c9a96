"""Imports go audit <- people <- notices <- agents <- feedback <- proposals <- reviewapp, and never back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["audit", "people", "notices", "agents", "feedback", "proposals", "reviewapp"]


def modules(app: str) -> list[Path]:
    return [path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", ORDER)
def test_an_app_imports_only_those_below_it(app: str) -> None:
    above = set(ORDER[ORDER.index(app) + 1 :])
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(app)
        for name in imported(path)
        if name.split(".")[0] in above
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "pure",
    [
        "feedback/mining",
        "feedback/health",
        "proposals/diffs",
        "proposals/drafting",
        "proposals/judging",
        "proposals/rules",
        "proposals/checking",
        "proposals/safe",
    ],
)
def test_algorithms_know_no_django(pure: str) -> None:
    wrong = [f"{path}: {name}" for path in modules(pure) for name in imported(path) if name.split(".")[0] == "django"]
    assert wrong == []


def test_patterns_over_untrusted_text_run_in_re2_only() -> None:
    paths = [path for app in ORDER for path in modules(app)]
    assert [str(path) for path in paths if "re" in set(imported(path))] == []


FOLDERS = [
    "diffs",
    "judging",
    "rules",
    "checking",
    "drafting",
    "safe",
    "models",
    "authority",
    "status",
    "grounds",
    "rollouts",
    "queue",
    "actions",
    "forms",
    "reviewing",
    "provenance",
    "api",
    "views",
]
"""Those of proposals, from the ground up."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_proposals_imports_only_those_below_it(folder: str) -> None:
    above = {f"proposals.{name}" for name in [*FOLDERS[FOLDERS.index(folder) + 1 :], "tasks", "urls", "apps"]}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(f"proposals/{folder}")
        for name in imported(path)
        if ".".join(name.split(".")[:2]) in above
    ]
    assert wrong == []


def test_every_folder_of_proposals_has_its_place() -> None:
    found = {path.parent.name for path in (ROOT / "proposals").glob("*/__init__.py")}
    assert found - {"management", "migrations"} == set(FOLDERS)
