"""A small network that reads words in their company: arrays, and nothing but numpy to run them.

Each word is a bag of hashed features (its letters, its shape, what the lists know of it), which
gives a vector that depends on the word alone and is kept; layers of convolutions with growing
reach then read its neighbours. `packaging/ner/train.py` makes the arrays.
"""

from __future__ import annotations

import hashlib
import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.privacy.names.lexicon import flags_of
from rag.privacy.words import fold

Array = NDArray[np.float32]

ROWS = 32_768
LABELS = (
    "",
    "B-PERSON", "I-PERSON",
    "B-STREET_ADDRESS", "I-STREET_ADDRESS",
    "B-LOCATION", "I-LOCATION",
    "B-ORGANIZATION", "I-ORGANIZATION",
)  # fmt: skip
_MARKS = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f"
FILE = Path(__file__).parent / "model" / "weights.npz"

_TOKEN = re.compile(
    rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*(?:['’ʼ`´](?![sS]\b)[^\W\d_](?:[^\W\d_]|[{_MARKS}])*)*"
    r"|\d+|\n[^\S\n]*\n\s*|\n|_+|\ufffc+|[^\w\s]"
)
_LONGEST = 24  # letters of a word whose parts are features
_CHUNK = 1_024  # tokens read at once
_ROUND = 64  # rows of a product are filled up to its multiple: one result wherever a word stands
_KEPT = 60_000  # words whose vectors are kept


class Token(NamedTuple):
    """A token of a text: where it stands, its letters, and what is in front of it.

    Attributes:
        gap: 0 nothing, 1 one space, 2 more or a tab.
    """

    start: int
    end: int
    text: str
    gap: int


def tokens(text: str) -> list[Token]:
    """Return words, runs of digits, line breaks and signs in order.

    What is masked already stands as a run of object replacement characters: one sign, so that it
    does not matter how long the mask is.
    """
    found = []
    last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        gap = 0 if start == last else 1 if start == last + 1 and text[last] == " " else 2
        piece = match.group()
        if piece[0] in "\n\ufffc":
            piece = piece[0] if piece == "\n" or piece[0] != "\n" else "\n\n"
        found.append(Token(start, end, piece, gap))
        last = end
    return found


def shape(text: str) -> str:
    """Return a word's shape: Xxxx for Mary, XXXX for USA; runs are cut at four."""
    pieces: list[str] = []
    for letter in text[:_LONGEST]:
        kind = "d" if letter.isdigit() else "x" if letter.islower() else "X"
        if not letter.isalnum():
            kind = letter
        if len(pieces) < 4 or pieces[-4:] != [kind] * 4:
            pieces.append(kind)
    return "".join(pieces)


def features(text: str, gap: int, flags: int | None = None) -> tuple[list[int], list[int]]:
    """Return the rows of a token's features: of the word as a whole, and of its letters.

    Args:
        flags: What the lists know of it; None: look it up.
    """
    if text[0].isdigit():
        known = text if len(text) < 3 else ""
        whole = [f"d{len(text)}", f"w{known}", f"g{gap}d"]
        return [_row(one) for one in whole], [_row(f"z{text[0]}{len(text)}")]
    if not text[0].isalpha():
        return [_row(f"w{text[:2]}"), _row(f"g{gap}p")], [_row(f"s{text[:2]}")]
    folded = fold(text)[:_LONGEST]
    flags = flags_of(folded) if flags is None else flags
    form = shape(text)
    whole = [
        f"w{folded}",
        f"c{text[:_LONGEST]}",
        f"s{form}",
        f"f{flags}{form[:2]}",
        f"g{gap}{form[:1]}",
    ]
    marked = f"<{folded}>"
    parts = [marked[:n] for n in (3, 4, 5)] + ["$" + marked[-n:] for n in (3, 4, 5)]
    parts += [marked[place : place + 3] for place in range(1, len(marked) - 3)]
    return [_row(one) for one in whole], [_row("n" + one) for one in parts]


def _row(feature: str) -> int:
    return zlib.crc32(feature.encode("utf-8", "replace")) % ROWS


@dataclass(frozen=True)
class Tagger:
    """The network's arrays, and the vectors of words it has met.

    Attributes:
        arrays: By name: ``table`` (ROWS, width), ``embed.W``, ``embed.b``, ``embed.g``,
            ``embed.h``, the same for each layer ``0``, ``1``, …, ``reach`` (one for each layer),
            ``out.W``, ``out.b``.
    """

    arrays: dict[str, Array]
    _rows: dict[tuple[str, int], int] = field(default_factory=dict)
    _vectors: list[Array] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def reach(self) -> list[int]:
        return [int(one) for one in self.arrays["reach"]]

    def probabilities(self, texts: Sequence[Sequence[Token]]) -> list[Array]:
        """Return for each token of each text the probability of each of `LABELS`."""
        margin = sum(self.reach)
        pieces: list[Array] = []
        for text in texts:
            vectors = self._words(text)
            parts = [np.zeros((0, len(LABELS)), np.float32)]
            for start in range(0, len(text), _CHUNK):
                first = max(start - margin, 0)
                stop = min(start + _CHUNK, len(text))
                read = self._read(vectors[first : min(stop + margin, len(text))])
                parts.append(read[start - first : stop - first])
            pieces.append(np.concatenate(parts))
        return pieces

    def _words(self, text: Sequence[Token]) -> Array:
        with self._lock:
            if len(self._rows) > _KEPT:
                self._rows.clear()
                self._vectors.clear()
            rows = self._rows
            keys = [(token.text, token.gap) for token in text]
            fresh = list(dict.fromkeys(key for key in keys if key not in rows))
            if fresh:
                for key, vector in zip(fresh, self._embedded(fresh), strict=True):
                    rows[key] = len(self._vectors)
                    self._vectors.append(vector)
            width = self.arrays["table"].shape[1]
            found = [self._vectors[rows[key]] for key in keys]
        return np.array(found, np.float32).reshape(len(found), width)

    def _embedded(self, keys: Sequence[tuple[str, int]]) -> Array:
        table = self.arrays["table"]
        bags = np.empty((len(keys), table.shape[1]), np.float32)
        for place, key in enumerate(keys):
            whole, parts = features(*key)
            bags[place] = table[whole].sum(0) + table[parts].sum(0) * (len(parts) ** -0.5)
        return self._layer("embed", bags)

    def _layer(self, name: str, rows: Array) -> Array:
        arrays = self.arrays
        count = len(rows)
        full = np.zeros((-(-count // _ROUND) * _ROUND, rows.shape[1]), np.float32)
        full[:count] = rows
        mixed: Array = (full @ arrays[f"{name}.W"])[:count] + arrays[f"{name}.b"]
        half = mixed.shape[1] // 2
        best: Array = np.maximum(mixed[:, :half], mixed[:, half:])
        best -= best.mean(1, keepdims=True)
        best /= np.sqrt((best * best).mean(1, keepdims=True) + 1e-5)
        best *= arrays[f"{name}.g"]
        best += arrays[f"{name}.h"]
        return best

    def _read(self, vectors: Array) -> Array:
        state = vectors
        for name, reach in enumerate(self.reach):
            state = state + self._layer(str(name), beside(state, reach))
        scores: Array = state @ self.arrays["out.W"] + self.arrays["out.b"]
        scores -= scores.max(1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(1, keepdims=True)
        return scores


def beside(state: Array, reach: int) -> Array:
    """Put each row between those `reach` before and after it; nothing is beyond the edges."""
    count, width = state.shape
    wide = np.zeros((count, 3 * width), np.float32)
    wide[reach:, :width] = state[: max(count - reach, 0)]
    wide[:, width : 2 * width] = state
    wide[: max(count - reach, 0), 2 * width :] = state[reach:]
    return wide


@cache
def load() -> Tagger:
    """Load the model that comes with this package."""
    with np.load(FILE, allow_pickle=False) as stored:
        return Tagger({name: stored[name].astype(np.float32) for name in stored.files})


@cache
def digest() -> str:
    """Return the hash of the model's file: whatever changes the model changes it."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:16]
