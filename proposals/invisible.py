"""Characters a reader cannot see or cannot tell apart, made visible or refused.

    spans(text) -> list[str | Chip]           the text in pieces; joined (str(chip) is its character) it is the text
    Chip(code, name, char)                    code "U+202E", name "right-to-left override"
    problems(text) -> list[str]               one sentence per sort of finding, in order of appearance, at most MAX
    allowed_in_instructions(text) -> bool     whether a text may be served to an agent
"""
