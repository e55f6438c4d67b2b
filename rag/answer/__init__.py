"""From passages to a cited answer, or to an abstention. A URI picks who answers.

An answerer is one file with a class that has `Answerer.sentences`, and one line in `answerer`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.errors import ConfigError
from rag.masked import SPACE, Masked, NotMasked, fixed
from rag.records import Citation
from rag.retrieve.pack import Passage

if TYPE_CHECKING:
    from rag.answer.chat import Checks
    from rag.answer.compare import Embed
    from rag.config import Aws
    from rag.models import Tokens


Mask = Callable[[str], Masked]
"""The gate: any text to masked text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that may be shown: masked, and said by the passages that it cites.

    Attributes:
        text: Without white space around it; sentences joined by a space are the answer.
        citations: At least one; each quote stands literally in its chunk. An answerer that puts
            numbers into the text counts the different citations of all its sentences, from 1.
        support: How well its evidence bears it, 0 to 1.
    """

    text: Masked
    citations: tuple[Citation, ...]
    support: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Why an answerer gave no sentence.

    Attributes:
        support: Of the best that it had, 0 to 1.
        reason: For people: what was looked for, and what lies nearest.
    """

    support: float
    reason: Masked


Sentences = Generator[Sentence, None, Silence | None]
"""Sentences as they are made; returns a `Silence` where there was none. Closing it stops the work
on the next."""


class Answerer(Protocol):
    """Whoever answers from passages and from nothing else."""

    def sentences(
        self, question: Masked, passages: Sequence[Passage], min_support: float
    ) -> Sentences:
        """Answer `question` from `passages`, sentence by sentence.

        Args:
            min_support: A sentence of less support is not given.

        Raises:
            ServiceFailed, ServiceRefused: A model could not be had.
        """


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer, or an abstention.

    Attributes:
        text: The answer; for an abstention, what was looked for and what lies nearest.
        citations: One a sentence at least, in order, none twice.
        support: How well the evidence answers the question, 0 to 1.
    """

    text: Masked
    citations: tuple[Citation, ...]
    support: float
    abstained: bool


def drafted(sentences: Sentences) -> Draft:
    """Return all that an answerer says."""
    said: list[Sentence] = []
    while True:
        try:
            said.append(next(sentences))
        except StopIteration as end:
            silence = end.value
            break
    if not said:
        assert isinstance(silence, Silence), "an answerer that says nothing says why"
        return Draft(silence.reason, (), silence.support, abstained=True)
    cited: dict[tuple[str, str], Citation] = {}
    for one in said:
        for quoted in one.citations:
            cited.setdefault((quoted.chunk, quoted.quote), quoted)
    text = SPACE.join(one.text for one in said)
    support = max(one.support for one in said)
    return Draft(text, tuple(cited.values()), support, abstained=False)


def citation(passage: Passage, quote: Masked, support: float) -> Citation:
    """Return where a quote comes from.

    Raises:
        AssertionError: It does not stand literally in the passage's chunk.
    """
    hit = passage.hit
    if quote not in hit.chunk.text:
        raise AssertionError(f"the quote does not stand in chunk {hit.chunk.id}")
    return Citation(
        document=hit.document,
        document_id=hit.chunk.document_id,
        chunk=hit.chunk.id,
        quote=quote,
        page=hit.chunk.page,
        section=hit.chunk.section,
        score=support,
    )


def answerer(
    uri: str,
    embed: Embed | None = None,
    *,
    aws: Aws | None = None,
    max_tokens: int = 512,
    mask: Mask | None = None,
    checks: Checks | None = None,
) -> Answerer:
    """The answerer that `uri` names.

    Args:
        uri: ``embedded/extractive``, the same with ``-plain``, which reads no passage together
            with the question, ``bedrock/MODEL_ID`` or ``sagemaker/ENDPOINT``;
            ``embedded/smollm2`` invents freely, and is not for answering people.
        embed: Texts to L2-normalised vectors of shape (texts, dimensions), for those who compare
            meanings; by default ``embedded/minilm``, which costs nothing.
        aws: Where AWS is, for models that run there.
        max_tokens: Of an answer by a chat model.
        mask: The gate, for what a chat model writes; without it such a model cannot be had.
        checks: How what a chat model writes is checked.

    Raises:
        ConfigError: there is no such answerer.
        NotMasked: A chat model without a gate.
    """
    if uri in ("embedded/extractive", "embedded/extractive-plain"):
        from rag.answer.extractive import Extractive

        return Extractive(reads=not uri.endswith("-plain"))
    if uri.startswith(("bedrock/", "sagemaker/")) or uri == "embedded/smollm2":
        from rag.answer.chat import ChatAnswerer
        from rag.config import Aws

        if mask is None:
            raise NotMasked("An answer by a chat model")
        if embed is None:
            from rag.models import embedder

            embed = embedder("embedded/minilm").embed
        return ChatAnswerer(uri, embed, aws or Aws(), max_tokens, mask, checks)
    raise ConfigError(
        f"There is no answering model {uri!r}.",
        "Set answer.model to embedded/extractive, bedrock/MODEL_ID or sagemaker/ENDPOINT.",
    )


def sent(uri: str, question: Masked, version: int = 1) -> Callable[[Sequence[Passage]], Masked]:
    """Return what tells all that the model of `uri` is sent with passages, to count its tokens.

    Args:
        version: Of the prompt.
    """
    if uri.startswith("embedded/extractive"):
        return lambda passages: fixed("\n").join(passage.shown for passage in passages)
    from rag.answer.chat import asked
    from rag.answer.prompt import prompt

    told = prompt(version)
    return lambda passages: fixed("{}\n{}", told.system, asked(told, question, passages))


def prompt_version(uri: str, version: int = 1) -> tuple[str, str]:
    """Return the version of the prompt for the model of `uri`, and the SHA-256 of its files.

    Both are empty for who needs none.
    """
    if uri.startswith("embedded/extractive"):
        return "", ""
    from rag.answer.prompt import prompt

    return str(version), prompt(version).sha256


def counter(uri: str, tokens: Tokens) -> Callable[[str], int]:
    """Return how many tokens of context a text may take, at most, for the model of `uri`.

    Chat models' tokenizers are not public. None of theirs makes more of a text than a token for
    three and a half bytes of UTF-8, or than the embedded model's plus a fifth, whichever is more.
    """
    if uri == "embedded/smollm2":
        from rag.models.smollm2 import counter as exact

        return lambda text: exact().count([text])[0]

    def count(text: str) -> int:
        own = tokens.count([text])[0]
        if uri.startswith("embedded/"):
            return own
        return max(-(-own * 6 // 5), -(-len(text.encode()) * 2 // 7))

    return count
