"""Persons in one document: which of the model's names to believe, and where else they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from rag.privacy.lexicon import COMMON, GIVEN, SURNAME, flags_of, plain, sure
from rag.privacy.pseudonym import PARTICLES, TITLES, person_key
from rag.privacy.words import Word, word_set, words
from rag.records import Finding

_BREAK = re.compile(r"\n\s*\n|\||[:;]|\t|\n|\d+|[\"“”()\[\]<>/]")
_BESIDE = re.compile(r"(?<![^\W\d_])[a-z]\w*,? \Z")
_FOLLOWS = re.compile(r"(?:['’]s)?,? [a-z]")
_NAMELIKE = re.compile(
    r"[^\W\d_]|[^\W\d_a-z][^\W\d_A-Z]*|[^\W\d_a-z]{5,}"
    r"|(?:[^\W\d_a-z]['’ʼ]|Ma?c|D[aei]|L[aei]|V[ao]n|Del|Fitz|Ben)[^\W\d_a-z][^\W\d_A-Z]*"
)
_LONGEST = 6  # words of one name
_MONTHS = word_set(
    """
    april may june july august january jan mar jun sun sunday friday
    """
)
_GAP = re.compile(r"[ \t_.\-–‐‑+]{1,2}|,[ \t]?|[ \t]?\n|%20")


def believable(text: str, ranges: Sequence[tuple[int, int]], masked: bool) -> list[Finding]:
    """Turn the model's PERSON ranges into findings, without what is no name.

    Titles and ordinary words at the edges are taken off, acronyms and product names written
    ``LikeThis`` are no persons. In a text that holds masks already, the model reads odd company
    and a listed name must confirm it, so that masking twice changes nothing.
    """
    found = []
    for first, last in ranges:
        for start, end in _pieces(text, first, last):
            inside = words(text, start, end)
            while inside and _no_name(inside[0]):
                inside.pop(0)
            while inside and _no_name(inside[-1]):
                # Mary Wheatstone: the last word is in a dictionary, and hers all the same.
                before = flags_of(inside[-2].folded) if len(inside) > 1 else 0
                if inside[-1].capital and before & GIVEN and sure(before):
                    break
                inside.pop()
            if not inside:
                continue
            flags = [flags_of(word.folded) for word in inside]
            listed = any(map(sure, flags))
            if not listed and (masked or _acronyms(text, inside)):
                continue
            if len(inside) == 1 and (flags[0] & COMMON or len(inside[0].folded) < 2):
                continue
            if not any(_tells(word, f) for word, f in zip(inside, flags, strict=True)):
                continue
            if len(inside) == 1 and not listed and not _in_sentence(text, inside[0]):
                continue
            score = 0.85 if listed else 0.6
            found.append(Finding(inside[0].start, inside[-1].end, "PERSON", score, "Ner"))
    return found


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces = []
    for match in _BREAK.finditer(text, start, end):
        if match.start() > start:
            pieces.append((start, match.start()))
        start = match.end()
    if start < end:
        pieces.append((start, end))
    whole = [part for piece in pieces for part in _listed(text, *piece)]
    return [part for piece in whole for part in _unbroken(text, *piece)]


def _unbroken(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Part at words that stand in no name: Annegret Schäfer | und Kollegen."""
    inside = words(text, start, end)
    parts = []
    for word in inside:
        if not word.capital and word.folded not in PARTICLES and text[word.start - 1] not in "-‐‑":
            parts.append((start, word.start))
            start = word.end
    return [*parts, (start, end)]


def _listed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Part ``Jenkins, P.O. Box`` at the comma, and leave ``González, María`` whole."""
    parts = []
    for match in re.finditer(",", text[start:end]):
        comma = start + match.start()
        left, right = words(text, start, comma), words(text, comma, end)
        inverted = (
            len(left) == 1
            and 1 <= len(right) <= 3
            and (flags_of(right[0].folded) & GIVEN or len(right[0].folded) == 1)
        )
        if not inverted:
            parts.append((start, comma))
            start = comma + 1
    return [*parts, (start, end)]


def _no_name(word: Word) -> bool:
    if word.folded in TITLES or word.folded in PARTICLES:
        return True
    return not word.capital or plain(flags_of(word.folded))


def _tells(word: Word, flags: int) -> bool:
    """Whether a word speaks for a name: listed as one, or unknown; an initial does not."""
    return len(word.folded) > 1 and not plain(flags) and not (flags & COMMON and flags & SURNAME)


def _in_sentence(text: str, word: Word) -> bool:
    """Tell whether a lower-case word stands beside it; a lone word in a cell says nothing."""
    around = _BESIDE.search(text, max(word.start - 30, 0), word.start)
    return around is not None or _FOLLOWS.match(text, word.end) is not None


def _acronyms(text: str, inside: Sequence[Word]) -> bool:
    """Tell whether a word is written as no name is: HbA1c, OpenSearch, LDL."""
    return any(not _NAMELIKE.fullmatch(text, word.start, word.end) for word in inside)


def everywhere(text: str, found: list[Finding]) -> list[Finding]:
    """Add each place where a person who was found stands again, however it is written.

    Each word of a name counts anywhere in the document: in capitals, in lower case (unless it is
    an ordinary word), joined by hyphen, underscore or dot, and as a handle (``mgonzalez``). An
    unknown word beside a known name is taken as of the name, and is then sought, too.
    Findings of other kinds stay as they are. Linear in the text.
    """
    persons = [text[f.start : f.end] for f in found if f.entity == "PERSON"]
    if not persons:
        return found
    everyone = words(text)
    known = _Known(persons)
    added = _sightings(text, everyone, known)
    grown = [text[finding.start : finding.end] for finding in added]
    if any(word not in known.words for name in grown for word in person_key(name)):
        added += _sightings(text, everyone, _Known([*persons, *grown]))
    return found + added


class _Known:
    """The persons of a document: the words of their names, the full names, their handles."""

    def __init__(self, names: Iterable[str]) -> None:
        self.words: set[str] = set()
        self.full: set[tuple[str, ...]] = set()
        self.handles: set[str] = set()
        for key in {person_key(name) for name in names}:
            own = [word for word in key if len(word) > 1 and word not in PARTICLES]
            self.words.update(own)
            if len(key) > 1:
                self.full.add(key)
                long = [word for word in own if len(word) > 2][:_LONGEST]
                for one, other in permutations(long, 2):
                    self.handles.update((one + other, one[0] + other, other + one[0]))


def _sightings(text: str, everyone: Sequence[Word], known: _Known) -> list[Finding]:
    added: list[Finding] = []
    run: list[int] = []
    for index, word in enumerate(everyone):
        if word.folded in known.words:
            if run and (
                run[-1] != index - 1
                or not _GAP.fullmatch(text, everyone[index - 1].end, word.start)
            ):
                added += _of_run(text, everyone, run, known)
                run = []
            run.append(index)
        elif len(word.folded) > 4 and word.folded in known.handles:
            added.append(_finding(text, word, word))
    added += _of_run(text, everyone, run, known)
    return added


def _of_run(
    text: str, everyone: Sequence[Word], run: Sequence[int], known: _Known
) -> Iterator[Finding]:
    """Part a run of names that stand side by side into persons."""
    place = 0
    while place < len(run):
        stop = min(len(run), place + _LONGEST)
        while stop > place + 1 and (
            tuple(sorted({everyone[index].folded for index in run[place:stop]})) not in known.full
        ):
            stop -= 1
        if stop == place + 1:
            while stop < min(len(run), place + _LONGEST) and not _apart(text, everyone, run[stop]):
                stop += 1
        first, last = run[place], run[stop - 1]
        if last > first or _counts_alone(text, everyone, first):
            yield _finding(
                text, everyone[_left(text, everyone, first)], everyone[_right(text, everyone, last)]
            )
        place = stop


def _apart(text: str, everyone: Sequence[Word], index: int) -> bool:
    gap = text[everyone[index - 1].end : everyone[index].start]
    return "," in gap or "\n" in gap


def _counts_alone(text: str, everyone: Sequence[Word], index: int) -> bool:
    word = everyone[index]
    flags = flags_of(word.folded)
    if not flags & COMMON and not plain(flags):
        return word.capital or len(word.folded) > 3
    if plain(flags) or not word.capital or word.folded in _MONTHS:
        return False
    # Brown, of whom the document speaks in full: inside a sentence, and no part of a title.
    before = everyone[index - 1] if index else None
    after = everyone[index + 1] if index + 1 < len(everyone) else None
    if before is None or text[before.end : word.start] != " " or before.capital:
        return False
    return after is None or not after.capital or text[word.end : after.start] != " "


def _left(text: str, everyone: Sequence[Word], index: int) -> int:
    """Take in an unknown word in front of a surname: Anselm Marchbank."""
    flags = flags_of(everyone[index].folded)
    if not index or flags & GIVEN or not _unknown(text, everyone[index - 1]):
        return index
    return index - (text[everyone[index - 1].end : everyone[index].start] == " ")


def _right(text: str, everyone: Sequence[Word], index: int) -> int:
    """Take in an unknown word after a given name."""
    flags = flags_of(everyone[index].folded)
    if index + 1 == len(everyone) or not flags & GIVEN or not _unknown(text, everyone[index + 1]):
        return index
    return index + (text[everyone[index].end : everyone[index + 1].start] == " ")


def _unknown(text: str, word: Word) -> bool:
    return (
        word.capital
        and len(word.folded) > 2
        and text[word.start + 1 : word.end].islower()
        and not flags_of(word.folded)
        and word.folded not in TITLES
    )


def _finding(text: str, first: Word, last: Word) -> Finding:
    end = last.end
    while end < len(text) and text[end].isdigit():
        end += 1
    return Finding(first.start, end, "PERSON", 0.8, "Consistency")
