"""What the drafter can say, word for word: `{about}` and its like are slots."""

# reason code → (rule, title, the same without a topic or None, hints)
COMPLAINTS: dict[str, tuple[str, str, tuple[str, str] | None, tuple[str, ...]]] = {
    "wrong": (
        "For {about}, look up what applies in this case before you answer or act; if you find nothing, say so.",
        "Look up what applies to {topic}", None, ("facts", "accuracy", "answers"),
    ),
    "outdated": (
        "For {about}, look up the current state before you answer or act; what you know may be out of date.",
        "Use current information on {topic}", None, ("facts", "accuracy", "answers"),
    ),
    "unsafe": (
        "For {about}, leave out anything that could do harm, and name a person who can help.",
        "Take more care with {topic}", None, ("escalation", "care"),
    ),
    "incomplete": (
        "For {about}, cover every part of the request, and name the next step.",
        "Give complete answers on {topic}",
        ("Answer every part of a question, and name the next step.", "Give complete answers"),
        ("answers", "style", "format"),
    ),
    "too_long": (
        "For {about}, give the answer first, in a few sentences; add detail only when asked.",
        "Be brief about {topic}",
        ("Give the answer first, in a few sentences; add detail only when asked.", "Keep answers short"),
        ("tone", "style", "length", "format", "answers"),
    ),
    "too_short": (
        "For {about}, explain the steps and the reason, not only the result.",
        "Explain more about {topic}",
        ("Explain the steps and the reason, not only the result.", "Explain answers more fully"),
        ("tone", "style", "length", "format", "answers"),
    ),
    "style": (
        "For {about}, use plain, friendly words, no set phrases, and no more words than needed.",
        "Use plain words for {topic}",
        ("Use plain, friendly words and no set phrases.", "Use plain words"),
        ("tone", "style", "voice", "language"),
    ),
    "format": (
        "For {about}, keep to the format that was asked for, and put steps in a short list.",
        "Keep to the requested format for {topic}",
        ("Keep to the format that was asked for, and put steps in a short list.", "Keep to the requested format"),
        ("format", "output", "style", "answers"),
    ),
    "wrong_tool": (
        "For {about}, decide which tool fits the request before you call one.",
        "Choose the right tool for {topic}",
        ("Decide which tool fits the request before you call one.", "Choose the tool that fits the request"),
        ("tools", "functions", "actions"),
    ),
    "slow": (
        "For {about}, take as few steps as the answer needs; look nothing up twice.",
        "Take fewer steps for {topic}",
        ("Take as few steps as the answer needs; look nothing up twice.", "Answer in fewer steps"),
        ("tools", "steps", "limits"),
    ),
    "refused": (
        "For {about}, help as far as your rules allow, and say what you cannot do and who can.",
        "Help with {topic} as far as the rules allow", None, ("scope", "escalation", "limits"),
    ),
    "other": (
        "For {about}, say plainly what you can do and what you cannot, and name who can help further.",
        "Say what can be done about {topic}", None, ("scope", "escalation", "answers", "questions"),
    ),
}  # fmt: skip

LESS = ("Do without {about} wherever you can.", "Do without {topic}", ("tone", "style", "length", "format", "answers"))
"""For complaints that there is too much of what they are about."""

GIVEN = (
    "Before you give out {about}, check that what you give still works; if it does not, or you cannot tell, say so and "
    "name another way.",
    "Check before you give out {topic}",
    ("answers", "accuracy", "facts"),
)
"""For complaints that what was given, a link or a code, did not work."""
_HANDED_OUT = """
    link links url urls code codes voucher vouchers coupon coupons token tokens form forms download downloads attachment
    attachments address addresses number numbers document documents file files
"""
HANDED_OUT = frozenset(_HANDED_OUT.split())
"""Things that an answer gives to people, and that may work no more."""
DEAD = frozenset({"dead", "broken", "expired", "expires", "expire", "invalid", "stale", "revoked", "defunct"})
DEAD_PAIRS = frozenset({
    ("no", "longer"), ("not", "work"), ("not", "working"), ("not", "open"), ("not", "valid"), ("doesn't", "work"),
    ("doesnt", "work"), ("don't", "work"), ("dont", "work"), ("doesn't", "open"), ("doesnt", "open"),
    ("isn't", "valid"), ("too", "old"), ("leads", "nowhere"), ("never", "works"), ("never", "worked"),
    ("stopped", "working"), ("didn't", "work"), ("didnt", "work"),
})  # fmt: skip
"""Words, and words side by side, that say so of it."""

LANGUAGE = (
    "Answer in the language in which you were asked.",
    "Answer in the language of the request",
    ("language", "tone", "style", "format"),
)
_NAMES = """
    arabic bengali bulgarian catalan chinese croatian czech danish dutch english estonian finnish french german greek
    hebrew hindi hungarian indonesian irish italian japanese korean latvian lithuanian malay mandarin norwegian persian
    polish portuguese romanian russian serbian slovak slovenian spanish swahili swedish thai turkish ukrainian urdu
    vietnamese welsh language languages
"""
LANGUAGES = frozenset(_NAMES.split())
"""Complaints about one of these and no more, or two, are about the language of an answer."""

ERROR_HINTS = (
    "tools", "errors", "failures", "limits", "functions",
    "troubleshooting", "retries", "recovery", "fallback",
)  # fmt: skip

# error class → (rule, title)
ERRORS: dict[str, tuple[str, str]] = {
    "rate_limit": (
        "When a service says that you call it too often, wait before you try again, and try at most three times.",
        "Wait before calling a limited service again",
    ),
    "timeout": (
        "When a call takes too long, try once more with a smaller request; if that fails too, say what is missing.",
        "Try a smaller request after a timeout",
    ),
    "empty_response": (
        "When a tool returns nothing, do not guess: try once more, then say that there was no result.",
        "Say so when a tool returns nothing",
    ),
    "context_loss": (
        "When a conversation gets long, sum up what was agreed before you go on, and pass on only what is needed.",
        "Sum up long conversations before going on",
    ),
    "session_reset": (
        "When a session is lost, go on from the last confirmed step, and do not repeat what was already done.",
        "Go on from the last confirmed step after a lost session",
    ),
    "model_fallback": (
        "When a model is not available, say so, and do not promise what its replacement may not be able to do.",
        "Say so when a model is not available",
    ),
    "missing_tool": (
        "Call only tools you were given, by their exact names; if none of them fits, say so.",
        "Call only tools that exist",
    ),
    "tool_error": (
        "When a tool fails, read its message, correct the request and try once more; then say what went wrong.",
        "Correct the request when a tool fails",
    ),
    "auth": (
        "When access is refused, do not try again with other credentials: say which permission is missing, and stop.",
        "Stop and say so when access is refused",
    ),
    "validation": (
        "Before you call a tool, check that every required field is there and of the right type.",
        "Check required fields before calling a tool",
    ),
    "content_filter": (
        "When a filter holds an answer back, say so and offer what you can say instead; do not try to get around it.",
        "Say so when a filter holds an answer back",
    ),
    "unavailable": (
        "When a service cannot be reached, try once more; if that fails too, say which one, and what you could not do.",
        "Say which service cannot be reached",
    ),
    "not_found": (
        "When something is not found, check its name or number and ask for it again; do not make up what it would say.",
        "Check the name when something is not found",
    ),
    "out_of_resources": (
        "When memory or space runs out, do the work in smaller parts, and say so if a part is still too large.",
        "Work in smaller parts when memory or space runs out",
    ),
}

_LOOKED_UP = """
    window deadline date dates price prices fee fees limit limits policy policies version versions address rate
    rates hours status balance period allowance plan plans rules terms cost costs charge charges number term
    stock availability schedule
"""
CHECKABLE = frozenset(_LOOKED_UP.split())
"""Things with one right value that can be looked up; a topic that ends in one says what to check."""
