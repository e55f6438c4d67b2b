"""An answer that a chat model writes, of which only what its passages support is kept.

The model is asked to end each sentence with the numbers of the passages it comes from. A sentence
that names none, one that is not there, or passages that do not say it, is dropped; when nothing is
left, that is an abstention. So a model can answer badly, but not out of thin air.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer import Draft, Sentence, Sentences, Silence, citation, drafted
from rag.answer.extractive import abstention
from rag.answer.ground import evidence
from rag.masked import EMPTY, SPACE, Masked, fixed, packaged
from rag.models.chat import generate
from rag.records import Citation
from rag.retrieve.pack import Passage
from rag.sentences import split

if TYPE_CHECKING:
    from rag.answer import Mask
    from rag.answer.extractive import Embed
    from rag.config import Aws

PROMPT = 1
"""Version of the prompt: ``prompts/system-N.txt`` and ``prompts/question-N.txt``."""

SECOND = 0.8
"""Of the best passage's support, that another one needs to be cited beside it."""

_MARKERS = r"\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]"
_AFTER_STOP = re.compile(rf"([.!?…]+[\"”’»)]*)((?:\s*{_MARKERS})+)")
_MARKER = re.compile(rf"\s*{_MARKERS}")
_PASSAGE = re.compile(r"<(?=\s*/?\s*passages?\b)", re.IGNORECASE)
_LIST_MARK = re.compile(r"^(?:[-–—*+•▪◦‣●■]|\(?\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a reply, without markers, and the numbers that it cites."""

    text: Masked
    cites: tuple[int, ...]


class ChatAnswerer:
    """Answers by a chat model.

    Args:
        uri: ``bedrock/MODEL_ID`` or ``sagemaker/ENDPOINT``.
        embed: Texts to vectors, for the check.
        max_tokens: Of the reply.
        mask: The gate. A model may write a name that no passage holds, so its reply goes through
            before anything is done with it.
    """

    def __init__(self, uri: str, embed: Embed, aws: Aws, max_tokens: int, mask: Mask) -> None:
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
            ServiceFailed, ServiceRefused: The model could not be had.
        """
        if not passages:
            return Silence(0.0, abstention(question, passages))
        asked = _prompt("question").filled(passages=shown(passages), question=one_line(question))
        reply = generate(self._uri, self._aws, self._max_tokens, _prompt("system"), asked)
        said = self._mask(reply.text)
        draft = grounded(question, said, passages, min_support, self._embed, cut=reply.cut)
        if draft.abstained:
            return Silence(draft.support, draft.text)
        yield Sentence(draft.text, draft.citations, draft.support)
        return None


def grounded(
    question: Masked,
    reply: Masked,
    passages: Sequence[Passage],
    min_support: float,
    embed: Embed,
    *,
    cut: bool = False,
) -> Draft:
    """Return what of a reply its passages support, or an abstention.

    Args:
        reply: With markers such as ``[2]``; numbers count from 1.
        cut: The reply ends where the model was stopped, so its last sentence may be half.
    """
    claims = [claim for claim in read(reply, cut=cut) if valid(claim, passages)]
    cited = [valid(claim, passages) for claim in claims]
    sentences: list[Masked] = []
    citations: list[Citation] = []
    supports: list[float] = []
    highest = 0.0
    found = evidence([claim.text for claim in claims], cited, embed)
    for claim, own in zip(claims, found, strict=True):
        support = max(one.support for one in own)
        highest = max(highest, support)
        if support < min_support:
            continue
        numbers = []
        for one in own:
            if one.support >= SECOND * support:
                quoted = citation(one.passage, one.quote, round(one.support, 4))
                numbers.append(_place(citations, quoted))
        supports.append(support)
        sentences.append(_marked(claim.text, numbers))
    if not sentences:
        return Draft(abstention(question, passages), (), highest, abstained=True)
    return Draft(SPACE.join(sentences), tuple(citations), min(supports), abstained=False)


def read(reply: Masked, *, cut: bool = False) -> list[Claim]:
    """Return the sentences of a reply, each with the passages it names."""
    # "Text. [1]" is "Text [1]." to whoever splits sentences.
    text = reply.sub(
        _AFTER_STOP,
        lambda match: SPACE + reply.cut(*match.span(2)).strip() + reply.cut(*match.span(1)),
    )
    sentences = [text.cut(start, end) for start, end in split(text)]
    if cut and sentences and not re.search(r"[.!?…][\"”’»)]*$", sentences[-1]):
        sentences.pop()
    claims = []
    for sentence in sentences:
        numbers = [
            int(number)
            for marker in _MARKER.findall(sentence)
            for number in re.findall(r"\d+", marker)
        ]
        bare = one_line(sentence.sub(_MARKER, EMPTY)).sub(_LIST_MARK, EMPTY)
        if bare:
            claims.append(Claim(bare, tuple(dict.fromkeys(numbers))))
    return claims


def valid(claim: Claim, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages that a claim cites and that exist; the first number is 1."""
    return [passages[number - 1] for number in claim.cites if 0 < number <= len(passages)]


def shown(passages: Sequence[Passage]) -> Masked:
    """Return passages as the prompt shows them; none can end its own element or open another."""
    return fixed("\n").join(
        fixed('<passage number="{}">\n{}\n</passage>', number, _inert(passage.shown))
        for number, passage in enumerate(passages, start=1)
    )


def one_line(text: Masked) -> Masked:
    """Return a text with single spaces for all of its white space."""
    return SPACE.join(text.split())


def _inert(text: Masked) -> Masked:
    return text.sub(_PASSAGE, fixed("‹"))


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


def _prompt(name: str) -> Masked:
    return packaged("rag.answer", f"prompts/{name}-{PROMPT}.txt")
