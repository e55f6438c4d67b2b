"""Masked documents and names through the guardrail, a batch at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import ServiceFailed, ServiceRefused
from rag.ingest.failures import failure
from rag.masked import EMPTY, Masked, fixed
from rag.privacy.guardrail.aligning import replaced
from rag.records import MaskedDocument, MaskedElement, MaskedFailure

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.privacy.guardrail import Guardrail, Verdict

Taken = Callable[[int], tuple[Masked, Mapping[str, int]]]
"""A string by its number, and what the guardrail anonymised in it, counted by name."""

_BLANK, _LINE, _BAR = fixed("\n\n"), fixed("\n"), fixed(" | ")

COUNTED = "guardrail:"
"""Before the kinds that the guardrail found in what the gate had masked."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """One document after the guardrail.

    Attributes:
        document: None where none was given.
        name: None where it did not pass.
    """

    document: MaskedDocument | MaskedFailure | None
    name: Masked | None


def guard(
    guardrail: Guardrail,
    documents: Sequence[MaskedDocument | MaskedFailure | None],
    names: Sequence[Masked],
) -> list[Guarded]:
    """Have the guardrail read documents and their names; as few calls as it takes.

    A document is a `Failure` when anything of it or its name is blocked.

    Args:
        documents: None or a failure: only the name is read.

    Raises:
        ServiceFailed: The guardrail could not answer; nothing has passed.
        ServiceRefused: It will not read for us at all.
    """
    scripts = [
        _Script(document) if isinstance(document, MaskedDocument) else None
        for document in documents
    ]
    texts: list[Masked] = []
    owners: list[int] = []
    for place, (script, name) in enumerate(zip(scripts, names, strict=True)):
        texts += (script.text if script else EMPTY, name)
        owners += (place, place)
    verdicts = guardrail.check(texts, "INPUT", owners)
    results = []
    for place, (document, script) in enumerate(zip(documents, scripts, strict=True)):
        read, named = verdicts[2 * place : 2 * place + 2]
        if read.blocked:
            results.append(Guarded(_blocked(read.blocked), None))
        elif script is None or not isinstance(document, MaskedDocument):
            results.append(Guarded(document, named.text))
        else:
            results.append(Guarded(_taken(guardrail, script, read), named.text))
    return results


def names(context: Context, keys: Sequence[str]) -> list[Masked]:
    """Return source keys masked, for a person to read; a number where one does not pass."""
    masked = [context.masker_of(key).mask_name(key) for key in keys]
    guardrail = context.guardrail("documents")
    if guardrail is None or not keys:
        return masked
    try:
        passed = guard(guardrail, [None] * len(masked), masked)
    except (ServiceFailed, ServiceRefused):
        passed = [Guarded(None, None)] * len(masked)
    return [one.name or fixed("withheld/{}", place) for place, one in enumerate(passed, 1)]


def _blocked(counts: Mapping[str, int]) -> MaskedFailure:
    named = ("topics", "content", "words", "identifiers")
    topics, content, words, identifiers = (counts.get(kind, 0) for kind in named)
    return failure(
        "blocked_by_guardrail",
        "mask",
        topics=topics,
        content=content,
        words=words,
        identifiers=identifiers,
        others=sum(counts.values()) - topics - content - words - identifiers,
    )


def _taken(guardrail: Guardrail, script: _Script, read: Verdict) -> MaskedDocument | MaskedFailure:
    if read.spans is not None:
        return script.build(script.by(read))
    # The new text cannot be laid over the old one: each string has to be read by itself.
    alone = guardrail.check(script.strings, "INPUT", [0] * len(script.strings))
    if alone and alone[0].blocked:
        return _blocked(alone[0].blocked)
    return script.build(lambda number: (alone[number].text, alone[number].found))


class _Script:
    """A document's strings as one text to be read, and the document built anew from them.

    Attributes:
        strings: In reading order; a title that many elements stand under only once.
        text: Them all, cells of a row in one line.
    """

    def __init__(self, document: MaskedDocument) -> None:
        self.strings: list[Masked] = []
        self._starts: list[int] = []
        self._seen: dict[Masked, int] = {}
        self._pieces: list[Masked] = []
        self._length = 0
        self._make = self._document(document)
        self.text = EMPTY.join(self._pieces)

    def build(self, taken: Taken) -> MaskedDocument:
        """Return the document with its strings replaced."""
        return self._make(taken)

    def by(self, read: Verdict) -> Taken:
        """Return each string as the verdict on the whole text leaves it."""
        counts = [Counter[str]() for _ in self.strings]
        spans = read.spans or ()
        own: list[list[int]] = [[] for _ in self.strings]
        for place, span in enumerate(spans):
            first = max(bisect_right(self._starts, span.start) - 1, 0)
            counts[first][span.name] += 1
            for number in range(first, bisect_right(self._starts, span.end - 1)):
                own[number].append(place)

        def taken(number: int) -> tuple[Masked, Mapping[str, int]]:
            if not own[number]:
                return self.strings[number], {}
            start = self._starts[number]
            end = start + len(self.strings[number])
            here = [spans[place] for place in own[number]]
            return replaced(self.text, here, start, end), counts[number]

        return taken

    def _add(self, text: Masked, joint: Masked = _BLANK, shared: bool = False) -> int:
        if shared and text in self._seen:
            return self._seen[text]
        number = len(self.strings)
        if shared:
            self._seen[text] = number
        self.strings.append(text)
        self._starts.append(self._length)
        self._pieces += (text, joint)
        self._length += len(text) + len(joint)
        return number

    def _document(self, document: MaskedDocument) -> Callable[[Taken], MaskedDocument]:
        first = len(self.strings)
        name, title = self._add(document.name), self._add(document.title)
        elements = [self._element(element) for element in document.elements]
        after = len(self.strings)
        attachments = [self._attachment(one) for one in document.attachments]

        def build(taken: Taken) -> MaskedDocument:
            counts = Counter(document.masked)
            for number in range(first, after):
                for kind, count in taken(number)[1].items():
                    counts[COUNTED + kind] += count
            return replace(
                document,
                name=taken(name)[0],
                title=taken(title)[0],
                elements=tuple(make(taken) for make in elements),
                masked=dict(sorted(counts.items())),
                attachments=tuple(make(taken) for make in attachments),
            )

        return build

    def _attachment(
        self, attached: MaskedDocument | MaskedFailure
    ) -> Callable[[Taken], MaskedDocument | MaskedFailure]:
        if isinstance(attached, MaskedDocument):
            return self._document(attached)
        name = self._add(attached.name)
        return lambda taken: replace(attached, name=taken(name)[0])

    def _element(self, element: MaskedElement) -> Callable[[Taken], MaskedElement]:
        section = [self._add(part, shared=True) for part in element.section]
        label = self._add(element.label, shared=True) if element.label else -1
        rows = [
            [
                self._add(cell, _BAR if place + 1 < len(row) else _LINE)
                for place, cell in enumerate(row)
            ]
            for row in element.rows
        ]
        text = -1 if rows else self._add(element.text)

        def build(taken: Taken) -> MaskedElement:
            cells = tuple(tuple(taken(number)[0] for number in row) for row in rows)
            readable = _LINE.join(_BAR.join(row) for row in cells) if rows else taken(text)[0]
            return replace(
                element,
                text=readable,
                section=tuple(taken(number)[0] for number in section),
                rows=cells,
                label=taken(label)[0] if label >= 0 else element.label,
            )

        return build
