"""Training texts with their labels: templates filled with values, in many styles, without end."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import values

from rag.privacy.names.lexicon import COMMON, GIVEN, ORDINARY, PROPER, SURNAME, lexicon

_SLOT = re.compile(r"\{(\w+)\}")
_RELATIONS = [
    "sister",
    "brother",
    "mother",
    "father",
    "aunt",
    "uncle",
    "wife",
    "husband",
    "son",
    "daughter",
    "cousin",
    "boss",
    "neighbour",
    "friend",
    "colleague",
    "grandmother",
    "partner",
    "roommate",
    "landlord",
    "doctor",
    "lawyer",
]
_JOINTS = ("\n", "\n", " ", " ", "\n\n", "\n\n", " - ", " | ")


@dataclass(slots=True)
class Labelled:
    """A text with disjoint spans in order: start, end, label."""

    text: str
    spans: list[tuple[int, int, str]]


@cache
def templates() -> list[tuple[str, list[str]]]:
    """Return the families and their templates."""
    families: list[tuple[str, list[str]]] = []
    for line in (Path(__file__).parent / "templates.txt").read_text("utf-8").splitlines():
        if line.startswith("## "):
            families.append((line[3:], []))
        elif line and not line.startswith("# "):
            families[-1][1].append(line.replace("~", "\n"))
    return families


@cache
def _words() -> list[str]:
    return sorted(
        one for one, flags in lexicon().items()
        if flags & (COMMON | ORDINARY) and not flags & (PROPER | GIVEN | SURNAME) and 2 < len(one) < 12
    )  # fmt: skip


@cache
def _common() -> list[str]:
    return sorted(
        one for one, flags in lexicon().items()
        if flags & COMMON and not flags & (PROPER | GIVEN | SURNAME) and len(one) > 2
    )  # fmt: skip


def word(rand: random.Random) -> str:
    return rand.choice(_common() if rand.random() < 0.75 else _words())


def fill(template: str, rand: random.Random) -> Labelled:
    """Fill a template's slots."""
    pieces: list[str] = []
    spans = []
    length = place = 0
    for slot in _SLOT.finditer(template):
        if slot.start() > place:
            pieces.append(template[place : slot.start()])
            length += slot.start() - place
        place = slot.end()
        kind = slot.group(1)
        label = ""
        if kind == "w":
            value = word(rand)
        elif kind == "W":
            value = word(rand).capitalize()
        elif kind == "rel":
            value = rand.choice(_RELATIONS)
        elif kind in values.SLOTS:
            label, make = values.SLOTS[kind]
            value = make(rand)
        else:
            raise KeyError(kind)
        if label and not value[:1].isspace():
            spans.append((length, length + len(value), label))
        pieces.append(value)
        length += len(value)
    pieces.append(template[place:])
    return Labelled("".join(pieces), spans)


_SMALL = [
    "the",
    "a",
    "an",
    "of",
    "in",
    "on",
    "at",
    "to",
    "for",
    "with",
    "by",
    "from",
    "and",
    "or",
    "but",
    "is",
    "was",
    "are",
    "were",
    "be",
    "has",
    "had",
    "will",
    "would",
    "can",
    "could",
    "should",
    "may",
    "not",
    "no",
    "yes",
    "this",
    "that",
    "these",
    "those",
    "my",
    "your",
    "his",
    "her",
    "our",
    "their",
    "its",
    "it",
    "he",
    "she",
    "they",
    "we",
    "you",
    "i",
    "as",
    "if",
    "so",
    "than",
    "then",
    "when",
    "where",
    "who",
    "what",
    "how",
    "about",
    "into",
    "over",
    "under",
    "after",
    "before",
    "between",
    "please",
    "thanks",
    "ok",
    "just",
    "only",
    "also",
    "still",
    "very",
    "too",
    "again",
    "now",
    "here",
    "there",
]
_INSERTED = ("per",) * 9 + ("adr",) * 4 + ("city", "country", "org", "org", "id", "id", "product", "date", "street",
             "num", "id", "phone", "eponym", "group", "money", "month", "day", "email", "title", "job")  # fmt: skip


def soup(rand: random.Random) -> Labelled:
    """Return words in no order with values among them: what a value is made of has to tell it."""
    pieces = [
        rand.choice(_SMALL) if rand.random() < 0.5 else "{w}" for _ in range(rand.randint(2, 12))
    ]
    for _ in range(rand.choice((0, 1, 1, 1, 2))):
        slot = "{" + rand.choice(_INSERTED) + "}"
        if rand.random() < 0.2:
            slot += rand.choice((",", ":", "'s", ";", " -", ")"))
        pieces.insert(rand.randint(0, len(pieces)), slot)
    if rand.random() < 0.3:
        pieces.insert(rand.randint(0, len(pieces)), "{W}")
    text = " ".join(pieces) + rand.choice(("", ".", ".", "?", "!", ","))
    return fill(text if text[0] == "{" or rand.random() < 0.3 else text[0].upper() + text[1:], rand)


def joined(texts: list[Labelled], rand: random.Random) -> Labelled:
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = 0
    for number, one in enumerate(texts):
        if number:
            joint = rand.choice(_JOINTS)
            pieces.append(joint)
            length += len(joint)
        spans += [(start + length, end + length, label) for start, end, label in one.spans]
        pieces.append(one.text)
        length += len(one.text)
    return Labelled("".join(pieces), spans)


def _weights() -> tuple[list[list[str]], list[float]]:
    share = {
        "narrative": 17,
        "address": 12,
        "letters": 9,
        "chat": 7,
        "forms": 16,
        "decoys": 11,
        "tongues": 9,
        "tables": 8,
    }
    families = templates()
    return [lines for _, lines in families], [share.get(name, 8) for name, _ in families]


def one(rand: random.Random) -> Labelled:
    """Return one training text."""
    families, weights = _weights()
    count = 1 if rand.random() < 0.6 else rand.randint(2, 5)
    picked = rand.choices(families, weights, k=count)
    text = joined(
        [
            soup(rand) if rand.random() < 0.12 else fill(rand.choice(lines), rand)
            for lines in picked
        ],
        rand,
    )
    if rand.random() < 0.06:
        text = _partly_masked(text, rand)
    return styled(text, rand)


def _partly_masked(text: Labelled, rand: random.Random) -> Labelled:
    """Put masks in place of some values, as a text looks that has been masked."""
    pieces: list[str] = []
    spans = []
    length = place = 0
    for start, end, label in text.spans:
        hidden = label in ("PERSON", "STREET_ADDRESS") and rand.random() < 0.6
        value = values.MASKED if hidden else text.text[start:end]
        pieces += [text.text[place:start], value]
        length += start - place
        if not hidden:
            spans.append((length, length + len(value), label))
        length += len(value)
        place = end
    pieces.append(text.text[place:])
    return Labelled("".join(pieces), spans)


def swapped(text: Labelled, rand: random.Random) -> Labelled:
    """Put other names in a natural text: the sentences stay, the names are no known ones."""
    pieces: list[str] = []
    spans = []
    length = place = 0
    for start, end, label in text.spans:
        value = text.text[start:end]
        count = len(value.split())
        if label == "PERSON" and "\n" not in value and count < 4:
            whole = values.full if count > 1 else values.surname
            value = values.given(rand) if count == 1 and rand.random() < 0.4 else whole(rand)
        elif label == "LOCATION" and rand.random() < 0.4:
            value = values.city(rand)
        elif label == "ORGANIZATION" and rand.random() < 0.4:
            value = values.organisation(rand)
        pieces += [text.text[place:start], value]
        length += start - place
        spans.append((length, length + len(value), label))
        length += len(value)
        place = end
    pieces.append(text.text[place:])
    return Labelled("".join(pieces), spans)


def styled(text: Labelled, rand: random.Random) -> Labelled:
    """Change a text's style as people and machines do."""
    chance = rand.random()
    if chance < 0.10:
        return _same_length(text, text.text.lower())
    if chance < 0.13:
        return _same_length(text, text.text.upper())
    if chance < 0.17:
        return _lower_names(text, rand)
    if chance < 0.25:
        return _mapped(text, lambda one: values.plain_ascii(one))
    if chance < 0.30:
        return _mapped(text, lambda one: _scanned(one, rand))
    if chance < 0.34:
        return _mapped(text, lambda one: _mistyped(one, rand))
    if chance < 0.36:
        return _mapped(text, lambda one: one.replace(" ", "  ") if rand.random() < 0.3 else one)
    return text


def _same_length(text: Labelled, changed: str) -> Labelled:
    if len(changed) != len(text.text):
        return text
    return Labelled(changed, text.spans)


def _lower_names(text: Labelled, rand: random.Random) -> Labelled:
    letters = list(text.text)
    for start, end, label in text.spans:
        if label == "PERSON" or rand.random() < 0.5:
            lowered = text.text[start:end].lower()
            if len(lowered) == end - start:
                letters[start:end] = lowered
    return Labelled("".join(letters), text.spans)


def _mapped(text: Labelled, change) -> Labelled:  # type: ignore[no-untyped-def]
    """Change a text piecewise, so that spans stay where their values are."""
    pieces: list[str] = []
    spans = []
    length = place = 0
    for start, end, label in text.spans:
        before, value = change(text.text[place:start]), change(text.text[start:end])
        pieces += [before, value]
        spans.append((length + len(before), length + len(before) + len(value), label))
        length += len(before) + len(value)
        place = end
    pieces.append(change(text.text[place:]))
    return Labelled("".join(pieces), spans)


_CONFUSED = {
    "o": "0",
    "l": "1",
    "i": "l",
    "e": "c",
    "m": "rn",
    "S": "5",
    "O": "0",
    "I": "l",
    "B": "8",
    "u": "v",
    "h": "b",
}


def _scanned(piece: str, rand: random.Random) -> str:
    return "".join(
        _CONFUSED[letter]
        if letter in _CONFUSED and rand.random() < 0.04
        else "\n"
        if letter == " " and rand.random() < 0.04
        else letter
        for letter in piece
    )


def _mistyped(piece: str, rand: random.Random) -> str:
    letters = list(piece)
    for place in range(len(letters) - 1):
        if letters[place].isalpha() and letters[place + 1].isalpha() and rand.random() < 0.03:
            kind = rand.random()
            if kind < 0.4:
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
            elif kind < 0.7:
                letters[place] = ""
            else:
                letters[place] *= 2
    return "".join(letters)


def endless(seed: int) -> Iterator[Labelled]:
    rand = random.Random(seed)
    while True:
        yield one(rand)


if __name__ == "__main__":
    import itertools
    import time

    values._read()
    began = time.time()
    for example in itertools.islice(endless(1), int(sys.argv[1])):
        if int(sys.argv[1]) < 300:
            print(
                repr(example.text), [example.text[a:b] + "/" + k[:3] for a, b, k in example.spans]
            )
    print(time.time() - began)
