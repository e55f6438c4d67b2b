"""Persons in one document: which of the model's names to believe, and where else they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.privacy.names import COMMON, GIVEN, PARTICLES, flags_of, plain, sure
from rag.privacy.pseudonym import TITLES, person_key
from rag.privacy.words import Word, words
from rag.records import Finding

_BREAK = re.compile(r"\n\s*\n|\||[:;]|\t|\n|\d+|[\"“”()\[\]<>/]")
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
            if len(inside) == 1 and flags[0] & COMMON or all(map(plain, flags)):
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
    return [part for piece in pieces for part in _listed(text, *piece)]


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


def _acronyms(text: str, inside: Sequence[Word]) -> bool:
    for word in inside:
        piece = text[word.start : word.end]
        if len(piece) > 1 and not (piece[1:].islower() or piece.isupper() and len(piece) > 4):
            if not re.fullmatch(r"(?:[A-Z]['’]?|Mac|Mc|De|Di|La|Le|Van|Von)[A-Z]?[^\W\d_a-z]?[\w'’]*", piece) or piece.isupper():
                return True
            if re.search(r"[a-z][A-Z]", piece) and not re.match(r"(?:Mac|Mc|De|Di|La|Le|Van|Von|O['’])[A-Z]", piece):
                return True
    return False


def everywhere(text: str, found: list[Finding]) -> list[Finding]:
    """Add each place where a person who was found stands again, however it is written.

    Each word of a name counts anywhere in the document: in capitals, in lower case (unless it is
    an ordinary word), joined by hyphen, underscore or dot, and as a handle (``mgonzalez``).
    Findings of other kinds stay as they are. Linear in the text.
    """
    names: dict[str, bool] = {}
    full: set[tuple[str, ...]] = set()
    handles: set[str] = set()
    for finding in found:
        if finding.entity != "PERSON":
            continue
        key = person_key(text[finding.start : finding.end])
        for word in key:
            if len(word) > 1 and word not in PARTICLES:
                names[word] = True
        if len(key) > 1:
            full.add(key)
            long = [word for word in key if len(word) > 2 and word not in PARTICLES]
            for one in long:
                for other in long:
                    if one != other:
                        handles.update((one + other, one[0] + other, other + one[0]))
    if not names:
        return found
    added: list[Finding] = []
    run: list[Word] = []

    def close() -> None:
        start = 0
        while start < len(run):
            end = len(run)
            while end > start + 1 and tuple(sorted({w.folded for w in run[start:end]})) not in full:
                end -= 1
            if end == start + 1 and not _commas(text, run):
                end = len(run)
            piece = run[start:end]
            if len(piece) > 1 or _lone(piece[0]):
                added.append(_finding(text, piece))
            start = end
        run.clear()

    for word in words(text):
        if word.folded in names:
            if run and not _GAP.fullmatch(text, run[-1].end, word.start):
                close()
            run.append(word)
        elif len(word.folded) > 4 and word.folded in handles:
            added.append(_finding(text, [word]))
    if run:
        close()
    return found + added


def _commas(text: str, run: Sequence[Word]) -> bool:
    return any(
        "," in text[left.end : right.start] or "\n" in text[left.end : right.start]
        for left, right in zip(run, run[1:], strict=False)
    )


def _lone(word: Word) -> bool:
    flags = flags_of(word.folded)
    if flags & COMMON or plain(flags):
        return False
    return word.capital or len(word.folded) > 3


def _finding(text: str, piece: Sequence[Word]) -> Finding:
    end = piece[-1].end
    while end < len(text) and text[end].isdigit():
        end += 1
    return Finding(piece[0].start, end, "PERSON", 0.8, "Consistency")
