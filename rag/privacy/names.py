"""Person names by lists, case and company: what a name is made of, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from presidio_analyzer import LocalRecognizer, RecognizerResult

from rag.privacy.pseudonym import TITLES
from rag.privacy.words import Word, words

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

GIVEN, SURNAME, COMMON = 1, 2, 4
_LISTS = Path(__file__).parent / "lists"
PARTICLES = frozenset(
    "de la las los del della dello degli di da das do dos du des d van von vom zu zum zur der den "
    "ter ten te op bin ibn binti bint al el ul ur y e i af av a mac mc st saint san santa abu ould ap".split()
)
_TITLED = frozenset(
    "mr mrs ms miss mx dr prof professor doctor sir dame lord lady rev reverend sister brother nurse "
    "judge justice captain capt col colonel sgt sergeant lt herr herrn frau hr fr mme mlle madame "
    "monsieur maitre sr sra srta senor senora senorita don dona dott dottssa sig signor signora "
    "ing avv pan pani panem dhr mevr mevrouw meneer bay bayan patient patientin paciente paziente "
    "pacjent pacjentka г господин госпожа".split()
)
_GREETINGS = frozenset(
    "dear hi hello hey liebe lieber hallo cher chere bonjour estimado estimada querido querida hola "
    "caro cara gentile egregio ciao szanowny szanowna drogi droga kochana beste kjære hej hei "
    "prezado prezada ola regards sincerely gruße grußen cordialement saludos".split()
)
_JOIN = re.compile(r"(?:[ \t]|-|–|‐|‑|\.[ \t]?|[ \t]?\n)?")


@cache
def lexicon() -> dict[str, int]:
    """Return what the lists know of each folded word: GIVEN, SURNAME and COMMON as bits."""
    known: dict[str, int] = {}
    for file, flag in (("given.txt", GIVEN), ("surnames.txt", SURNAME), ("words.txt", COMMON)):
        for line in (_LISTS / file).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                for word in line.split():
                    for part in word.split("-") if flag != SURNAME else (word.replace("-", ""),):
                        if len(part) > 1:
                            known[part] = known.get(part, 0) | flag
    return known


class Span(NamedTuple):
    """Words first to last (inclusive) that are one person's name."""

    first: int
    last: int
    score: float


class NameRecognizer(LocalRecognizer):
    """Persons by name lists, titles, salutations and initials."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="Names")

    def load(self) -> None:
        lexicon()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        found = words(text)
        return [
            RecognizerResult("PERSON", found[span.first].start, found[span.last].end, span.score)
            for span in name_spans(text, found)
        ]


def name_spans(text: str, found: Sequence[Word]) -> Iterator[Span]:
    """Find names among the words of a text, left to right, none overlapping."""
    known = lexicon()
    place = 0
    count = len(found)
    while place < count:
        word = found[place]
        if not word.capital:
            place += 1
            continue
        span = _at(text, found, place, known)
        if span is None:
            place += 1
        else:
            yield span
            place = span.last + 1


def _gap(text: str, found: Sequence[Word], left: int) -> str:
    return text[found[left].end : found[left + 1].start]


def _at(text: str, found: Sequence[Word], place: int, known: dict[str, int]) -> Span | None:
    word = found[place]
    flags = known.get(word.folded, 0)
    initial = len(word.folded) == 1
    if word.folded in _TITLED or word.folded in _GREETINGS:
        return _after_title(text, found, place, known)
    if initial:
        return _after_initial(text, found, place, known)
    if not flags & (GIVEN | SURNAME):
        # An unlisted word in front of a surname: Xiomara Nakamura.
        if flags & COMMON or word.folded in TITLES or len(word.folded) < 3:
            return None
        last = _extend(text, found, place, known, strict=True)
        if last > place and any(
            known.get(found[i].folded, 0) & (GIVEN | SURNAME) and not known.get(found[i].folded, 0) & COMMON
            for i in range(place + 1, last + 1)
        ):
            return Span(place, last, 0.6)
        return None
    last = _extend(text, found, place, known, strict=False)
    inverted = _inverted(text, found, place, last, known)
    if inverted is not None:
        return Span(place, inverted, 0.75)
    if last > place:
        rest = [known.get(found[i].folded, 0) for i in range(place + 1, last + 1)]
        sure = [f for f in (flags, *rest) if f & (GIVEN | SURNAME) and not f & COMMON]
        if sure:
            return Span(place, last, 0.8)
        if flags & GIVEN and any(f & SURNAME for f in rest):
            return Span(place, last, 0.5)
        return None
    if flags & COMMON:
        return None
    if word.upper and len(word.folded) < 4:
        return None
    return Span(place, place, 0.5 if flags & GIVEN else 0.42)


def _extend(
    text: str, found: Sequence[Word], place: int, known: dict[str, int], strict: bool
) -> int:
    """Return the last word of the name that starts at a word."""
    last = place
    shouted = found[place].upper and len(found[place].folded) > 1
    look = place
    while look + 1 < len(found) and look - place < 6:
        gap = _gap(text, found, look)
        following = found[look + 1]
        if not _JOIN.fullmatch(gap) or gap == "":
            break
        if gap[0] == "." and len(found[look].folded) > 2:
            break
        if "\n" in gap and not known.get(following.folded, 0) & SURNAME:
            break
        flags = known.get(following.folded, 0)
        if not following.capital:
            if following.folded in PARTICLES and look + 2 < len(found) and gap == " ":
                look += 1
                continue
            break
        if following.folded in _TITLED and following.folded in TITLES and not flags:
            break
        listed = flags & (GIVEN | SURNAME)
        if flags & COMMON and not listed:
            break
        if following.upper and not shouted and not listed and len(following.folded) > 1:
            if len(following.folded) <= 4:
                break
        look += 1
        if len(following.folded) > 1 or gap != "\n":
            last = look
    return last


def _after_title(
    text: str, found: Sequence[Word], place: int, known: dict[str, int]
) -> Span | None:
    look = place
    while look + 1 < len(found):
        gap = _gap(text, found, look)
        if not re.fullmatch(r"\.?[ \t]?|[ \t]?\n?", gap) and not re.fullmatch(r",[ \t\n]{1,2}", gap):
            return None
        if "," in gap and found[place].folded not in _GREETINGS:
            return None
        following = found[look + 1]
        if not following.capital:
            if following.folded in PARTICLES and following.folded not in {"a", "e", "i", "y"}:
                look += 1
                continue
            if following.folded in {"med", "h", "c", "rer", "nat", "phil", "iur", "jur"}:
                look += 1
                continue
            return None
        if following.folded in TITLES and len(following.folded) > 1:
            look += 1
            continue
        break
    else:
        return None
    first = look + 1
    flags = known.get(found[first].folded, 0)
    if flags & COMMON and not flags & (GIVEN | SURNAME):
        return None
    return Span(first, _extend(text, found, first, known, strict=False), 0.75)


def _after_initial(
    text: str, found: Sequence[Word], place: int, known: dict[str, int]
) -> Span | None:
    """J. R. Hartley: initials count when a surname follows that is no ordinary word."""
    look = place
    while look + 1 < len(found) and len(found[look].folded) == 1 and look - place < 4:
        if _gap(text, found, look) not in {". ", ".", " ", ".-", "-"} or not found[look + 1].capital:
            return None
        look += 1
    word = found[look]
    flags = known.get(word.folded, 0)
    if len(word.folded) < 2 or text[found[look - 1].end] not in ".-" or word.upper and len(word.folded) < 4:
        return None
    if place and found[place - 1].end == found[place].start:
        return None
    if flags & COMMON and not flags & SURNAME:
        return None
    if flags & SURNAME or not flags:
        score = 0.7 if flags & SURNAME else 0.45
        return Span(place, _extend(text, found, look, known, strict=True) if flags & SURNAME else look, score)
    return None


def _inverted(
    text: str, found: Sequence[Word], place: int, last: int, known: dict[str, int]
) -> int | None:
    """González, María: a surname, a comma, a given name."""
    if last + 1 >= len(found) or last - place > 1 or not known.get(found[place].folded, 0) & SURNAME:
        return None
    following = found[last + 1]
    if not re.fullmatch(r",[ \t]?", _gap(text, found, last)) or not following.capital:
        return None
    flags = known.get(following.folded, 0)
    if len(following.folded) == 1:
        return last + 1 if text[following.end : following.end + 1] == "." else None
    if not flags & GIVEN or flags & COMMON and known.get(found[place].folded, 0) & COMMON:
        return None
    after = _extend(text, found, last + 1, known, strict=False)
    # "Kowalski, Anna Nowak and …" is a list of persons, "Kowalski, Anna Maria" one.
    if after > last + 1 and known.get(found[after].folded, 0) & SURNAME and not known.get(
        found[after].folded, 0
    ) & GIVEN:
        return None
    return after
