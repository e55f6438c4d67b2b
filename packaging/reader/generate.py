"""Questions on handbooks, policies and records, generated: what encyclopaedias do not teach.

A line of `facts.txt` is a sentence with slots in braces, questions that it answers (`? question |
slot`), and questions that only look so (`! question`). Passages are some of these sentences with
their slots filled; a question is asked of one of them, or of a like one that is not there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.models.readable import NAMES

SLOT = re.compile(r"\{(\w+)\}")
FOLDER = Path(__file__).parent
LEAST, MOST = 2, 7
"""Sentences of a passage."""
UNANSWERABLE = 0.5
TITLED = 0.3
"""Share of persons with a title."""
TITLES = ("Dr.", "Ms.", "Mr.", "Prof.", "Nurse", "Sister")


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of sentence.

    Attributes:
        asked: Questions that it answers, and with which slot.
        alike: Questions that it does not answer.
    """

    said: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]
    alike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """A question and the sentences of a passage.

    Attributes:
        answer: None: they do not tell.
        place: Of the sentence that answers; -1: none.
    """

    question: str
    sentences: list[str]
    answer: str | None
    place: int = -1


def facts() -> list[Fact]:
    """Read `facts.txt`: paragraphs of sentences, `?` lines and `!` lines."""
    found = []
    for paragraph in (FOLDER / "facts.txt").read_text("utf-8").split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        asked = [line[2:].rsplit(" | ", 1) for line in lines if line.startswith("? ")]
        alike = [line[2:] for line in lines if line.startswith("! ")]
        said = [line for line in lines if line[:2] not in ("? ", "! ")]
        if said:
            found.append(Fact(tuple(said), tuple((one, slot) for one, slot in asked), tuple(alike)))
    return found


def slots() -> dict[str, list[str]]:
    """Read `slots.txt`: a name, a colon, and values with semicolons between."""
    found = {}
    for line in (FOLDER / "slots.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, values = line.partition(":")
            found[name.strip()] = [value.strip() for value in values.split(";") if value.strip()]
    return found


def generated(seed: int) -> Iterator[Generated]:
    """Yield questions without end."""
    rng = random.Random(seed)
    kinds, values = facts(), slots()
    while True:
        chosen = rng.sample(kinds, rng.randint(LEAST, MOST))
        fillings = [_filled(kind, values, rng) for kind in chosen]
        sentences = [
            _sentence(rng.choice(kind.said), filling)
            for kind, filling in zip(chosen, fillings, strict=True)
        ]
        at = rng.randrange(len(chosen))
        kind, filling = chosen[at], fillings[at]
        question, slot = rng.choice(kind.asked)
        if rng.random() >= UNANSWERABLE:
            yield Generated(_sentence(question, filling), sentences, filling[slot], at)
        elif kind.alike and rng.random() < 0.4:
            yield Generated(_sentence(rng.choice(kind.alike), filling), sentences, None)
        elif rng.random() < 0.8:
            used = [name for name in SLOT.findall(question) if name != slot]
            other = dict(filling)
            for name in used:
                other[name] = _value(name, values, rng, filling[name])
            if not used:
                sentences.pop(at)
            if sentences:
                yield Generated(_sentence(question, other), sentences, None)
        else:
            sentences.pop(at)
            if sentences:
                yield Generated(_sentence(question, filling), sentences, None)


def _filled(kind: Fact, values: dict[str, list[str]], rng: random.Random) -> dict[str, str]:
    names = dict.fromkeys(
        name
        for text in (*kind.said, *kind.alike, *(one for one, _ in kind.asked))
        for name in SLOT.findall(text)
    )
    return {name: _value(name, values, rng) for name in names}


def _value(
    name: str, values: dict[str, list[str]], rng: random.Random, but: str | None = None
) -> str:
    """Fill a slot: `thing2` is another `thing`; `person` is a name, `who` sometimes."""
    kind = name.rstrip("23")
    while True:
        if kind == "person" or (kind == "who" and rng.random() < 0.4):
            value = str(rng.choice(NAMES))
            if rng.random() < TITLED:
                value = f"{rng.choice(TITLES)} {value}"
        elif kind == "count":
            value = str(rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 14, 20, 24, 27, 30, 48, 60, 90, 120)))
        else:
            value = rng.choice(values[kind])
        if value != but:
            return value


def _sentence(pattern: str, filling: dict[str, str]) -> str:
    text = SLOT.sub(lambda match: filling[match.group(1)], pattern)
    return text[0].upper() + text[1:]
