"""An answer that a chat model writes, of which only what its passages support is kept.

The model is asked to end each sentence with the numbers of the passages it comes from. A sentence
is released as soon as it is whole, masked, and said by a passage; one that names a passage that is
not there, or that no passage says, is not. When nothing is left, that is an abstention. So a model
can answer badly, but not out of thin air.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.answer import Draft, Sentence, Sentences, Silence, citation, drafted
from rag.answer.compare import remembering
from rag.answer.extractive import abstention
from rag.answer.ground import Evidence, evidence
from rag.answer.orders import orders
from rag.answer.prompt import LATEST, Prompt, prompt
from rag.answer.reply import Claim, claims
from rag.masked import EMPTY, SPACE, Masked, fixed
from rag.models.chat import NotAffordable, generate, generate_stream
from rag.records import Citation
from rag.retrieve.pack import Passage

if TYPE_CHECKING:
    from rag.answer import Mask
    from rag.answer.compare import Embed
    from rag.config import Aws

SECOND = 0.8
"""Of the best passage's support, that another one needs to be cited beside it."""

_CHECK_TOKENS = 8  # that the answer about one sentence takes
_LEFT_OUT = fixed("[…]")
# What a prompt is made of: our own elements, and the marks of models' own templates.
_MARKUP = re.compile(
    r"<(?=\s*/?\s*(?:passages?|question|system|instructions?|tool|function)\b|\|)|\[(?=/?INST\])"
    r"|(?<=\|)>",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"(?<=question):", re.IGNORECASE)
_VERDICT = re.compile(r"^\W*(\d{1,3})\W+(yes|no)\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Checks:
    """How answers are checked, as the corpus file says.

    Attributes:
        unsupported: What happens when a sentence is not supported: it is dropped, or the whole
            answer is refused, which is then not shown before it is whole.
        self_check: Whether the model is asked, once more, if the quotes say what it wrote.
        prompt: Version of the prompt.
    """

    unsupported: Literal["drop", "refuse"] = "drop"
    self_check: bool = False
    prompt: int = LATEST


class ChatAnswerer:
    """Answers by a chat model.

    Args:
        uri: ``bedrock/MODEL_ID``, ``sagemaker/ENDPOINT`` or ``embedded/smollm2``.
        embed: Texts to vectors, for the check.
        max_tokens: Of the reply; fewer where the running budget allows fewer.
        mask: The gate. A model may write a name that no passage holds, so each sentence goes
            through before anything is done with it.

    Raises:
        ConfigError: There is no such version of the prompt.
    """

    def __init__(
        self,
        uri: str,
        embed: Embed,
        aws: Aws,
        max_tokens: int,
        mask: Mask,
        checks: Checks | None = None,
    ) -> None:
        self.checks = checks or Checks()
        self.prompt: Prompt = prompt(self.checks.prompt)
        self._uri = uri
        self._embed = embed
        self._aws = aws
        self._mask = mask
        self._max_tokens = max_tokens

    def answer(self, question: Masked, passages: Sequence[Passage], min_support: float) -> Draft:
        """Return all sentences at once."""
        return drafted(self.sentences(question, passages, min_support))

    def sentences(
        self, question: Masked, passages: Sequence[Passage], min_support: float
    ) -> Sentences:
        """See `rag.answer.Answerer.sentences`. The model is not asked where there is no passage.

        Raises:
            NotAffordable: The running budget does not pay for an answer; the model was not asked.
            ServiceFailed, ServiceRefused: The model could not be had, or not to the end, or the
                time was over; what was released before stands.
        """
        if not passages:
            return Silence(0.0, abstention(question, passages))
        pieces = generate_stream(
            self._uri,
            self._aws,
            self._max_tokens,
            self.prompt.system,
            asked(self.prompt, question, passages),
        )
        return (yield from self.released(pieces, question, passages, min_support))

    def released(
        self,
        pieces: Generator[str, None, bool],
        question: Masked,
        passages: Sequence[Passage],
        min_support: float,
    ) -> Sentences:
        """Return what of a reply may be shown, as `sentences` does.

        Args:
            pieces: As the model writes them; see `rag.models.chat.generate_stream`.
        """
        highest = 0.0
        numbers: list[Citation] = []
        held: list[Sentence] = []
        at_once = self.checks.unsupported == "drop" and not self.checks.self_check
        with closing(claims(pieces, self._mask)) as written:
            for claim, own in judged(written, passages, self._embed):
                support = max((one.support for one in own), default=0.0)
                highest = max(highest, support)
                if support >= min_support and support > 0:
                    sentence = cited(claim.text, own, numbers)
                    if at_once:
                        yield sentence
                    held.append(sentence)
                elif self.checks.unsupported == "refuse":
                    return Silence(highest, _refused(question, passages))
        if self.checks.self_check and held:
            kept = self._checked(held)
            if self.checks.unsupported == "refuse" and len(kept) < len(held):
                return Silence(highest, _refused(question, passages))
            held = renumbered(kept)
        if not held:
            return Silence(highest, abstention(question, passages))
        if not at_once:
            yield from held
        return None

    def _checked(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences of which the model says that their quotes say so; all, where the budget
        does not pay for asking.
        """
        pairs = fixed("\n\n").join(
            fixed(
                "{}. Sentence: {}\n{}. Quote: {}",
                number,
                _inert(one_line(one.text.sub(_NUMBERS, EMPTY))),
                number,
                _inert(SPACE.join(one_line(quoted.quote) for quoted in one.citations)),
            )
            for number, one in enumerate(sentences, start=1)
        )
        most = _CHECK_TOKENS * len(sentences)
        try:
            reply = generate(self._uri, self._aws, most, self.prompt.check, pairs)
        except NotAffordable:
            return list(sentences)
        said = {int(found[1]): found[2].lower() for found in _VERDICT.finditer(reply.text)}
        return [one for number, one in enumerate(sentences, 1) if said.get(number) == "yes"]


_NUMBERS = re.compile(r" ?(?:\[\d{1,3}\])+")


def judged(
    written: Iterator[Claim], passages: Sequence[Passage], embed: Embed
) -> Iterator[tuple[Claim, list[Evidence]]]:
    """Yield each sentence of a reply with what the passages have for it.

    A sentence that names no passage is held against all of them; of one that names only passages
    that are not there, nothing is found.
    """
    remembered = remembering(embed)
    for claim in written:
        named = valid(claim, passages) if claim.cites else list(passages)
        yield claim, evidence([claim.text], [named], remembered)[0] if named else []


def cited(text: Masked, own: Sequence[Evidence], numbers: list[Citation]) -> Sentence:
    """Return a supported sentence with the numbers of its citations.

    Args:
        numbers: The answer's citations so far; new ones are added.
    """
    support = max(one.support for one in own)
    quoted = [
        citation(one.passage, one.quote, round(one.support, 4))
        for one in sorted(own, key=lambda one: -one.support)
        if one.support >= SECOND * support
    ][:2]
    places = [_place(numbers, one) for one in quoted]
    return Sentence(_marked(text, places), tuple(quoted), support)


def renumbered(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return sentences with the numbers that they have without those that are gone."""
    numbers: list[Citation] = []
    return [
        Sentence(
            _marked(one.text.sub(_NUMBERS, EMPTY), [_place(numbers, two) for two in one.citations]),
            one.citations,
            one.support,
        )
        for one in sentences
    ]


def valid(claim: Claim, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages that a claim cites and that exist; the first number is 1."""
    return [passages[number - 1] for number in claim.cites if 0 < number <= len(passages)]


def asked(told: Prompt, question: Masked, passages: Sequence[Passage]) -> Masked:
    """Return the question with its passages, as a version of the prompt puts them."""
    line = _inert(one_line(question)).sub(_QUESTION, fixed(";"))
    return told.question.filled(passages=shown(passages), question=line)


def shown(passages: Sequence[Passage]) -> Masked:
    """Return passages as the prompt shows them.

    None can end its own element or open another, and sentences that give orders to a model are
    left out.
    """
    return fixed("\n").join(
        fixed('<passage number="{}">\n{}\n</passage>', number, _inert(_without_orders(passage)))
        for number, passage in enumerate(passages, start=1)
    )


def one_line(text: Masked) -> Masked:
    """Return a text with single spaces for all of its white space."""
    return SPACE.join(text.split())


def _without_orders(passage: Passage) -> Masked:
    text = passage.shown
    pieces, place = [], 0
    for start, end in orders(text):
        pieces += [text.cut(place, start), _LEFT_OUT]
        place = end
    return EMPTY.join([*pieces, text.cut(place)])


def _inert(text: Masked) -> Masked:
    return text.sub(_MARKUP, fixed("‹"))


def _refused(question: Masked, passages: Sequence[Passage]) -> Masked:
    return fixed(
        "The answer is withheld: not everything in it is supported. {}",
        abstention(question, passages),
    )


def _place(citations: list[Citation], new: Citation) -> int:
    """The citation's number from 1; it is added if its quote is not there yet."""
    quotes = [(one.chunk, one.quote) for one in citations]
    if (new.chunk, new.quote) in quotes:
        return quotes.index((new.chunk, new.quote)) + 1
    citations.append(new)
    return len(citations)


def _marked(sentence: Masked, numbers: Sequence[int]) -> Masked:
    marks = EMPTY.join(fixed("[{}]", number) for number in sorted(set(numbers)))
    end = re.search(r"[.!?…]+[\"”’»)]*$", sentence)
    if end is None:
        return fixed("{} {}.", sentence, marks)
    return fixed("{} {}{}", sentence[: end.start()], marks, sentence[end.start() :])
