"""Answers, judged: each question asked as a person asks it, in the audit as any other."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.evaluate.files import Question
from rag.evaluate.intervals import Estimate, auc, estimate
from rag.evaluate.ranking import Tell
from rag.evaluate.subject import Subject

if TYPE_CHECKING:
    from rag.config import CorpusConfig
    from rag.ingest.context import Context
    from rag.masked import Masked
    from rag.records import Answer, Citation, Hit

_ENOUGH = 0.6
"""Support from which on a quote says a sentence more likely than not (`rag.answer.ground`)."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_BARE = str.maketrans("", "", string.punctuation.replace("_", ""))
_MARKER = re.compile(r"\[(\d+)\]")

SHARES = {
    "right_document_first": "the right document is found first",
    "best_sentence_right": "the best sentence holds the answer (answerable questions)",
    "supported_sentences": "sentences that their citations support",
    "right_citations": "answers that cite the right document and quote the answer",
    "silent_where_unanswerable": "unanswerable questions that get no answer",
    "answered_where_answerable": "answerable questions that get an answer",
    "right_decision": "answered or silent as the question deserves",
    "right_or_rightly_silent": "right sentence, or rightly silent",
}
"""What is measured of answers, each a mean over the questions that it can be said of."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one question; None: it cannot be said.

    Attributes:
        sentences, supported: How many sentences were given, and how many of their citations
            support them.
        hidden: The answer is masked in its document, or not in it: no sentence can be judged.
    """

    id: str
    answerable: bool | None
    answered: bool
    support: float
    right_document_first: bool | None
    best_sentence_right: bool | None
    right_citations: bool | None
    right_or_rightly_silent: bool | None
    sentences: int
    supported: int
    hidden: bool
    seconds: float
    context_tokens: int
    tokens: int
    usd: float | None

    def value(self, measure: str) -> float | None:
        """Return one of `SHARES`, 0 to 1; None: this question says nothing of it."""
        if measure == "supported_sentences":
            return self.supported / self.sentences if self.sentences else None
        if measure == "silent_where_unanswerable":
            return None if self.answerable is not False else float(not self.answered)
        if measure == "answered_where_answerable":
            return None if self.answerable is not True else float(self.answered)
        if measure == "right_decision":
            return None if self.answerable is None else float(self.answered == self.answerable)
        found = getattr(self, measure)
        return None if found is None else float(found)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a configuration answered.

    Attributes:
        usd: List price of all; None where one is not known.
    """

    told: tuple[Told, ...]
    context_tokens: int

    @property
    def shares(self) -> dict[str, Estimate]:
        """`SHARES` with intervals; without those that no question says anything of."""
        found = {measure: self.values(measure) for measure in SHARES}
        return {measure: estimate(list(one.values())) for measure, one in found.items() if one}

    @property
    def answerability(self) -> Estimate | None:
        """Area under the curve: whether support tells answerable questions; None: not known."""
        over = [one.support for one in self.told if one.answerable is True]
        under = [one.support for one in self.told if one.answerable is False]
        return auc(over, under) if over and under else None

    @property
    def usd(self) -> float | None:
        prices = [one.usd for one in self.told]
        return None if None in prices else sum(price or 0.0 for price in prices)

    def values(self, measure: str) -> dict[str, float]:
        """Return one of `SHARES` by question id."""
        found = ((one.id, one.value(measure)) for one in self.told)
        return {name: value for name, value in found if value is not None}


def answer(
    subject: Subject,
    questions: Sequence[Question],
    *,
    tell: Tell = lambda *_: None,
    context_tokens: int | None = None,
) -> Answered:
    """Ask all questions and judge the answers.

    Args:
        context_tokens: Instead of the corpus file's ``answer.context_tokens``.

    Raises:
        NotIndexed, TargetFailed, ServiceFailed, ServiceRefused: As they say.
    """
    config = subject.context.config
    if context_tokens is not None:
        chosen = config.answer.model_copy(update={"context_tokens": context_tokens})
        config = config.model_copy(update={"answer": chosen})
        subject = subject.under(config)
    forced = _forced(subject, config)
    told = []
    step = f"ask, {config.answer.context_tokens} tokens" if context_tokens else "ask"
    for done, question in enumerate(questions, start=1):
        told.append(_told(subject, question, forced))
        tell(step, done, len(questions))
    return Answered(tuple(told), config.answer.context_tokens)


def holds(quote: str, answers: Sequence[str]) -> bool:
    """Return whether a text holds one of the answers: case, articles and marks do not count.

    As the SQuAD evaluation compares (Rajpurkar et al., EMNLP 2016).
    """
    text = f" {_plain(quote)} "
    return any(f" {plain} " in text for plain in map(_plain, answers) if plain)


def _plain(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_BARE)).split())


def _forced(subject: Subject, config: CorpusConfig) -> Subject | None:
    """The same, never silent: what the best sentence would have been; only where that is free."""
    if not config.answer.model.startswith("embedded/extractive"):
        return None
    never = config.answer.model_copy(update={"min_support": 0.0})
    return subject.under(config.model_copy(update={"answer": never}))


def _told(subject: Subject, question: Question, forced: Subject | None) -> Told:
    context = subject.context
    found = _ask(subject, question.text)
    answered = not found.abstained
    known = bool(question.answers)
    answers = [*question.answers, *(_masked(context, one) for one in question.answers)]
    hidden = known and _is_hidden(subject, question, answers)
    judged = known and not hidden and question.answerable is not False
    best = found
    if judged and not answered and forced:
        best = _ask(forced, question.text)
    right = holds(best.citations[0].quote, answers) if best.citations else False
    cited = [one for one in found.citations if _is_right(subject, one, question, answers)]
    decided: bool | None = None
    if question.answerable is False:
        decided = not answered
    elif judged:
        decided = answered and right
    sentences, supported = _supported(context, found)
    usage = found.usage
    return Told(
        id=question.id,
        answerable=question.answerable,
        answered=answered,
        support=found.support,
        right_document_first=_first(subject, question) if question.document else None,
        best_sentence_right=right if judged else None,
        right_citations=bool(cited) if judged and answered else None,
        right_or_rightly_silent=decided,
        sentences=sentences,
        supported=supported,
        hidden=hidden,
        seconds=usage.seconds,
        context_tokens=usage.context_tokens,
        tokens=usage.input_tokens + usage.output_tokens,
        usd=usage.usd,
    )


def _ask(subject: Subject, question: str) -> Answer:
    from rag.asking.journey import journey
    from rag.asking.streams import Stream
    from rag.asking.way import Asked
    from rag.budget import Budget
    from rag.records import Done

    own = subject.context.config.answer.budget
    asked = Asked(question, subject.principals, budget=Budget(own.tokens, own.usd, own.seconds))
    with Stream(lambda stages: journey(asked, subject.context, stages), asked.budget) as events:
        return next(event.answer for event in events if isinstance(event, Done))


def _first(subject: Subject, question: Question) -> bool:
    from rag.evaluate.ranking import SHOWN_HITS, found

    hits: list[Hit] = found(subject, question.text, SHOWN_HITS)
    return bool(hits) and _called(subject, hits[0].chunk.document_id) == question.document


def _called(subject: Subject, document_id: str) -> str:
    return subject.names.get(document_id, "")


def _is_right(
    subject: Subject, citation: Citation, question: Question, answers: Sequence[str]
) -> bool:
    right = not question.document or _called(subject, citation.document_id) == question.document
    return right and holds(citation.quote, answers)


def _is_hidden(subject: Subject, question: Question, answers: Sequence[str]) -> bool:
    """Whether no sentence of the document can be seen to hold the answer."""
    if not question.document:
        return False
    text = subject.text_of(question.document)
    return text is not None and not holds(text, answers)


def _masked(context: Context, text: str) -> str:
    """What a document shows in an answer's place."""
    from rag.privacy import Blocked

    try:
        return context.question_masker.mask_text(text).text
    except Blocked:
        return ""


def _supported(context: Context, answer: Answer) -> tuple[int, int]:
    """Return how many sentences an answer has, and how many their own quotes support."""
    from rag.answer.ground import evidence
    from rag.masked import EMPTY
    from rag.records import Chunk, Hit
    from rag.retrieve.pack import Passage
    from rag.sentences import split

    if answer.abstained or not answer.citations:
        return 0, 0
    sentences = [answer.text.cut(start, end) for start, end in split(answer.text)]
    passages = [
        Passage(
            Hit(Chunk(one.chunk, one.document_id, 0, EMPTY, one.quote, 0), one.document, 0.0),
            one.quote,
            0,
        )
        for one in answer.citations
    ]
    claims: list[Masked] = []
    cited: list[list[Passage]] = []
    for sentence in sentences:
        named = [int(number) for number in _MARKER.findall(sentence)]
        own = [passages[number - 1] for number in named if 0 < number <= len(passages)]
        claims.append(sentence.sub(_MARKER, lambda _: EMPTY).strip())
        cited.append(own or passages)
    embed = context.embedder.embed
    found = evidence(claims, cited, embed)
    return len(claims), sum(any(one.support >= _ENOUGH for one in own) for own in found)
