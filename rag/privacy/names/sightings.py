"""Where else in a document the persons stand who were found once, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from rag.privacy.names import cues
from rag.privacy.names.lexicon import COMMON, GIVEN, PROPER, RARE, SURNAME, flags_of, plain
from rag.privacy.names.neighbours import STRONG, dated, evidence
from rag.privacy.names.reading import Reading, reading
from rag.privacy.names.recognizer import end_of
from rag.privacy.pseudonym import PARTICLES, TITLES, person_key
from rag.privacy.words import fold, word_set
from rag.records import Finding

_LONGEST = 6  # words of one name
_TYPO = 6  # letters of the shortest name that is sought misspelt
_MONTHS = word_set("april may june july august january jan mar jun sun sunday friday")
_GAP = re.compile(r"[ \t_.\-–‐‑+]{1,2}|,[ \t]?|[ \t]?\n|%20")
_TITLE = re.compile(
    r"(?:(?:mrs?|ms|mx|miss|drs?|dra|prof|professor|doctor|univ\.-?prof|sir|dame|lord|lady|rev|"
    r"herrn?|frau|mme|mlle|madame|monsieur|sr|sra|srta|señora?|señorita|senhora?|dott|dott\.ssa|"
    r"sig\.?(?:ra)?|signora?|dipl\.-?ing|avv|pani|mgr|mevr?|mevrouw|meneer|dhr|pt|patient|"
    r"tisztelt|kedves)(?:\.[ \t]?|[ \t])(?:(?:med|h\. ?c|rer|nat|phil|"
    r"jur)\.[ \t])*){1,3}(?=[^\W\d_])",
    re.IGNORECASE,
)
_GIVEN_BEHIND = re.compile(
    r", ?([^\W\d_a-zß-öø-ÿ][^\W\d_A-Z]{2,20})(?: [A-Z]\b\.?)?"
    r"(?=[ \t]*(?:[\n|;\t\"(]|\Z|[-–—] |,? ?\(?(?:MRN|DOB|NHS|SSN|born|aged?|[Rr]oom|[Bb]ed|"
    r"[Ww]ard|\d{1,3} ?y)\b))"
)
_LED = re.compile(
    r"(?:\A|[\n|;\t\"]|(?<![^\W_])(?:[Pp]t|[Pp]atient|[Nn]ame|[Rr]e|RE|PT)[.:]?)[ \t]*\Z"
)
_CAPITALS = re.compile(r"[A-Z]{2} ")
_INITIALS = re.compile(r"(?<![\w.])(?:[^\W\d_a-zß-öø-ÿ]\.[ ]{0,2}){1,3}\Z")
_SUFFIX = re.compile(
    r"(?:,?[ \t](?:Jr|Sr|JR|SR|II|III|IV|V|MD|M\.D|PhD|Ph\.D|DDS|DVM|Esq|MBA|MSc|M\.Sc|BSc|B\.Sc|"
    r"BA|B\.A|MA|M\.A|RN|OBE|MBE|CBE|B\.Eng|MBA\.|FRCS|MRCP|CPA|DO|LLM|LL\.M)\b\.?){1,2}"
)


def everywhere(text: str, found: list[Finding]) -> list[Finding]:
    """Add each place where a person who was found stands again, however it is written.

    Each word of a name counts anywhere in the document: in capitals, in lower case (unless it is
    an ordinary word), joined by hyphen, underscore or dot, as a handle (``mgonzalez``), and with
    one letter wrong. An unknown word beside a known name is taken as of the name, and is then
    sought, too. Initials and degrees beside a name go with it. Findings of other kinds stay as they
    are. Linear in the text.
    """
    persons = [text[f.start : f.end] for f in found if f.entity == "PERSON"]
    if not persons:
        return found
    read = reading(text)
    known = _Known(persons)
    known.take_misspelt(read)
    added = _sightings(read, known)
    grown = [text[finding.start : finding.end] for finding in added]
    if any(word not in known.words for name in grown for word in person_key(name)):
        known = _Known([*persons, *grown])
        added += _sightings(read, known)
    named = [f for f in (*found, *added) if f.entity == "PERSON"]
    return [*found, *added, *_dressed(text, named), *_turned(text, named)]


def untitled(text: str, start: int, end: int) -> int:
    """Return where a name begins behind its titles: they are nobody's, and stay readable."""
    title = _TITLE.match(text, start, end)
    if title is None or (_CAPITALS.match(title[0]) and not text[start:end].isupper()):
        return start  # MR Jiménez has initials
    return title.end()


def _dressed(text: str, persons: Iterable[Finding]) -> Iterator[Finding]:
    """Yield names with the initials in front, the degrees after them, and no gap within."""
    last = -1
    first = 0
    for start, end in sorted({(f.start, f.end) for f in persons}):
        if last >= 0 and last < start <= last + 2 and not text[last:start].strip(" "):
            yield Finding(first, end, "PERSON", 0.8, "Consistency")
        before = _INITIALS.search(text, max(start - 12, 0), start)
        after = _SUFFIX.match(text, end)
        if before or after:
            whole = before.start() if before else start, after.end() if after else end
            yield Finding(*whole, "PERSON", 0.8, "Consistency")
        first, last = start, max(end, last)


def _turned(text: str, persons: Iterable[Finding]) -> Iterator[Finding]:
    """Yield a surname, a comma and a given name that fill a line, a cell, or lead a record."""
    for start, end in sorted({(f.start, f.end) for f in persons}):
        pair = _GIVEN_BEHIND.match(text, end)
        if not pair or " " in text[start:end] or not _LED.search(text, max(start - 12, 0), start):
            continue
        surname, given = (fold(text[start:end]), fold(pair[1]))
        first, other = flags_of(surname), flags_of(given)
        if plain(other) or other & PROPER or (first & GIVEN and not first & SURNAME):
            continue
        yield Finding(start, pair.end(), "PERSON", 0.8, "Consistency")


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

    def take_misspelt(self, read: Reading) -> None:
        """Add the words of a text that are one of the names but for a letter.

        By deletion neighbourhoods, as SymSpell does it: two words that differ by a letter more,
        less, other, or by two swapped, are the same word once a letter is taken out of each.
        """
        index: dict[str, set[str]] = {}
        for name in self.words:
            if len(name) >= _TYPO and name.isalpha():
                for shorter in _shortened(name):
                    index.setdefault(shorter, set()).add(name)
        if not index:
            return
        seen = set()
        for word, flags in zip(read.words, read.flags, strict=True):
            if len(word.folded) < _TYPO - 1 or word.folded in self.words or word.folded in seen:
                continue
            # A word in small letters must be in no dictionary and in no list.
            if plain(flags) or flags & COMMON or (flags and not word.capital):
                continue
            seen.add(word.folded)
            near = {name for shorter in _shortened(word.folded) for name in index.get(shorter, ())}
            if any(_one_letter(word.folded, name) for name in near):
                self.words.add(word.folded)


def _shortened(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(min(len(word), 24)))}


def _one_letter(one: str, other: str) -> bool:
    """Tell whether two words differ by one letter, or by two neighbours that changed places."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if abs(len(a) - len(b)) == 1:
        return a[1:] == b or b[1:] == a
    return len(a) == len(b) and (
        a[1:] == b[1:] or (a[:2] == b[1::-1] and len(b) > 1 and a[2:] == b[2:])
    )


def _sightings(read: Reading, known: _Known) -> list[Finding]:
    added: list[Finding] = []
    run: list[int] = []
    for index, word in enumerate(read.words):
        if word.folded in known.words:
            if run and (run[-1] != index - 1 or not _goes_on(read, index - 1)):
                added += _of_run(read, run, known)
                run = []
            run.append(index)
        elif len(word.folded) > 4 and word.folded in known.handles:
            added.append(_finding(read, index, index))
    added += _of_run(read, run, known)
    return added


def _goes_on(read: Reading, left: int) -> bool:
    """Tell whether a name may go on behind a word: a dot and a space end a sentence."""
    gap = read.gap(left)
    return bool(_GAP.fullmatch(gap)) and (gap != ". " or len(read.words[left].folded) < 4)


def _of_run(read: Reading, run: Sequence[int], known: _Known) -> Iterator[Finding]:
    """Part a run of names that stand side by side into persons."""
    place = 0
    while place < len(run):
        stop = min(len(run), place + _LONGEST)
        while stop > place + 1 and not _full(read, run[place:stop], known):
            stop -= 1
        if stop == place + 1:
            while stop < min(len(run), place + _LONGEST) and not _apart(read, run[stop]):
                stop += 1
        first, last = run[place], run[stop - 1]
        if last > first or _counts_alone(read, first):
            yield _finding(read, _left(read, first), _right(read, last))
        place = stop


def _full(read: Reading, places: Sequence[int], known: _Known) -> bool:
    """Tell whether words are a name that is known in full, each once: not a name and its mail."""
    names = {read.words[index].folded for index in places}
    return len(names) == len(places) and tuple(sorted(names)) in known.full


def _apart(read: Reading, index: int) -> bool:
    gap = read.gap(index - 1)
    return "," in gap or "\n" in gap


def _counts_alone(read: Reading, index: int) -> bool:
    word, flags = read.words[index], read.flags[index]
    if not flags & COMMON and not plain(flags):
        return word.capital or len(word.folded) > 3
    if plain(flags) or not word.capital or word.folded in _MONTHS:
        return False
    if evidence(read, index, index) == STRONG:
        return True
    # Brown, of whom the document speaks in full: inside a sentence, and no part of a title.
    before = read.words[index - 1] if index else None
    after = read.words[index + 1] if index + 1 < len(read.words) else None
    if flags & GIVEN and not flags & (RARE | PROPER) and after and after.folded in cues.AFTER:
        return read.gap(index) == " "
    if before is None or read.gap(index - 1) != " " or before.capital:
        return False
    return after is None or not after.capital or read.gap(index) != " "


def _left(read: Reading, index: int) -> int:
    """Take in an unknown word in front of a surname: Anselm Marchbank."""
    if not index or read.gap(index - 1) != " ":
        return index
    if _given_within(read, index - 1):
        return index - 1
    return index - (not read.flags[index] & GIVEN and _unknown(read, index - 1))


def _given_within(read: Reading, index: int) -> bool:
    """Tell whether an ordinary word is a given name: with a capital behind a small word."""
    if index < 1 or not read.words[index].capital or not read.flags[index] & GIVEN:
        return False
    before = read.words[index - 1]
    return read.gap(index - 1) == " " and not before.capital and not dated(read, index)


def _right(read: Reading, index: int) -> int:
    """Take in an unknown word after a given name."""
    if index + 1 == len(read.words) or not read.flags[index] & GIVEN:
        return index
    return index + (_unknown(read, index + 1) and read.gap(index) == " ")


def _unknown(read: Reading, index: int) -> bool:
    word = read.words[index]
    return (
        word.capital
        and len(word.folded) > 2
        and read.text[word.start + 1 : word.end].islower()
        and not read.flags[index]
        and word.folded not in TITLES
    )


def _finding(read: Reading, first: int, last: int) -> Finding:
    end = end_of(read, last)
    while end < len(read.text) and read.text[end].isdigit():
        end += 1
    return Finding(read.words[first].start, end, "PERSON", 0.8, "Consistency")
