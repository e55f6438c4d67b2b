"""How well texts fit a question, word piece by word piece, with the embedded model.

Late interaction (ColBERT: Khattab, Zaharia, SIGIR 2020): each piece of the question finds its
nearest piece in the text, in context. The vectors are the embedding model's own before pooling, so
nothing is trained here and nothing further is shipped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.masked import Masked, require
from rag.models import embedded
from rag.models.engine import Engine

if TYPE_CHECKING:
    import numpy

_STOP = frozenset(
    re.findall(
        r"\w+",
        """a about an and are as at be been by can could did do does for from had has have how i if
        in into is it its many me much my of on or our should some than that the their them there
        these they this to us was we were what when where which who whom whose why will with would
        you your""",
    )
)


def scores(question: Masked, texts: Sequence[Masked]) -> numpy.ndarray:
    """Score each text for the question; see `compared`."""
    return compared(question, texts)[0]


def compared(question: Masked, texts: Sequence[Masked]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Score each text for the question, and compare them as wholes, in one reading.

    Returns: Scores and cosines of the pooled vectors: float32 of shape (texts,), -1 to 1, more is
    nearer.

    Pieces of the question weigh the more, the fewer of `texts` have them; so scores compare texts
    of one call, not of different calls. A text of no pieces scores -1.

    Raises:
        NotMasked: Something may not be sent to a model.
    """
    import numpy

    for text in (question, *texts):
        require(text, "The pair model")
    found = numpy.full(len(texts), -1.0, numpy.float32)
    if not texts:
        return found, found.copy()
    (pieces, asked, whole), *read = _vectors([question, *texts])
    cosines = numpy.stack([pooled for _, _, pooled in read]) @ whole
    kept = [place for place, piece in enumerate(pieces) if piece[:1] in "#" or piece[:1].isalnum()]
    telling = [place for place in kept if pieces[place] not in _STOP] or kept
    if not telling:
        return found, cosines
    held = Counter(piece for own, _, _ in read for piece in set(own))
    weights = numpy.array(
        [math.log(1 + (len(texts) + 1) / (held[pieces[place]] + 0.5)) for place in telling],
        numpy.float32,
    )
    weights /= weights.sum()
    for at, (own, vectors, _) in enumerate(read):
        if own:
            found[at] = weights @ (asked[telling] @ vectors.T).max(axis=1)
    return found, cosines


def _vectors(texts: Sequence[Masked]) -> list[tuple[list[str], Any, Any]]:
    """Pieces of each text, their vectors (pieces, dimensions), and the text's (dimensions,).

    All float32 and L2-normalised; the text's is pooled as `rag.models.embedded` does.
    """
    encoded = embedded.whole().encode_batch(list(texts))
    read: dict[int, tuple[list[str], Any, Any]] = {}
    made = embedded.fed([one.ids for one in encoded])
    for batch, hidden in _engine.outputs(made):
        for row, place in enumerate(batch):
            end = len(encoded[place].ids)
            inner = slice(1, end - 1)  # without [CLS] and [SEP]
            pooled = hidden[row, :end].sum(axis=0)
            read[place] = (
                encoded[place].tokens[inner],
                _unit(hidden[row, inner]),
                _unit(pooled),
            )
    return [read[place] for place in range(len(texts))]


def _unit(vectors: Any) -> Any:
    import numpy

    lengths = numpy.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / numpy.maximum(lengths, 1e-9)


_engine = Engine(embedded.tokenwise)
