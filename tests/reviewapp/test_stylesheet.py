"""The stylesheet keeps to its scales."""

import re

from django.conf import settings

SHEET = (settings.BASE_DIR / "static" / "countersign.css").read_text()
SCREEN, PAPER = SHEET.split("@media print {\n", 1)
ROOT = 14


def test_type_has_at_most_six_sizes_none_under_twelve_pixels() -> None:
    sizes = {name: float(size) * ROOT for name, size in re.findall(r"(--t-\w+): ([\d.]+)rem", SCREEN)}
    assert len(set(sizes.values())) <= 6
    assert min(sizes.values()) > 11.99
    written = re.findall(r"(?:font-size: |font: [^;{}]*?)((?:var\(--t-\w+\)|[\d.]+(?:rem|em|px)))", SCREEN)
    fingers = {"16px"}  # with a finger on a field, so that the browser does not zoom
    assert set(written) - {f"var({name})" for name in sizes} - fingers == {f"{ROOT}px"}


def test_space_is_in_steps_of_four_pixels() -> None:
    given = re.findall(r"(?:padding|margin|gap)[a-z-]*: ([^;{}]+)", SCREEN)
    pixels = {int(size) for value in given for size in re.findall(r"(?<![\w.])(\d+)px", value)}
    assert {size for size in pixels if size > 2 and size % 4} == set()
