"""The embedded answerer: it quotes the sentences that answer, or says that none do.

It writes no word of its own into an answer, so it invents nothing; it can only pick badly. Two
small linear models do the picking: one orders the sentences, one says how likely it is that the
best one answers at all. ``bench/fit_extractive.py`` fitted both. The best passages are read
together with the question first (`rag.models.reader`, `rag.models.relevance`), unless it is told
not to.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answer import Draft, Sentence, Sentences, Silence, citation, drafted
from rag.masked import SPACE, Masked, fixed
from rag.models.readable import readable
from rag.privacy.pseudonym import MASK
from rag.retrieve.pack import Passage
from rag.sentences import split

_WORDED = ("cover", "cover_near", "cover_passage", "number", "length")
FEATURES = ("bias", "cosine", *_WORDED, "named", "pieces", "reader", "relevance", "passage")


@dataclass(frozen=True, slots=True)
class Weights:
    """Of `FEATURES`.

    Attributes:
        rank: Of a softmax over a question's sentences.
        support: Log-odds that the best one answers.
    """

    rank: tuple[float, ...]
    support: tuple[float, ...]


PLAIN = Weights(
    (0.0, 4.33, 0.0, 3.6, 3.06, 2.47, 0.0, 1.5, 11.26, 0.0, 0.0, 0.0),
    (-3.37, 5.57, 0.0, 0.33, 0.0, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0),
)
READING = Weights(
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.25, 0.33, 0.51),
    (-0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.0, 0.06, 0.19, 0.0),
)
"""With what is read. `named` (the sentence has every pseudonym of the question) is set by
hand: the collection fitted on has no pseudonyms. So is that the reader alone does not silence
(the fit has -0.58 and 0.07): who may not read what the increase is reads when it is announced.
"""

_SENTENCES = 3
_CLOSE = 0.9  # of the best sentence's support: what comes less near is not quoted along with it
_NAMED_DOCUMENTS = 3
_READ = 3  # passages; more change little and cost as much time each
_FAR = 10.0  # log-odds of what is read: beyond it is as sure
_SURE = 8.0  # the same of the reader, which is sooner sure than right

_WORD = re.compile(rf"{MASK.pattern}|\w+")
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|often|large|big|high|tall|fast)\b|\bwhen\b"
    r"|\b(?:what|which) (?:year|date|day|month|time|percentage|percent|number|amount|age)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\w.,])(?:1[5-9]|20)\d\d(?![\w]|[.,]\d)")
_NUMBERS = frozenset(
    _WORD.findall(
        """one two three four five six seven eight nine ten eleven twelve hundred thousand million
        billion half third quarter dozen daily weekly monthly yearly annually"""
    )
)
_STOP = frozenset(
    _WORD.findall(
        """a about after all am an and any are as at be been before being between both but by can
        could did do does doing done for from get had has have having he her hers him
        his how i if in into is it its just me might more most much must my no nor not
        of on or other our out over own please same she should so some such than that
        the their them then there these they this those to too under up us very was we
        were what when where which who whom whose why will with would you your tell give
        show say says said many name called"""
    )
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer.

    Attributes:
        text: Stands literally in the passage.
        features: As `FEATURES` names them.
        order: Place of the passage, then of the sentence in it.
        weights: By which it is judged.
    """

    passage: Passage
    text: Masked
    features: tuple[float, ...]
    order: tuple[int, int]
    weights: Weights

    @property
    def rank(self) -> float:
        """Logit that this sentence answers, among those of the same question."""
        return _dot(self.weights.rank, self.features)

    @property
    def support(self) -> float:
        """0 to 1; from 0.6 on an answer is more likely there than not."""
        return 1 / (1 + math.exp(-_dot(self.weights.support, self.features)))


class Extractive:
    """Answers with one to three sentences of the passages.

    Args:
        reads: Whether the best passages are read together with the question.
    """

    def __init__(self, *, reads: bool = True) -> None:
        self._reads = reads

    def answer(self, question: Masked, passages: Sequence[Passage], min_support: float) -> Draft:
        """Return all sentences at once."""
        return drafted(self.sentences(question, passages, min_support))

    def sentences(
        self, question: Masked, passages: Sequence[Passage], min_support: float
    ) -> Sentences:
        """See `rag.answer.Answerer.sentences`."""
        found = candidates(question, passages, reads=self._reads)
        ranked = sorted(found, key=lambda c: (-c.rank, c.order))
        support = ranked[0].support if ranked else 0.0
        if not ranked or support < min_support:
            return Silence(support, abstention(question, passages))
        for one in _choose(question, ranked, max(min_support, _CLOSE * support)):
            cited = citation(one.passage, one.text, one.support)
            yield Sentence(SPACE.join(one.text.split()), (cited,), one.support)
        return None


def candidates(question: Masked, passages: Sequence[Passage], *, reads: bool) -> list[Candidate]:
    """Every sentence that might answer with its features, in reading order.

    Passages that have no pseudonym of a question with pseudonyms are left out: they are about
    somebody else.

    Args:
        reads: Whether the passages that search likes best are read, and only they.
    """
    named = {mask for mask in MASK.findall(question) if not mask.startswith("<")}
    about = [
        (place, passage)
        for place, passage in enumerate(passages)
        if not named or any(pseudonym in passage.shown for pseudonym in named)
    ]
    if reads:
        about = sorted(sorted(about, key=lambda one: -one[1].hit.score)[:_READ])
    told = [_Told(place, passage, question) for place, passage in about]
    if not any(one.sentences for one in told):
        return []
    columns = _read(told) if reads else _compared(told)
    columns["named"] = [
        float(bool(named) and all(pseudonym in text for pseudonym in named))
        for one in told
        for text in one.sentences
    ]
    columns |= _worded(question, told)
    kept = [(one, start, text) for one in told for start, text in one.placed]
    return [
        Candidate(
            one.passage,
            text,
            tuple(float(columns[name][at]) if name in columns else 0.0 for name in FEATURES),
            (one.place, start),
            READING if reads else PLAIN,
        )
        for at, (one, start, text) in enumerate(kept)
    ]


class _Told:
    """A passage by sentence, and all of it as models read it.

    Args:
        place: Among the passages.
    """

    def __init__(self, place: int, passage: Passage, question: Masked) -> None:
        self.place, self.passage = place, passage
        spans = split(passage.text)
        self.placed = [(start, passage.text[start:end]) for start, end in spans]
        self.sentences = [text for _, text in self.placed]
        chunk = passage.hit.chunk
        self.asked, self.whole, self.heading, *self.read = readable(
            [question, chunk.embedded_text, chunk.heading, *self.sentences]
        )


Columns = dict[str, Sequence[float]]
"""A feature's values, of every sentence."""


def _compared(told: Sequence[_Told]) -> Columns:
    """Compare sentences with the question by the embedding model."""
    from rag.models import pairs

    pieces, cosines = pairs.compared(told[0].asked, [text for one in told for text in one.read])
    return {"pieces": pieces.tolist(), "cosine": cosines.tolist()}


def _read(told: Sequence[_Told]) -> Columns:
    """Read passages, by sentence and as wholes, together with the question."""
    from rag.models import reader, relevance

    asked = told[0].asked
    odds = reader.read(asked, [one.read for one in told])
    sentences = [fixed("{}. {}", one.heading, text) for one in told for text in one.read]
    wholes = [one.whole for one in told]
    fits = relevance.scores(asked, [*sentences, *wholes]).tolist()
    passages = zip(told, fits[len(sentences) :], strict=True)
    return {
        "reader": [_near(score, _SURE) for some in odds for score in some],
        "relevance": [_near(score) for score in fits[: len(sentences)]],
        "passage": [_near(score) for one, score in passages for _ in one.read],
    }


def _near(score: float, far: float = _FAR) -> float:
    return max(-far, min(far, score))


def _worded(question: Masked, told: Sequence[_Told]) -> Columns:
    """Look at words and numbers alone."""
    wanted = terms(question)
    own = [[terms(text) for text in one.sentences] for one in told]
    weights = _weights(wanted, [words for some in own for words in some])
    asks_number = _ASKS_NUMBER.search(question) is not None
    made: dict[str, list[float]] = {name: [] for name in ("bias", *_WORDED)}
    for one, some in zip(told, own, strict=True):
        heading = terms(one.passage.hit.chunk.heading)
        whole = _cover(terms(one.passage.shown), weights)
        for at, (words, text) in enumerate(zip(some, one.sentences, strict=True)):
            around = words | heading
            values = (
                _cover(around, weights),
                _cover(around | some[at - 1] if at else around, weights),
                whole,
                (0.5 if _has_number(words - wanted) else -0.5) if asks_number else 0.0,
                math.log1p(len(text) / 100),
            )
            made["bias"].append(1.0)
            for name, value in zip(_WORDED, values, strict=True):
                made[name].append(value)
    return dict(made)


def terms(text: str) -> frozenset[str]:
    """Content words, lower case and stemmed; pseudonyms as they are."""
    return frozenset(
        word if MASK.fullmatch(word) else _stem(word.lower())
        for word in _WORD.findall(text)
        if word.lower() not in _STOP
    )


def _stem(word: str) -> str:
    for ending in ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _weights(wanted: frozenset[str], sentences: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """What is rarer among the sentences counts more; numbers and pseudonyms twice."""
    counts = Counter(term for own in sentences for term in own & wanted)
    return {
        term: math.log(1 + (len(sentences) + 1) / (counts[term] + 0.5))
        * (2.0 if MASK.fullmatch(term) or any(map(str.isdigit, term)) else 1.0)
        for term in wanted
    }


def _cover(own: frozenset[str], weights: Mapping[str, float]) -> float:
    """Share of the question's terms, by weight."""
    total = math.fsum(weights.values())
    return math.fsum(w for term, w in weights.items() if term in own) / total if total else 0.0


def _has_number(words: frozenset[str]) -> bool:
    return any(word[0].isdigit() or word in _NUMBERS for word in words)


def _dot(weights: Sequence[float], features: Sequence[float]) -> float:
    return math.fsum(w * f for w, f in zip(weights, features, strict=True))


def _choose(question: Masked, ranked: Sequence[Candidate], least: float) -> list[Candidate]:
    """The best sentence, then up to two others that are supported as well and say more.

    What one year was asked of is not told of others, too.
    """
    chosen: list[Candidate] = []
    said: set[str] = set()
    asked = set(_YEAR.findall(question))
    for candidate in ranked:
        words = " ".join(candidate.text.split()).casefold()
        repeated = any(words in other or other in words for other in said)
        years = set(_YEAR.findall(words))
        beside = asked and years and asked.isdisjoint(years)
        if not chosen or not (repeated or beside or candidate.support < least):
            chosen.append(candidate)
            said.add(words)
        if len(chosen) == _SENTENCES:
            break
    return chosen


def abstention(question: Masked, passages: Sequence[Passage]) -> Masked:
    """Say that nothing answers, and which documents lie nearest."""
    names = list(dict.fromkeys(passage.hit.document for passage in passages))[:_NAMED_DOCUMENTS]
    asked = SPACE.join(question.split())
    if not names:
        return fixed("Nothing that you may read was found for: {}", asked)
    return fixed(
        "No passage that you may read answers: {} The nearest documents are: {}.",
        asked,
        fixed(", ").join(names),
    )
