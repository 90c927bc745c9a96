"""What a decision is bound to."""

import hashlib
from collections.abc import Iterable


def decision_digest(*, base_sha256: str, text: str, protected: Iterable[str]) -> str:
    """Hex SHA-256 over the base version, the full resulting text and the set of protected headings.

    Each part is hashed before it is joined, so that no part can run into the next.
    """
    parts = [base_sha256, text, "\n".join(sorted(protected))]
    return hashlib.sha256(b"".join(hashlib.sha256(part.encode()).digest() for part in parts)).hexdigest()
