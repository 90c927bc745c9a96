"""English words down to a common stem, and the words that carry little meaning."""

from functools import lru_cache

_STOP_WORDS = """
a about above after again all also always am an and any are as at back be because been before being both
but by came can cannot come could did do does doing done down each else even ever every few for from
further get gets getting give go goes going gone got had has have having he hello her here hers hey hi
him his how however i if in into is it its just kind let like made make makes many may maybe me might
mine more most much must my myself need needs never no nor not now of off ok okay on once one only or
other our out over own please put really said same say says see seem seems she should since so some
something still such sure take tell than thank thanks that the their them then there these they thing
things this those though through to too try trying under until up us use using very via want wanted
wants was way we well were what when where whether which while who whom whose why will with within
without would yes yet you your yours aren't can't couldn't didn't doesn't don't hadn't hasn't haven't
he's i'd i'll i'm i've isn't it's let's she's shouldn't that's there's they're wasn't we're weren't
what's won't wouldn't you're arent cant couldnt didnt doesnt dont hadnt hasnt havent id ill im isnt ive
lets thats theres theyre wasnt werent whats wont wouldnt youre help know tell show give explain possible
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_SUFFIXES = (
    ("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"),
    ("ingly", ""), ("edly", ""), ("ation", "at"), ("ations", "at"), ("ition", "it"),
    ("ment", ""), ("ments", ""), ("ness", ""), ("able", ""), ("ible", ""),
    ("ing", ""), ("ied", "y"), ("ed", ""), ("er", ""), ("ers", ""), ("ly", ""), ("al", ""),
)  # fmt: skip
_BY_LENGTH = tuple(sorted(_SUFFIXES, key=lambda pair: -len(pair[0])))


def is_content(word: str) -> bool:
    """Whether a lower-case word says what a text is about: no stop word and no lone letter."""
    return word not in STOP_WORDS and (len(word) > 1 or word.isdigit() or not word.isascii())


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """A lower-case word without its English ending: "refunded", "refunds", "refunding" are all "refund".

    Light on purpose: at most one plural and one other ending go, and at least three letters stay.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word[-1] == "s" and word[-2] not in "su" and not word.endswith(("ies", "sses", "ches", "shes", "xes")):
        word = word[:-1]
    for ending, new in _BY_LENGTH:
        if word.endswith(ending) and len(word) - len(ending) + len(new) >= 3:
            word = word[: -len(ending)] + new
            break
    return _trim(word)


def _trim(word: str) -> str:
    """Undoes doubling ("cancell" → "cancel") and the silent e ("charge" → "charg", as of "charging")."""
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiousz":
        return word[:-1]
    if len(word) > 3 and word[-1] == "e":
        return word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word[-1] == "y" else word
