"""Made-up instructions and reports: words as frequent, and lines as long, as in real ones."""

from itertools import accumulate
from random import Random

_ONSETS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io", "ou")
_ENDS = ("", "l", "n", "nd", "r", "rm", "s", "st", "t", "ng", "ck")
VOCABULARY = 5_000
WORDS_A_LINE = (6, 20)
LINES_A_SECTION = 12


class Writer:
    """Writes the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._words = ["the", "of", "to", "and", "a", "in", "is", "for", "not", "you", "never", "order", "refund"]
        self._words += [self._word() for _ in range(VOCABULARY)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))  # as Zipf found them

    def _word(self) -> str:
        pick = self.random.choice
        return "".join(pick(_ONSETS) + pick(_VOWELS) + pick(_ENDS) for _ in range(self.random.randint(1, 3)))

    def sentence(self, words: int = 0) -> str:
        """With a capital and a full stop."""
        said = self.random.choices(
            self._words, cum_weights=self._weights, k=words or self.random.randint(*WORDS_A_LINE)
        )
        return " ".join(said).capitalize() + "."

    def prompt(self, words: int) -> str:
        """Instructions of about so many words, in sections of list items; the last one is called Safety."""
        written, sections = 0, ["# Instructions\n"]
        while written < words:
            items = [f"- {self.sentence()}\n" for _ in range(LINES_A_SECTION)]
            written += sum(len(item.split()) for item in items)
            sections.append(f"## {self.sentence(3)[:-1]} {len(sections)}\n\n" + "".join(items))
        return "\n".join([*sections, "## Safety\n\n- Never ask for card numbers.\n"])

    def edited(self, text: str, changes: int = 1) -> str:
        """The text with as many list items reworded, or all of fewer; now and then one more. Without any, as it is."""
        lines = text.splitlines(keepends=True)
        items = [number for number, line in enumerate(lines) if line.startswith("- ") and "card" not in line]
        for number in self.random.sample(items, min(changes, len(items))):
            words = lines[number].split()
            words[self.random.randrange(1, len(words) - 1)] = self.random.choice(self._words)
            lines[number] = " ".join(words) + "\n"
        if items and self.random.random() < 0.2:
            lines.insert(items[-1], f"- {self.sentence()}\n")
        return "".join(lines)
