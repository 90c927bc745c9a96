"""What is told from one piece of a message, a run of characters without a blank: its words, marks and values.

Values are what is written like one, whatever the language or system: addresses, paths, digits, identifiers, true,
null. What is written as a word stays a word; whether it varies shows only beside other messages (see `closure`).
"""

from functools import lru_cache

import re2

PLACEHOLDER = "<*>"
VALUE = "\0"
"""Stands for a value inside a message while it is read; no cleaned text has this character."""
OPEN_KEY = "=\0"
"""An equals sign at the end of a piece: its value may be the next piece, or missing."""

_MARKS = '()[]{}<>,;|"`“”=:'
MARKS = frozenset(_MARKS)
"""These stand for themselves, each a token."""

_SPACED = str.maketrans({mark: f" {mark} " for mark in _MARKS})
_OPENING, _CLOSING = "([{<\"'`“", ")]}>\"'`”,;:.!?"
_EDGES = ".!?'*#~-+&%$@^/\\_"
_HEX = frozenset("0123456789abcdefABCDEF")
_LITERALS = frozenset(("true", "false", "null", "nil", "nan", "n/a"))
_MASKED = str.maketrans("123456789", "000000000")
"""With its digits masked, a piece is mostly one seen before."""
_CODE_MASKED = "000"
_NAMED_LIST = """
ipv4 ipv6 socks4 socks5 http2 http3 tls1.2 tls1.3 ssh1 ssh2 oauth1 oauth2 pop3 imap4 smb2 smb3 nfs3 nfs4 ext3
ext4 utf8 utf16 utf32 utf-8 utf-16 utf-32 latin1 latin-1 iso-8859-1 cp1252 base32 base64 md5 sha1 sha2 sha256
sha512 sha-1 sha-256 sha-512 crc32 aes128 aes256 ed25519 x509 x.509 rfc822 rfc2822 rfc3339 iso8601 x86 x64 x86_64
amd64 arm64 i386 i686 win32 win64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64
int4 bfloat16 s3 ec2 h264 h265 mp3 mp4 mpeg4 web3 log4j sqlite3 python2 python3 boto3 psycopg2 psycopg3 urllib3
jinja2 neo4j k8s i18n
"""
NAMED = frozenset(_NAMED_LIST.split())
"""Names that have a digit and are no numbers: "S3 upload failed" is not about some 3."""
_NAMED_MASKED = frozenset(name.translate(_MASKED) for name in NAMED)
_PAIRS = frozenset(("()", "[]", "{}", "<>"))
_CACHED_CHARS = 64
_COLONS = 3
"""So many stand in an address at least."""

_WHOLE = re2.compile(
    r"(?i)^(?:"
    + "|".join(
        (
            r"[a-z][a-z0-9+.-]*://\S+",  # address
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail
            r"[a-z][\w-]*(?:\.[\w-]+)+:\d+",  # host and port, file and line
            r"(?:[a-z]:\\|\\\\)\S*|\w[\w.-]*\\\S+",  # paths, of Windows first
            r"(?:~|\.{1,2})?/\S*\w\S*|\w[\w.-]*/[\w./-]*\.[\w./-]*\w",
            r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,}(?:%\w+)?",  # IPv6
            r"(?:[0-9a-f]{2}[:-]){3,}[0-9a-f]{2}",  # MAC
            r"(?:0x)?[0-9a-f]{8,}|[0-9a-f]+(?:-[0-9a-f]+){4,}",  # hexadecimal, also without a digit; UUID
        )
    )
    + ")$"
)
_LEADERS = re2.compile(r"\.{2,}|-{2,}|\*{2,}|#{2,}|~{2,}|…")
_LEADER_MARKS = ("..", "--", "**", "##", "~~", "…")
_INSIDE = re2.compile(r"(?i)([^0-9a-z])([0-9a-f]{1,4}(?:::?[0-9a-f]{1,4}){3,})($|[^0-9a-z])")
"""What may be an IPv6 or MAC address with something else around it, as in v6(en0-:2607:f140::cafe:1)."""
_NUMBER_IN_WORDS = re2.compile(r"[0-9a-zA-Z._-]*\p{Nd}[\p{Nd}a-zA-Z._-]*")  # where a script sets no blanks
_TELLING_LIST = "error err reason cause exception message msg type code desc description detail"
_TELLING = tuple(_TELLING_LIST.split())


def is_telling(key: str, value: str = "") -> bool:
    """Whether what stands behind this key names the error and is no mere value, as in reason=timeout, status=404."""
    key = key.lower().rstrip("_-. ")
    return key.endswith(_TELLING) or (key.endswith("status") and len(value) == 3 and value.isdigit())


def tokens(piece: str) -> tuple[str, ...]:
    """Words, marks, PLACEHOLDER for values, and status codes from 400 up as they stand; `piece` has no blanks."""
    if piece.isalpha():
        return (PLACEHOLDER if _is_value_word(piece) else piece,)
    found, is_sure = _cached(piece.translate(_MASKED)) if len(piece) <= _CACHED_CHARS else ((), False)
    if not is_sure:
        return _exact(piece) if len(piece) <= _CACHED_CHARS else _settled(piece)
    return found


@lru_cache(maxsize=1 << 15)
def _cached(masked: str) -> tuple[tuple[str, ...], bool]:
    """What a piece with its digits masked says, and whether any other digits would say the same."""
    found = _tokens(masked)
    return found, not any(map(_is_masked, found))


def _settled(piece: str) -> tuple[str, ...]:
    found = _tokens(piece)
    return tuple(PLACEHOLDER if _is_masked(token) and not _is_kept(token) else token for token in found)


_exact = lru_cache(maxsize=1 << 15)(_settled)


def _is_masked(token: str) -> bool:
    return token == _CODE_MASKED or token.lower().translate(_MASKED) in _NAMED_MASKED


def _is_kept(token: str) -> bool:
    """Whether a token stays though it has a digit: a status code from 400 up where one is meant, or a name."""
    return (len(token) == 3 and token.isdigit() and token[0] in "45") or token.lower() in NAMED


def _is_value_word(word: str) -> bool:
    return word.lower() in _LITERALS or word == "None" or (len(word) > 7 and _HEX.issuperset(word))


def _tokens(piece: str) -> tuple[str, ...]:
    if piece in ("=", ":="):
        return (OPEN_KEY,)
    if piece.rstrip(",.;:") in _PAIRS:  # nothing where elsewhere something is
        return (piece[0], PLACEHOLDER, *(mark for mark in piece[1:] if mark in MARKS))
    if not piece.strip(_EDGES):
        return (piece,)
    inner = piece.lstrip(_OPENING)
    before = piece[: len(piece) - len(inner)]
    inner = inner.rstrip(_CLOSING)
    if inner and not _is_protocol(inner) and _WHOLE.search(inner):
        after = piece[len(before) + len(inner) :]
        return (*filter(MARKS.__contains__, before), PLACEHOLDER, *filter(MARKS.__contains__, after))
    if piece.count(":") >= _COLONS:
        piece = _INSIDE.sub(_without_address, piece)
    return _split(piece.translate(_SPACED).split())


def _without_address(match: "re2._Match[str]") -> str:
    """What is told of an address inside a piece; of numbers alone, or of words alone, each counts for itself."""
    before, address, after = match.groups()
    has_digit, has_letter = any(map(str.isdigit, address)), any(map(str.isalpha, address))
    return f"{before}{VALUE}{after}" if has_digit and has_letter else match.group()


def _split(parts: list[str]) -> tuple[str, ...]:
    """Tokens of marks and what is between them; the value behind a key is one value, brackets and all."""
    found: list[str] = []
    at = 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if part == "=":
            at = _after_key(parts, at, found)
        elif part not in MARKS:
            found += _words(part)
        elif part not in "<>" or at != 1 or at == len(parts) or not parts[at][0].isdigit():  # "<1" is a number
            found.append(part)
    return tuple(found)


def _after_key(parts: list[str], at: int, found: list[str]) -> int:
    """Puts an equals sign and its value, which begins at `at`, into `found`; where to go on."""
    if at < len(parts) and (parts[at] == "=" or (parts[at] in MARKS and not found)):
        return at  # "==", "=>"
    if not found and at < len(parts):
        found.append(OPEN_KEY)
        return at
    if not found or found[-1] in MARKS:
        return at
    if at == len(parts):
        found.append(OPEN_KEY)
        return at
    if is_telling(found[-1], parts[at]):
        found.append("=")
        return at
    found += ("=", PLACEHOLDER)
    depth = 0
    while at < len(parts) and not (depth == 0 and parts[at] in ")]}>,;|"):
        depth += (parts[at] in "([{<") - (parts[at] in ")]}>")
        at += 1
    return at


def _words(part: str) -> tuple[str, ...]:
    """Tokens of what has neither blank nor mark: mostly one, several where dots or dashes lead from one to another."""
    part = part.strip(_EDGES)
    if part.isalpha():
        return (PLACEHOLDER if _is_value_word(part) else part,)
    if not part:
        return ()
    if VALUE in part or part.lower() in _LITERALS:
        return (PLACEHOLDER,)
    if any(mark in part for mark in _LEADER_MARKS):
        return tuple(word for piece in _LEADERS.split(part) for word in _words(piece))
    if _is_kept(part) or _is_masked(part):
        return (part,)
    if _is_protocol(part):
        return ("HTTP",)
    if _WHOLE.search(part):
        return (PLACEHOLDER,)
    if not any(map(str.isdigit, part)):
        return (part,)
    return (PLACEHOLDER,) if part.isascii() else _between_numbers(part)


def _is_protocol(part: str) -> bool:
    return part[:5].lower() == "http/"


def _between_numbers(part: str) -> tuple[str, ...]:
    words = _NUMBER_IN_WORDS.sub(f" {VALUE} ", part).split()
    return tuple(PLACEHOLDER if word == VALUE or any(map(str.isdigit, word)) else word for word in words)
