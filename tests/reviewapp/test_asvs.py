"""The checklist of OWASP ASVS: what it names is there, and it counts itself right."""

from collections import Counter
from typing import Final, NamedTuple

import re2
from django.conf import settings

PAGE: Final = settings.BASE_DIR / "docs" / "asvs.md"
ANSWERS: Final = ("holds", "holds in part", "does not hold", "not applicable")
OF_BOTH_LEVELS: Final = 253
"""As many has ASVS 5.0.0 of levels 1 and 2."""


class Row(NamedTuple):
    """One line of a table; `numbers` are of requirements, `is_third` says whether they are of level 3."""

    numbers: list[str]
    is_third: bool
    answer: str
    where: list[str]


def rows() -> list[Row]:
    lines = [line for line in PAGE.read_text().splitlines() if re2.match(r"\| \d", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        Row(
            re2.findall(r"\d+\.\d+\.\d+", ids), "(3)" in ids, answer.partition(":")[0], re2.findall(r"`([^`]+)`", where)
        )
        for ids, _, answer, where in cells
    ]


def test_every_answer_is_one_of_four_and_names_files_that_are_there() -> None:
    for row in rows():
        assert row.answer in ANSWERS, row
        assert row.where, row
        assert [name for name in row.where if not (settings.BASE_DIR / name).is_file()] == [], row


def test_each_requirement_is_answered_once() -> None:
    times = Counter(number for row in rows() for number in row.numbers)
    assert [number for number, many in times.items() if many > 1] == []


def test_the_counts_at_the_top_are_those_of_the_tables() -> None:
    answered = [(row.is_third, row.answer) for row in rows() for _ in row.numbers]
    third = sum(is_third for is_third, _ in answered)
    of = Counter(answer for is_third, answer in answered if not is_third)
    assert (
        f"{of.total()} of {OF_BOTH_LEVELS} requirements of levels 1 and 2 are answered here, and {third} of level 3. "
        f"Of the {of.total()}, {of['holds']} hold, {of['holds in part']} hold in part, {of['does not hold']} do not "
        f"hold, and {of['not applicable']} are not applicable."
    ) in PAGE.read_text()
