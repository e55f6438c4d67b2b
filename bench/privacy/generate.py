"""Labelled texts for judging detection: templates filled with synthetic values, by seed.

Two parts that share nothing but the words' meaning:

* ``dev``: values from Faker, `texts/dev.txt`. Here misses may be read and learnt from.
* ``held``: values from mimesis and lists of its own, `texts/held.txt`, with locales that ``dev``
  leaves out. Only figures of it are looked at.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bench.privacy import styles
from bench.privacy.values import Fill, Piece, Values

Part = Literal["dev", "held"]
TEXTS = Path(__file__).parent / "texts"
_SLOT = re.compile(r"\{([a-z_]+)(\d?)\}")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled range of characters; ``entity`` is one of the policy's kinds."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True)
class Case:
    """A text with everything personal in it labelled, soft kinds (dates, ages) too."""

    text: str
    spans: tuple[Span, ...]
    family: str
    locale: str


@dataclass(frozen=True, slots=True)
class Family:
    """Templates of one manner of writing.

    Attributes:
        share: Of all cases, relative to the other families.
        styles: How often a style of `bench.privacy.styles` is laid over a text, 0 to 1.
    """

    name: str
    share: float
    styles: tuple[tuple[str, float], ...]
    templates: tuple[str, ...]


def cases(part: Part, n: int, seed: int = 0) -> list[Case]:
    """Return ``n`` labelled texts; the same for the same arguments.

    Templates of a family come round in turn, so that few cases show many of them.
    """
    rng = random.Random(f"{part} {seed}")
    shelf = families(part)
    values = _values(part)
    turns = {family.name: _turns(family, rng) for family in shelf}
    chosen = rng.choices(shelf, [family.share for family in shelf], k=n)
    return [_case(family, next(turns[family.name]), values, rng) for family in chosen]


def documents(part: Part, n: int, seed: int = 0, length: int = 4_000) -> list[Case]:
    """Return ``n`` documents of about ``length`` characters: prose and a few people in it.

    The people come up again and again, by surname or given name alone too.
    """
    rng = random.Random(f"{part} {seed} documents")
    (family,) = (family for family in families(part) if family.name == "paragraphs")
    prose = plain(part, traps=False)
    texts = []
    for _ in range(n):
        paragraphs: list[str] = []
        while sum(map(len, paragraphs)) < length:
            paragraphs += (rng.choice(family.templates), rng.choice(prose))
        texts.append("\n\n".join(paragraphs))
    return [_case(family, text, _values(part), rng) for text in texts]


def plain(part: Part, traps: bool = True) -> list[str]:
    """Return paragraphs without personal data: ordinary ones, and ones full of what looks like
    it (eponyms, brands, ships, streets named in passing, numbers of all kinds).
    """
    name = "plain.txt" if part == "dev" else "plain_held.txt"
    ordinary, difficult = (TEXTS / name).read_text("utf-8").split("\n~~~\n")
    text = f"{ordinary}\n\n{difficult}" if traps else ordinary
    return [block for block in re.split(r"\n{2,}", text.strip()) if block]


@cache
def families(part: Part) -> tuple[Family, ...]:
    """Read a part's templates: families under ``== name share style:chance …`` headings.

    A family whose name ends in ``/lines`` has one template a line; in others, templates of
    several lines are parted by ``--``.
    """
    found = []
    for block in re.split(r"^== ", (TEXTS / f"{part}.txt").read_text("utf-8"), flags=re.M)[1:]:
        heading, body = block.split("\n", 1)
        name, share, *laid = heading.split()
        lines = name.endswith("/lines")
        parts = body.split("\n") if lines else re.split(r"^--\n", body, flags=re.M)
        templates = tuple(text.strip("\n") for text in parts if text.strip())
        pairs = tuple((style, float(chance)) for style, chance in (s.split(":") for s in laid))
        found.append(Family(name.removesuffix("/lines"), float(share), pairs, templates))
    return tuple(found)


@cache
def _values(part: Part) -> Values:
    if part == "dev":
        from bench.privacy.from_faker import FakerValues

        return FakerValues()
    from bench.privacy.from_mimesis import MimesisValues

    return MimesisValues()


def _turns(family: Family, rng: random.Random) -> Iterator[str]:
    while True:
        yield from rng.sample(family.templates, len(family.templates))


def _case(family: Family, template: str, values: Values, rng: random.Random) -> Case:
    fill = Fill(values, rng)
    pieces: list[Piece] = []
    place = 0
    for slot in _SLOT.finditer(template):
        pieces.append((template[place : slot.start()], ""))
        pieces += fill.slot(slot[1], int(slot[2] or 1))
        place = slot.end()
    pieces.append((template[place:], ""))
    for style, chance in family.styles:
        if rng.random() < chance:
            change: Callable[[str, random.Random], str] = styles.STYLES[style]
            pieces = [(change(text, rng), entity) for text, entity in pieces]
    spans: list[Span] = []
    place = 0
    for text, entity in pieces:
        if entity and text:
            spans.append(Span(place, place + len(text), entity))
        place += len(text)
    return Case("".join(text for text, _ in pieces), tuple(spans), family.name, fill.locale)
