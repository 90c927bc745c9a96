"""How numbers are said, in sentences and on pages: thousands set apart by commas, nouns in the right form."""

import math


def number(value: float, digits: int = 0) -> str:
    """`1234.5` → “1,234”; at most so many digits behind the point, a trailing zero left out."""
    said = f"{value:,.{digits}f}"
    return said.rstrip("0").rstrip(".") if digits else said


def counted(count: int, noun: str) -> str:
    """`3, "report"` → “3 reports”; give both forms as “person,people” where an s is not enough."""
    one, _, many = noun.partition(",")
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def percent(share: float, digits: int = 0) -> str:
    """A share of one in percent: “12 %”, the two never on different lines."""
    return f"{share * 100:.{digits}f}\u00a0%"


def share(value: float) -> str:
    """A share of one as percent with two digits that say something: “12 %”, “0.43 %”, “0.0021 %”."""
    of_hundred = value * 100
    digits = 0 if of_hundred >= 10 or not of_hundred else max(0, 1 - math.floor(math.log10(of_hundred)))
    return percent(value, min(digits, 6))
