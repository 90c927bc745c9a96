"""Which reports read like instructions to whoever reads them, instead of telling what happened. Pure; knows no Django.

It errs on the side of flagging: a flagged report still stands in the list and reviewers see it, it just does not help
to bring a draft about. What it misses cannot reach an instruction either, since drafts quote nobody by themselves.
"""

from typing import Final

import re2

from proposals.checking.checks import override_phrases

READ: Final = 4000
"""Characters of a report that are looked at."""

_ROLE = re2.compile(
    r"(?im)^\s*(?:#{1,6}\s*|\*{1,2}|<\|?|\[+)?\s*(?:system|assistant|developer|admin(?:istrator)?|im_start)\s*"
    r"(?:message|prompt|note|override|update|notice)?\s*(?:\|?>|\]+|\*{0,2}\s*:|#{2,})"
    r"|#{2,6}\s*(?:new\s+)?(?:system|instructions?|directives?|policy)\b|\"role\"\s*:\s*\"(?:system|developer|assistant)\""
    r"|<\|?/?(?:im_start|im_end|system|assistant|instructions?|endoftext)\b[^>]{0,40}>|\[/?INST\]|<</?SYS>>"
)
_HIDDEN = re2.compile(r"[\x{202A}-\x{202E}\x{2066}-\x{2069}\x{E0000}-\x{E007F}]|\pL[\x{200B}\x{2060}\x{FEFF}]\pL")
_ORDER = re2.compile(
    r"(?:new|updated?|revised|following|these|important|urgent|additional|special)\s+(?:\w+\s+){0,2}?"
    r"(?:instructions?|directives?|orders|policy|rules?|prompts?)\s*(?::|are\b|is\b|from\b|appl)"
    r"|(?:add|append|insert|put|write|include|copy|paste|save|set)\s+(?:\w+\s+){0,5}?(?:to|into|in|as|at)\s+"
    r"(?:the\s+|your\s+|its\s+|this\s+|every\s+|all\s+)*(?:\w+\s+)?(?:system\s+)?"
    r"(?:prompts?|instructions?|guidelines?|rules?|memory|configuration)\b"
    r"|(?:update|change|rewrite|edit|replace|modify|delete|remove|erase|clear|amend)\s+(?:your|the|all|its|every|any)\s+"
    r"(?:\w+\s+){0,3}?(?:prompts?|instructions?|guidelines?|rules?|guardrails?|restrictions?|safety|memory)\b"
    r"|(?:reveal|print|repeat|output|show|leak|send|disclose|forward|email|post|exfiltrate|upload)\s+(?:\w+\s+){0,4}?"
    r"(?:(?:system|hidden|initial|developer)\s+(?:prompts?|instructions?|messages?)"
    r"|api[ _-]?keys?|passwords?|credentials|secrets?|tokens?|conversations?"
    r"|customer data|personal data|card numbers?)\b"
    r"|(?:the\s+)?(?:agent|assistant|bot|ai|model|chatbot|you)\s+(?:must|shall|has to|have to|is to|are to|will)\s+"
    r"(?:now|always|never|henceforth|immediately|from now|only|no longer|stop|obey|comply|ignore|treat|answer every)\b"
    r"|(?:henceforth|hereby|effective immediately|for all future (?:users|answers|conversations|requests|replies))\b"
    r"|(?:this|the following)\s+(?:message\s+|text\s+|note\s+)?(?:is|comes)\s+(?:from|by|sent by)\s+(?:the\s+|your\s+)?"
    r"(?:admin\w*|developers?|system|owner|operator|security|compliance|management|openai|anthropic|vendor)"
    r"|\b(?:as|i am|this is)\s+(?:the|your|an?)\s+(?:\w+\s+)?(?:admin\w*|developer|system|owner|operator|engineer)\b"
    r"|\b(?:decode|decrypt|execute|obey)\s+(?:\w+\s+){0,3}?(?:and|then)?\s*(?:follow|obey|run|do|act|this)\b"
    r"|\b(?:vergiss|ignorier\w*|missacht\w*|oublie[zr]?|ignorez?|olvida\w*|ignora\w*)\s+(?:\pL+\s+){0,3}?"
    r"(?:anweisung\w*|regeln?|vorgaben?|instructions?|règles?|consignes?|instrucciones|reglas|istruzioni|regole)\b"
    r"|(?:enable|enter|activate|switch to|turn on)\s+(?:\w+\s+){0,2}?(?:mode|override|dan)\b|\bdo anything now\b"
    r"|(?:disable|turn off|deactivate|remove)\s+(?:\w+\s+){0,3}?"
    r"(?:filters?|safety|guardrails?|checks?|restrictions?|moderation|logging)\b"
)


def reads_like_instructions(text: str) -> bool:
    """Whether a report tries to tell an agent, or whoever writes for it, what to do."""
    read = text[:READ]
    if _ROLE.search(read) or _HIDDEN.search(read):
        return True
    flat = " ".join(read.lower().replace("’", "'").split())
    return bool(_ORDER.search(flat)) or bool(override_phrases(read))
