"""Person names by lists, case and company: what a name is made of, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from presidio_analyzer import LocalRecognizer, RecognizerResult

from rag.privacy.names import cues, lower_case
from rag.privacy.names.lexicon import COMMON, GIVEN, PROPER, RARE, SURNAME, lexicon, plain, sure
from rag.privacy.names.lower_case import Span
from rag.privacy.names.neighbours import STRONG, WEAK, acronym, dated, evidence, of_thing, signs
from rag.privacy.names.reading import Reading, reading, stands
from rag.privacy.names.runs import IRISH, extend, inverted
from rag.privacy.pseudonym import PARTICLES, TITLES
from rag.privacy.words import Word, word_set

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

_POSSESSIVE = re.compile("['’]s\\b")
# In front of a surname without a doubt; the rest of the particles may be words of the sentence.
_CLEAR = PARTICLES - word_set("de la las los del des du le l y e i a af av ur te op do al et")
_PROSE = cues.BEFORE | cues.ADDRESSING | cues.AFTER


class NameRecognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Persons by name lists, titles, salutations and initials."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="Names")

    def load(self) -> None:
        lexicon()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        read = reading(text)
        return [
            RecognizerResult(
                "PERSON", read.words[span.first].start, end_of(read, span.last), span.score
            )
            for span in name_spans(read)
        ]


def end_of(read: Reading, last: int) -> int:
    """Return where a name ends whose last word is given; an initial's dot is of it."""
    word = read.words[last]
    return word.end + (len(word.folded) == 1 and read.text.startswith(".", word.end))


def name_spans(read: Reading) -> Iterator[Span]:
    """Find names among the words of a text, left to right, none overlapping."""
    place = 0
    count = len(read.words)
    while place < count:
        if stands(read, place):
            span = _at(read, place)
        elif read.words[place].folded in cues.TITLED:
            span = _after_title(read, place)  # la señora Moore, nurse Robin
        elif read.loose and len(read.words[place].folded) == 1:
            span = _after_initial(read, place)
        else:
            span = lower_case.span_at(read, place)
        if span is None:
            place += 1
            continue
        span = span._replace(first=_with_particles(read, span.first, place))
        if span.titled or not of_thing(read, span.first, span.last):
            yield span
        place = span.last + 1


def _at(read: Reading, place: int) -> Span | None:
    word, flags = read.words[place], read.flags[place]
    if word.folded in cues.TITLED or word.folded in cues.GREETINGS:
        return _after_title(read, place)
    if word.folded in cues.SIGN_OFFS and not flags & (GIVEN | SURNAME):
        return _signed(read, place)
    if len(word.folded) == 1:
        return _after_initial(read, place)
    if word.upper and len(word.folded) in {2, 3} and not sure(flags):
        span = _after_initials(read, place)
        if span is not None:
            return span
    if not flags & (GIVEN | SURNAME):
        # An unlisted word in front of a surname: Xiomara Nakamura.
        if flags or word.folded in TITLES or len(word.folded) < 3:
            return None
        last = extend(read, place)
        turned = inverted(read, place, last)
        if turned is not None:
            return Span(place, turned, 0.6)
        if any(sure(f) for f in read.flags[place + 1 : last + 1]):
            return Span(place, last, 0.6)
        return _unlisted(read, place, last) or _addressed(read, place, last)
    last = extend(read, place)
    turned = inverted(read, place, last)
    if turned is not None:
        return Span(place, turned, 0.75)
    if last > place:
        return _of_words(read, place, last)
    return _alone(read, place)


def _of_words(read: Reading, place: int, last: int) -> Span | None:
    """Judge a run of words of which the first is listed."""
    flags = read.flags[place : last + 1]
    if _leads(read, place, last) or dated(read, place):
        return None
    if any(map(sure, flags)):
        return Span(place, last, 0.8)
    if flags[0] & GIVEN and any(f & SURNAME for f in flags[1:]):
        if not any(f & RARE for f in flags):
            return Span(place, last, 0.5)
        after = read.words[last + 1] if last + 1 < len(read.words) else None
        if evidence(read, place, last) or (after and after.folded in cues.AFTER):
            return Span(place, last, 0.45)
    if flags[0] & GIVEN and not any(flags[1:]) and evidence(read, place, last):
        return Span(place, last, 0.45)
    if _initialed(read, place, last):
        return Span(place, last, 0.45)
    return None


def _initialed(read: Reading, place: int, last: int) -> bool:
    """Tell whether an ordinary word with initials after it is a surname: Walker C."""
    if not read.flags[place] & SURNAME or read.flags[place] & RARE:
        return False
    if any(len(word.folded) > 1 for word in read.words[place + 1 : last + 1]):
        return False
    end = read.words[last].end
    if not read.text.startswith(".", end):
        return False
    stop = read.text[end + 1 : end + 2]
    return stop in {"", "\n", ",", ";", "."} or evidence(read, place, last) > 0


def _leads(read: Reading, place: int, last: int) -> bool:
    """Tell whether a run's first word only leads to the name: Call Anna, Please Robert."""
    flags, following = read.flags[place], read.flags[place + 1]
    if sure(flags) or not sure(following) or not following & GIVEN:
        return False
    if last > place + 1 and flags & SURNAME and read.words[place].folded in PARTICLES:
        return False
    return not flags & GIVEN or bool(flags & RARE)


def _alone(read: Reading, place: int) -> Span | None:
    word, flags = read.words[place], read.flags[place]
    length = len(word.folded)
    if (
        word.folded == "he"
        or dated(read, place)
        or (acronym(read, place) and evidence(read, place, place) < STRONG)
    ):
        return None
    if sure(flags):
        if not word.capital:
            return lower_case.alone(read, place)
        if length < (4 if word.upper else 3) and evidence(read, place, place) < STRONG:
            return None
        return Span(place, place, 0.5 if flags & GIVEN else 0.42)
    usual = not flags & (PROPER | RARE) and length > 2
    after_for = place > 0 and read.words[place - 1].folded in {"for", "with", "by", "from"}
    needed = WEAK if usual and (flags & GIVEN or after_for) else STRONG
    if evidence(read, place, place) < needed:
        return None
    return Span(place, place, 0.45)


def _addressed(read: Reading, place: int, last: int) -> Span | None:
    """A word in no list, where only a person's name can stand: ask Nkechi about it."""
    for word, flags in zip(read.words[place : last + 1], read.flags[place : last + 1], strict=True):
        piece = read.text[word.start : word.end]
        if len(piece) == 1:
            continue
        if flags & COMMON or plain(flags) or not piece[1:].islower() or len(piece) < 3:
            return None
    return Span(place, last, 0.45) if evidence(read, place, last) == STRONG else None


def _with_particles(read: Reading, first: int, limit: int) -> int:
    """Take in the particles in front of a name: van de Ven, Ó Crónghaile, Lê Thị Lan."""
    place = first
    while place and first - place < 3:
        word = read.words[place - 1]
        written = read.text[word.start : word.end]
        if word.folded not in PARTICLES and written not in IRISH:
            break
        if read.gap(place - 1) not in {" ", "-"} or (len(written) == 1 and written not in IRISH):
            break
        place -= 1
    if place == first:
        return first
    clear = any(
        read.words[i].folded in _CLEAR or read.words[i].capital or len(read.words[i].folded) == 1
        for i in range(place, first)
    )
    return place if clear or _opens(read, place) else first


def _opens(read: Reading, place: int) -> bool:
    """Tell whether a name may begin with a word that is also a preposition: de Lacy."""
    if not place or read.gap(place - 1) != " ":
        return True
    before = read.words[place - 1]
    return before.folded in cues.TITLED or before.folded in _PROSE or len(before.folded) == 1


def _unlisted(read: Reading, place: int, last: int) -> Span | None:
    """Two words in no dictionary, capitalised amid English: Wilhelmina Osterbrook."""
    if last - place not in (1, 2, 3):
        return None
    dictionary = False
    for word, flags in zip(read.words[place : last + 1], read.flags[place : last + 1], strict=True):
        piece = read.text[word.start : word.end]
        if len(piece) == 1 and piece.isupper() and word is not read.words[last]:
            continue
        if len(piece) < 3 or not piece[1:].islower() or flags & COMMON:
            return None
        dictionary |= bool(flags)
    if len(read.words) == last - place + 1 or _POSSESSIVE.match(read.text, read.words[last].end):
        return Span(place, last, 0.45)
    if not place:
        return None
    before = read.words[place - 1]
    if before.folded in cues.ASKING and read.gap(place - 1) == " ":
        return Span(place, last, 0.45)
    if dictionary:
        return None
    if before.folded in cues.BEFORE and not before.capital and read.gap(place - 1) == " ":
        return Span(place, last, 0.45)
    after = read.words[last + 1] if last + 1 < len(read.words) else None
    if after and after.folded in cues.AFTER and not after.capital and read.gap(last) == " ":
        return Span(place, last, 0.45)
    return None


def _after_title(read: Reading, place: int) -> Span | None:
    look = place
    titled = read.words[place].folded not in cues.GREETINGS
    while look + 1 < len(read.words):
        gap = read.gap(look)
        if not re.fullmatch(r"\.?[ \t]?|[ \t]?\n?", gap) and not re.fullmatch(
            r",[ \t\n]{1,2}", gap
        ):
            return None
        if "," in gap and titled:
            return None
        following = read.words[look + 1]
        if not stands(read, look + 1):
            if _honour(following):
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
    flags = read.flags[first]
    # Mr Wheatstone is a person, Nurse Training is not.
    if plain(flags) and (flags & COMMON or read.words[place].folded not in cues.ADDRESSES):
        return None
    if len(read.words[first].folded) == 1:
        span = _after_initial(read, first)
        return span and span._replace(score=0.75, titled=titled)
    return Span(first, extend(read, first), 0.75, titled)


def _honour(word: Word) -> bool:
    """A small word between a title and the name: Dr. med., Frau von."""
    if word.folded in PARTICLES:
        return word.folded not in {"a", "e", "i", "y"}
    return word.folded in {"med", "h", "c", "rer", "nat", "phil", "iur", "jur"}


def _signed(read: Reading, place: int) -> Span | None:
    """Any word with a capital that a letter is signed with: Best, (new line) Will."""
    first = place + 1
    if first >= len(read.words) or not re.fullmatch(r"[,!.]?\s{1,4}", read.gap(place)):
        return None
    flags = read.flags[first]
    if not read.words[first].capital or (plain(flags) and flags & COMMON):
        return None
    if len(read.words[first].folded) == 1:
        return _after_initial(read, first)
    last = extend(read, first)
    if not signs(read, first, last) or last - first > 3:
        return None
    if plain(flags) and last > first and not any(map(sure, read.flags[first : last + 1])):
        return None
    return Span(first, last, 0.5)


def _after_initials(read: Reading, place: int) -> Span | None:
    """AJ Cunningham, SB Ndlanzi: initials without dots."""
    word = read.words[place]
    if word.folded in cues.STATES or place + 1 >= len(read.words) or read.gap(place) != " ":
        return None
    following, flags = read.words[place + 1], read.flags[place + 1]
    if not following.capital or following.upper or flags & RARE or not flags & SURNAME:
        return None
    return Span(place, extend(read, place + 1), 0.6)


def _after_initial(read: Reading, place: int) -> Span | None:
    """J. R. Hartley: initials count when a surname follows that is no ordinary word."""
    look = place
    words = read.words
    dotted = False
    while look + 1 < len(words) and len(words[look].folded) == 1 and look - place < 4:
        if read.gap(look) not in {". ", ".", " ", ".-", "-"}:
            return None
        dotted = read.gap(look)[0] in ".-"
        look += 1
    while look + 1 < len(words) and _honour(words[look]) and not words[look].capital:
        look += 1
    word, flags = words[look], read.flags[look]
    if len(word.folded) < 2 or (word.upper and len(word.folded) < 4) or not stands(read, look):
        return None
    if place and words[place - 1].end == words[place].start:
        return None
    if plain(flags):
        return None
    if not dotted:
        # "A Smith was seen" and "I Martin" may be words of the sentence.
        if words[place].folded in {"a", "i", "o", "y", "e"} or not sure(flags):
            return None
        return Span(place, extend(read, look), 0.6) if flags & SURNAME else None
    if flags & COMMON and look == place + 1 and _begins_line(read, place):
        after = read.words[look + 1] if look + 1 < len(read.words) else None
        if not after or after.folded not in cues.AFTER:
            return None  # "A. Page" counts
    if flags & SURNAME:
        return Span(place, extend(read, look), 0.7)
    return Span(place, look, 0.45) if not flags or flags & GIVEN else None


def _begins_line(read: Reading, place: int) -> bool:
    start = read.words[place].start
    return start == 0 or read.text[read.text.rfind("\n", 0, start) + 1 : start].isspace()
