"""Answers that were given lately, for questions that ask the same in other words.

Off unless the corpus file says ``answer: {cache: {seconds: 3600}}``. An answer is given again only
to somebody of exactly the same rights, over the same documents at the same state of the index,
under the same configuration. All of it is masked, and it lives in this process's memory.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from rag.privacy.pseudonym import MASK
from rag.sentences import split

if TYPE_CHECKING:
    from rag.answer import Sentence
    from rag.asking.way import Way
    from rag.config import AnswerCache
    from rag.ingest.context import Context
    from rag.masked import Masked
    from rag.records import Answer, Hit
    from rag.retrieve.pack import Packed

MOST = 512
"""Answers that a process keeps of a corpus."""

_WORD = re.compile(rf"{MASK.pattern}|\w+(?:['’]\w+)?")
_TURNS = frozenset(
    _WORD.findall(
        """not no nor never none nobody nothing neither without cannot except unless
    who whom whose when where why how which many much often long
    before after until since during over under above below between more less most least fewer
    minimum maximum min max first last latest earliest next previous oldest newest
    increase decrease rise fall gain loss start end begin stop open close allowed forbidden
    enable disable include exclude buy sell hire fire accept reject only all any every each
    he she him her his hers they their we our my your i you"""
    )
)
"""Words that turn a question into another one that its vector is near to."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was given, and what it was made from."""

    question: Masked
    vector: Any
    until: float
    answer: Answer
    hits: Sequence[Hit]
    packed: Packed
    said: Sequence[Sentence]


class Remembered:
    """Answers of one corpus. Threads may share it.

    Args:
        settings: How long, and how near two questions must be.
    """

    def __init__(self, settings: AnswerCache) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._given: OrderedDict[tuple[str, Masked], Given] = OrderedDict()

    def find(self, way: Way) -> Given | None:
        """Return what answers this question within these rights, or None."""
        key = situation(way)
        if key is None:
            return None
        now = time.monotonic()
        with self._lock:
            for one in [place for place, given in self._given.items() if given.until < now]:
                del self._given[one]
            there = [given for (place, _), given in self._given.items() if place == key]
        alike = [one for one in there if asks_the_same(one.question, way.question)]
        if not alike:
            return None
        vector = _vector(way)
        nearest = max(alike, key=lambda one: float(one.vector @ vector))
        near = float(nearest.vector @ vector) >= self._settings.similarity
        return nearest if near else None

    def keep(self, way: Way, answer: Answer) -> None:
        """Keep an answer for the next who asks the same; not one that was itself kept."""
        kinds = ("nothing_found", "not_supported")
        if way.cached or (answer.refusal and answer.refusal.kind not in kinds):
            return
        key = situation(way)
        if key is None:
            return
        until = time.monotonic() + self._settings.seconds
        given = Given(
            way.question, _vector(way), until, answer, way.hits, way.packed, tuple(way.said)
        )
        with self._lock:
            self._given[key, way.question] = given
            self._given.move_to_end((key, way.question))
            while len(self._given) > MOST:
                self._given.popitem(last=False)

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._given.clear()


def situation(way: Way) -> str | None:
    """Return what must be equal beside the question; None while the index is being changed.

    Rights, filter, target, budget of tokens, the state of index and erasures, and the whole
    configuration of the corpus.
    """
    context, asked = way.context, way.asked
    state = _state(context)
    if state is None:
        return None
    told = (
        sorted(set(asked.principals)),
        repr(way.where),
        asked.target,
        asked.budget.tokens,
        state,
        context.config.model_dump_json(),
    )
    return sha256(repr(told).encode()).hexdigest()


def _state(context: Context) -> str | None:
    from rag.ledger import erased, runs

    with context.ledger.read() as db:
        last = runs.latest(db, context.corpus, 1)
        out = erased.kept_out(db, context.corpus)
    if not last or last[0].status == "running":
        return None
    served = next(iter(context.targets.values())).model()
    return repr((last[0].run_id, last[0].finished_at, out, served))


def _vector(way: Way) -> Any:
    """The question's vector by the embedded model, which costs nothing; shape (dimensions,)."""
    import numpy as np

    from rag.asking.vectors import of_question
    from rag.models import embedder

    context = way.context
    own = context.config.embed.model == "embedded/minilm"  # a process need not load it twice
    model = context.embedder if own else embedder("embedded/minilm", context.threads)
    return np.asarray(of_question(model, way.question), dtype=np.float32)


def asks_the_same(one: str, other: str) -> bool:
    """Return whether nothing that counts differs between two masked questions.

    Numbers, names, pseudonyms, negations and words that turn a question round must be the same,
    as often and in the same order; what else differs is for the vectors to judge.
    """
    return _firm(one) == _firm(other)


def _firm(question: str) -> list[str]:
    openings = {start for start, _ in split(question)}
    return [
        word if MASK.fullmatch(word) else word.lower()
        for found in _WORD.finditer(question)
        if _counts(word := found[0], opens=found.start() in openings)
    ]


def _counts(word: str, *, opens: bool) -> bool:
    if MASK.fullmatch(word) or any(map(str.isdigit, word)):
        return True
    low = word.lower().replace("’", "'")
    if low in _TURNS or low.endswith("n't"):
        return True
    return not opens and word != low
