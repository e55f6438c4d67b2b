"""Person names by lists, case and company: what a name is made of, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from presidio_analyzer import LocalRecognizer, RecognizerResult

from rag.privacy.lexicon import COMMON, GIVEN, SURNAME, flags_of, lexicon, plain, sure
from rag.privacy.pseudonym import PARTICLES, TITLES
from rag.privacy.words import Word, word_set, words

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

_TITLED = word_set(
    """
    mr mrs ms miss mx dr prof professor doctor sir dame lord lady rev reverend sister brother
    nurse judge justice captain capt col colonel sgt sergeant lt herr herrn frau hr fr mme mlle
    madame monsieur maitre sr sra srta senor senora senorita don dona dott dottssa sig signor
    signora ing avv pan pani panem dhr mevr mevrouw meneer patient patientin paciente paziente
    pacjent pacjentka г господин госпожа
    """
)
_ADDRESSES = word_set(
    """
    mr mrs ms miss dr prof sir dame herr herrn frau mme mlle madame monsieur sr sra senor senora
    dott sig signor signora dhr mevr mevrouw pan pani
    """
)
_GREETINGS = word_set(
    """
    dear hi hello hey liebe lieber hallo cher chere bonjour estimado estimada querido querida hola
    caro cara gentile egregio ciao szanowny szanowna drogi droga kochana beste kjære hej hei
    prezado prezada ola regards sincerely gruße grußen cordialement saludos
    """
)
_INSTITUTIONS = word_set(
    """
    university universitat universite hospital klinik clinic library institute institut foundation
    stiftung college school museum airport prize award medal syndrome disease street road avenue
    bank church cathedral theatre stadium park bridge river lake county city state act law effect
    theorem algorithm center centre
    """
)
_PLACES = word_set(
    """
    san santa sao saint st los las new fort mount lake port cape rio cote el la le
    """
)
_BEFORE = word_set(
    """
    for by with from to and or that told asked called named met saw patient nurse doctor colleague
    client customer between when because where while if son daughter wife husband sister brother
    mother father
    """
)
_AFTER = word_set(
    """
    is was has had and said says told asks asked came went lives lived works worked wants wanted
    will who whose signed wrote writes called calls met reports reported moved paid pays arrived
    died
    """
)
# A question asks: "What did Philippa Gresham decide?" The verb may begin it.
_ASKING = word_set("did does do is was has had will would can could should about")
_POSSESSIVE = re.compile("['’]s\\b")
_LOWER_PAIR = re.compile(r"[ _.\-]")
_JOIN = re.compile(r"(?:[ \t]|-|–|‐|‑|\.[ \t]?|[ \t]?\n)?")


class Span(NamedTuple):
    """Words first to last (inclusive) that are one person's name."""

    first: int
    last: int
    score: float


class NameRecognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
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
    place = 0
    count = len(found)
    while place < count:
        word = found[place]
        span = _at(text, found, place) if word.capital else _lower(text, found, place)
        if span is not None and _institution(text, found, span):
            place = span.last + 1
            continue
        if span is not None and _particle(text, found, span.first - 1):
            span = span._replace(first=span.first - 1)
        if span is None:
            place += 1
        else:
            yield span
            place = span.last + 1


def _gap(text: str, found: Sequence[Word], left: int) -> str:
    return text[found[left].end : found[left + 1].start]


def _at(text: str, found: Sequence[Word], place: int) -> Span | None:
    word = found[place]
    flags = flags_of(word.folded)
    initial = len(word.folded) == 1
    if word.folded in _TITLED or word.folded in _GREETINGS:
        return _after_title(text, found, place)
    if initial:
        return _after_initial(text, found, place)
    if not flags & (GIVEN | SURNAME):
        # An unlisted word in front of a surname: Xiomara Nakamura.
        if flags or word.folded in TITLES or len(word.folded) < 3:
            return None
        last = _extend(text, found, place)
        if any(sure(flags_of(found[i].folded)) for i in range(place + 1, last + 1)):
            return Span(place, last, 0.6)
        return _unlisted(text, found, place, last)
    last = _extend(text, found, place)
    inverted = _inverted(text, found, place, last)
    if inverted is not None:
        return Span(place, inverted, 0.75)
    if last > place:
        rest = [flags_of(found[i].folded) for i in range(place + 1, last + 1)]
        if any(map(sure, (flags, *rest))):
            return Span(place, last, 0.8)
        if flags & GIVEN and any(f & SURNAME for f in rest):
            return Span(place, last, 0.5)
        return None
    if flags & COMMON:
        return None
    if len(word.folded) < (4 if word.upper else 3):
        return None
    return Span(place, place, 0.5 if flags & GIVEN else 0.42)


def _particle(text: str, found: Sequence[Word], place: int) -> bool:
    """A particle with a capital in front of a name, as in Lê Thị Lan or Van Dijk."""
    word = found[place] if place >= 0 else None
    return (
        word is not None
        and word.capital
        and len(word.folded) > 1
        and word.folded in PARTICLES
        and _gap(text, found, place) == " "
    )


def _unlisted(text: str, found: Sequence[Word], place: int, last: int) -> Span | None:
    """Two words in no dictionary, capitalised amid English: Wilhelmina Osterbrook."""
    if last - place not in (1, 2):
        return None
    dictionary = False
    for word in found[place : last + 1]:
        piece = text[word.start : word.end]
        flags = flags_of(word.folded)
        if len(piece) < 3 or not piece[1:].islower() or flags & COMMON:
            return None
        dictionary |= bool(flags)
    if flags_of(found[place].folded):
        return None
    if len(found) == last - place + 1 or _POSSESSIVE.match(text, found[last].end):
        return Span(place, last, 0.45)
    if not place:
        return None
    before = found[place - 1]
    after = found[last + 1] if last + 1 < len(found) else None
    if before.folded in _ASKING and _gap(text, found, place - 1) == " ":
        return Span(place, last, 0.45)
    if dictionary:
        return None
    if before.folded in _BEFORE and not before.capital and _gap(text, found, place - 1) == " ":
        return Span(place, last, 0.45)
    if after and after.folded in _AFTER and not after.capital and _gap(text, found, last) == " ":
        return Span(place, last, 0.45)
    return None


def _lower(text: str, found: Sequence[Word], place: int) -> Span | None:
    """A listed given name and surname side by side in lower case: maria gonzalez."""
    if place + 1 >= len(found) or found[place + 1].capital:
        return None
    one = flags_of(found[place].folded)
    if not sure(one):
        return None
    other = flags_of(found[place + 1].folded)
    if not sure(other) or not (one | other) & GIVEN or not (one | other) & SURNAME:
        return None
    if min(len(found[place].folded), len(found[place + 1].folded)) < 3:
        return None
    return Span(place, place + 1, 0.6) if _LOWER_PAIR.fullmatch(_gap(text, found, place)) else None


def _institution(text: str, found: Sequence[Word], span: Span) -> bool:
    """Johns Hopkins University, San Francisco: named after somebody, and nobody's name."""
    if span.last + 1 < len(found) and span.score < 0.75:
        following = found[span.last + 1]
        if following.capital and following.folded in _INSTITUTIONS:
            return _gap(text, found, span.last) == " "
    if span.first == span.last and span.first:
        before = found[span.first - 1]
        return (
            before.capital and before.folded in _PLACES and _gap(text, found, span.first - 1) == " "
        )
    return False


def _extend(text: str, found: Sequence[Word], place: int) -> int:
    """Return the last word of the name that starts at a word."""
    last = look = place
    while look + 1 < len(found) and look - place < 6:
        gap = _gap(text, found, look)
        following = found[look + 1]
        if not gap or not _JOIN.fullmatch(gap) or (gap[0] == "." and len(found[look].folded) > 2):
            break
        beyond = found[look + 2] if look + 2 < len(found) else None
        if (
            following.folded in PARTICLES
            and beyond is not None
            and gap in {" ", "-"}
            and (beyond.capital or not following.capital)
        ):
            look += 1
            continue
        if not _goes_on(found[place], found[look], following, gap):
            break
        look += 1
        last = look
    return last


def _goes_on(first: Word, before: Word, following: Word, gap: str) -> bool:
    """Tell whether a name that began with `first` goes on with a word."""
    flags = flags_of(following.folded)
    listed = flags & (GIVEN | SURNAME)
    if not following.capital:
        return gap == "-" and not plain(flags)
    if "\n" in gap and not flags & SURNAME:
        return False
    if following.folded in _TITLED and following.folded in TITLES and not flags:
        return False
    if plain(flags) and (flags & COMMON or before.folded not in PARTICLES):
        return False
    shouted = first.upper and len(first.folded) > 1
    return listed > 0 or shouted or not following.upper or len(following.folded) not in {2, 3, 4}


def _after_title(text: str, found: Sequence[Word], place: int) -> Span | None:
    look = place
    while look + 1 < len(found):
        gap = _gap(text, found, look)
        if not re.fullmatch(r"\.?[ \t]?|[ \t]?\n?", gap) and not re.fullmatch(
            r",[ \t\n]{1,2}", gap
        ):
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
    flags = flags_of(found[first].folded)
    # Mr Wheatstone is a person, Nurse Training is not.
    if plain(flags) and (flags & COMMON or found[place].folded not in _ADDRESSES):
        return None
    return Span(first, _extend(text, found, first), 0.75)


def _after_initial(text: str, found: Sequence[Word], place: int) -> Span | None:
    """J. R. Hartley: initials count when a surname follows that is no ordinary word."""
    look = place
    while look + 1 < len(found) and len(found[look].folded) == 1 and look - place < 4:
        if (
            _gap(text, found, look) not in {". ", ".", " ", ".-", "-"}
            or not found[look + 1].capital
        ):
            return None
        look += 1
    word = found[look]
    flags = flags_of(word.folded)
    if (
        len(word.folded) < 2
        or text[found[look - 1].end] not in ".-"
        or (word.upper and len(word.folded) < 4)
    ):
        return None
    if place and found[place - 1].end == found[place].start:
        return None
    if plain(flags):
        return None
    if flags & SURNAME or not flags:
        score = 0.7 if flags & SURNAME else 0.45
        return Span(place, _extend(text, found, look) if flags & SURNAME else look, score)
    return None


def _inverted(text: str, found: Sequence[Word], place: int, last: int) -> int | None:
    """González, María: a surname, a comma, a given name."""
    if last + 1 >= len(found) or last - place > 1 or not flags_of(found[place].folded) & SURNAME:
        return None
    following = found[last + 1]
    if not re.fullmatch(r",[ \t]?", _gap(text, found, last)) or not following.capital:
        return None
    flags = flags_of(following.folded)
    if len(following.folded) == 1:
        return last + 1 if text[following.end : following.end + 1] == "." else None
    if not flags & GIVEN or (flags & COMMON and flags_of(found[place].folded) & COMMON):
        return None
    after = _extend(text, found, last + 1)
    # "Kowalski, Anna Nowak and …" is a list of persons, "Kowalski, Anna Maria" one.
    if (
        after > last + 1
        and flags_of(found[after].folded) & SURNAME
        and not flags_of(found[after].folded) & GIVEN
    ):
        return None
    return after
