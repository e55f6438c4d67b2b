"""Text as detection reads it: compatibility forms and invisible characters gone, words folded.

Detection runs over a *view* of a text; findings are mapped back, so that masking happens in the
original at code point offsets, whatever normal form it came in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\u0900-\u0903\u093a-\u094f\u0955-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd"
    "\u0a01-\u0a03\u0a3c-\u0a4d\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82"
    "\u0bbe-\u0bcd\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d"
    "\u0dca-\u0ddf\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
"""Signs that belong to the letter before them, Indic vowels among them; for a regex class."""
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_CLUSTER = re.compile(f"[\\x00-\\x7f]+(?![{MARKS}])|[{_INVISIBLE}]+|.[{MARKS}]*", re.DOTALL)
_WORD = re.compile(
    f"[^\\W\\d_](?:[^\\W\\d_]|[{MARKS}])*(?:['’ʼ`´][^\\W\\d_](?:[^\\W\\d_]|[{MARKS}])*)*"
)
# Letters of other scripts that look like Latin ones, and a Latin letter for each.
_LOOK_ALIKES = (
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχ",
    "ABESIJKMHOPCTYXaesijopcyxdh" + "ABEZHIKMNOPTYXaiknopux",
)
_TO_LATIN = str.maketrans(*_LOOK_ALIKES)
_TO_CYRILLIC = str.maketrans("ABEKMHOPCTXaeopcyx", "АВЕКМНОРСТХаеорсух")
_OTHER_SCRIPT = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_MIXED = re.compile(
    r"\b(?=\w{0,40}[A-Za-z\u00c0-\u024f])(?=\w{0,40}[\u0370-\u03ff\u0400-\u052f])\w+"
)
_BROKEN = re.compile(r"(?<=[^\W_])[-‐]\r?\n[ \t]{0,8}(?=[^\W_])")
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ħ": "h"}
    | dict.fromkeys("'’ʼ`´", "")
)


@dataclass(frozen=True, slots=True)
class View:
    """A text as detection reads it, and where each of its characters comes from.

    Attributes:
        text: NFKC by grapheme, without invisible characters and hyphens at line ends, words of
            two scripts in one.
        starts: Offset in the original where each character's cluster starts; None: identical.
        ends: One past the cluster in the original.
    """

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Map a non-empty range of the view to the original's code points."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def view(text: str) -> View:
    """Return the view of a text; linear in its length, and the text itself where it can be."""
    if text.isascii():
        seen = View(text)
    elif unicodedata.is_normalized("NFKC", text) and not _HIDDEN.search(text):
        seen = View(_MIXED.sub(_one_script, text))
    else:
        seen = _composed(text)
        seen = View(_MIXED.sub(_one_script, seen.text), seen.starts, seen.ends)
    return _unbroken(seen) if "\n" in text and _BROKEN.search(seen.text) else seen


def _composed(text: str) -> View:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(text):
        cluster, start, end = match.group(), match.start(), match.end()
        if cluster.isascii():
            pieces.append(cluster)
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        elif _HIDDEN.match(cluster):
            continue
        else:
            composed = unicodedata.normalize("NFKC", cluster)
            pieces.append(composed)
            starts.extend([start] * len(composed))
            ends.extend([end] * len(composed))
    return View("".join(pieces), starts, ends)


def _one_script(match: re.Match[str]) -> str:
    """Write a word of two scripts in one, where its letters look alike: Pаul with a Russian a."""
    word: str = match.group()
    latin = word.translate(_TO_LATIN)
    if latin.isascii() or not _OTHER_SCRIPT.search(latin):
        return latin
    other = word.translate(_TO_CYRILLIC)
    return word if _LATIN.search(other) else other


def _unbroken(seen: View) -> View:
    """Put together what a hyphen at the end of a line parts: a word, a double name, a number."""
    starts = range(len(seen.text)) if seen.starts is None else seen.starts
    ends = range(1, len(seen.text) + 1) if seen.ends is None else seen.ends
    pieces: list[str] = []
    firsts: list[int] = []
    lasts: list[int] = []
    place = 0
    for match in _BROKEN.finditer(seen.text):
        # Small letters on both sides are one word; else the hyphen is of the name or the number.
        word = seen.text[match.start() - 1].islower() and seen.text[match.end()].islower()
        stop = match.start() + (not word)
        pieces.append(seen.text[place:stop])
        firsts += starts[place:stop]
        lasts += ends[place:stop]
        place = match.end()
    pieces.append(seen.text[place:])
    firsts += starts[place:]
    lasts += ends[place:]
    return View("".join(pieces), firsts, lasts)


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Return a word without case, accents, apostrophes and a possessive ``'s``."""
    if word.isascii():
        folded = word.lower()
    else:
        folded = "".join(
            letter
            for letter in unicodedata.normalize("NFKD", word.casefold())
            if not unicodedata.combining(letter)
        )
    if folded[-2:-1] in {"'", "’", "ʼ", "`", "´"} and folded[-1] == "s" and len(folded) > 2:
        folded = folded[:-2]
    return folded.translate(_LETTERS)


class Word(NamedTuple):
    """A word of a view: where it stands (a possessive ``'s`` left out) and its folded form."""

    start: int
    end: int
    folded: str
    capital: bool
    upper: bool


def words(text: str, start: int = 0, end: int | None = None) -> list[Word]:
    """Return the words of a view in order; hyphens, underscores and digits part words."""
    found = []
    matches = _WORD.finditer(text, start, len(text) if end is None else end)
    for match in matches:
        piece = match.group()
        first, last = match.span()
        if len(piece) > 2 and piece[-1] in "sS" and piece[-2] in "'’ʼ`´":
            last -= 2
        capital = piece[0].isupper()
        found.append(
            Word(first, last, fold(piece), capital, capital and piece[: last - first].isupper())
        )
    return found


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list in the code, which are folded already."""
    return frozenset(text.split())


def fold_phrase(text: str) -> str:
    """Return a phrase's folded words, joined by one space."""
    return " ".join(word.folded for word in words(view(text).text))
