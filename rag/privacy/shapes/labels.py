"""Numbers that a label in front, or behind, gives away: licences, passports, accounts, records.

One walk over the words of a text finds the labels of all kinds; from each label a few words are
read until a number comes that may be what the label says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rag.privacy.shapes.around import measured
from rag.privacy.shapes.cues import CUES, Cue
from rag.privacy.shapes.shape import Found, Shape
from rag.privacy.words import word_set

_REACH = 110  # characters behind a label
_WORDS = 8  # words that say nothing of numbers, between a strong label and its number
_START = re.compile(r"(?<![^\W_])[^\W\d_]")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]|\n")
_CONNECT = word_set(
    """
    no nr num number numbers nummer nummern numero número numéro numer id ids code codes ref
    reference identifier identification card is was are were be been of the a an my your his her
    our their its new old current following s n ist lautet war der die das des mein meine ihre
    seine est était le la les du de son sa es era el su mi è il lo del della e o and or for in
    und et y i to with as reads ending us usa uk eu gb de fr state federal digital valid issued kod
    plate plates licence license value key row field entry line
    """
)
_PIECE = r"[A-Za-z0-9*]{1,24}(?:[\-./·][A-Za-z0-9*]{1,16}){0,6}"
_VALUE = re.compile(
    rf"(?:[A-Z]{{1,5}}[ \-](?=[A-Z]?\d))?(?P<first>{_PIECE})"
    r"(?P<more>(?: (?=[A-Z]{0,5}\d)[A-Z0-9\-/.]{1,8}(?![\w])){1,6})?(?P<last> [A-Z](?![\w'’]|"
    r"\.\w))?"
)
_PLATE = re.compile(r"[A-ZÄÖÜ0-9]{1,17}(?:[ \-·•][A-ZÄÖÜ0-9]{1,5}(?![^\W_])){0,3}(?![^\W_])")
_ANSWER = re.compile(
    r"[.?!][\"'”)]?\s{1,3}(?:[\-–—>•] ?|[^\W\d_]{2,20}: )?"
    r"(?:(?:it|that|this|mine)(?:['’]s| is)|sure|yes|ok(?:ay)?|of course|here (?:it is|you go))?"
    r"[,:.]? ?(?:it(?:['’]s| is) )?",
    re.IGNORECASE,
)
_BUSINESS = re.compile(r"(?:INV|PO|REF|ORD|TKT|SO|RMA|SKU)[ \-#]?[A-Z0-9\-]{0,12}\d", re.IGNORECASE)
_APART = re.compile(r"(?<![^\W_])(?P<letters>[A-Za-z]{1,3})[ \-]$")
_AND = re.compile(r"(?:\s?[,;/&]\s?|\s?,? (?:and|or|und|et|y|e) )")
_DATED = re.compile(
    r"\d{1,2}([./\-])\d{1,2}\1(?:\d{4}|\d{2})$|(?:19|20)\d{2}([./\-])\d{1,2}(?:\2\d{1,2})?$|"
    r"(?:19|20)\d{2}[\-/](?:19|20)?\d{2}$"
)
_AMOUNT = re.compile(
    r"(?i:v)\d+(?:\.\d+){1,3}$|"
    r"\d{1,3}(?:[.,]\d{3})*[.,]\d{1,2}$|\d{1,3}(?:,\d{3})+$|v?\d+(?:\.\d+){1,3}$|\d{1,2}:\d{2}$"
)
_YEAR = re.compile(r"(?:18|19|20)\d{2}$")
_BEHIND = re.compile(
    rf"(?<![\w@./\-])(?P<value>{_PIECE})\s?(?:[(\[]\s?|,\s?|\s[\-–=]\s?|\s(?:is|was|as|ist|est|"
    rf"es) )"
    r"(?:(?:my|the|his|her|their|our|your|a|mein|meine|die|mon|son|mi|su|us|uk|"
    r"[^\W\d_]+['’]s) ){0,2}$",
    re.IGNORECASE,
)
_MOST = {"US_SSN": 11, "US_ITIN": 11, "ROUTING_NUMBER": 9, "UK_NHS": 12}
_FEWEST = {"CREDIT_CARD": 12, "ROUTING_NUMBER": 9, "UK_NHS": 10, "DEVICE_ID": 5}


class _Label(NamedTuple):
    start: int
    end: int
    cue: Cue


def labelled(text: str) -> Iterator[Found]:
    """Yield numbers beside a label that says what they are; the nearest label in front wins."""
    taken: set[int] = set()
    for label in _labels(text):
        found = list(_ahead(text, label))
        if not found and label.cue.strong:
            found = list(_behind(text, label))
        for one in found:
            if one.start not in taken:
                taken.add(one.start)
                yield one


def _labels(text: str) -> Iterator[_Label]:
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    reach = 0
    for match in _START.finditer(lower):
        start = match.start()
        if start < reach:
            continue
        best: _Label | None = None
        for cue in CUES.get(lower[start : start + 2], ()):
            hit = cue.pattern.match(lower, start)
            if hit and (best is None or hit.end() > best.end):
                best = _Label(start, hit.end(), cue)
        if best:
            reach = best.end
            if best.cue.entity:
                yield best


def _ahead(text: str, label: _Label) -> Iterator[Found]:
    words = 0
    for token in _TOKEN.finditer(text, label.end, min(label.end + _REACH, len(text))):
        piece = token.group()
        if piece == "\n":
            if words or text[token.end() : token.end() + 1] == "\n":
                return
            continue
        if piece in "!?;\ufffc" or (piece == "." and _stops(text, token.start())):
            yield from _answer(text, token.start(), label)
            return
        plate = label.cue.entity == "VEHICLE_ID"
        end = _value_end(text, token.start(), plate)
        if end:
            first = _lettered(text, token.start(), label)
            yield from _list(text, first, end, label, words - (first < token.start()))
            return
        if any(map(str.isdigit, piece)):
            return
        if piece[0].isalnum() and piece.lower() not in _CONNECT:
            words += 1
            if words > (_WORDS if label.cue.strong else 1):
                return


def _lettered(text: str, start: int, label: _Label) -> int:
    """Return where a number begins whose letters stand apart in small type: ``ab 1234567``."""
    apart = _APART.search(text, max(start - 5, label.end), start)
    if not apart or apart["letters"].lower() in _CONNECT:
        return start
    return apart.start("letters")


def _answer(text: str, place: int, label: _Label) -> Iterator[Found]:
    """Yield the number of an answer: ``Your licence number? - It is A1234567`` and the like."""
    answer = _ANSWER.match(text, place)
    if answer and label.cue.strong:
        end = _value_end(text, answer.end(), False)
        if end:
            yield from _list(text, answer.end(), end, label, 1)


def _stops(text: str, place: int) -> bool:
    """Tell whether a full stop ends a sentence: ``no. 5`` and ``D.L. 5`` go on."""
    before = re.search(r"([^\W\d_]+)$", text[max(place - 12, 0) : place])
    short = bool(before) and len(before.group()) <= 3 if before else False
    return not short and text[place + 1 : place + 2].isspace()


def _list(text: str, start: int, end: int, label: _Label, words: int) -> Iterator[Found]:
    """Yield the value that starts here, and those that a comma or an ``and`` adds to it."""
    for _ in range(20):
        if not _fits(text, start, end, label.cue, words):
            return
        yield Found(start, end, label.cue.entity, 0.6 if words else 0.75)
        joint = _AND.match(text, end)
        if not joint:
            return
        start = joint.end()
        end = _value_end(text, start, False)
        value = text[start:end]
        if " " in value or sum(map(str.isdigit, value)) < 5:
            return


def _value_end(text: str, start: int, plate: bool) -> int:
    """Return where the number ends that starts here; 0 for a word."""
    match = (_PLATE if plate else _VALUE).match(text, start)
    if not match or not any(map(str.isdigit, match.group())):
        return 0
    if plate:
        return match.end()
    # Grouped numbers are written in short blocks; behind a long one another thing begins.
    if not any(map(str.isdigit, match["first"])) and not match["first"].isupper():
        return 0
    if match["more"] and len(match["first"]) > 6:
        return match.end("first") if any(map(str.isdigit, match["first"])) else 0
    end = match.end() if match["more"] else match.end("first")
    return end - (len(text[start:end]) - len(text[start:end].rstrip("./-")))


def _fits(text: str, start: int, end: int, cue: Cue, words: int) -> bool:
    value = text[start:end]
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    least = max(cue.least, _FEWEST.get(cue.entity, 0))
    if words and not cue.strong and not (letters and digits >= 5 and value.upper() == value):
        return False
    if words:
        least = max(least, 4 if letters else 5)
    elif letters and digits >= 3:
        least = min(least, 4 if not cue.strong else 3)
    if digits < least or digits > _MOST.get(cue.entity, 24):
        return False
    if cue.entity == "BANK_ACCOUNT" and not words and re.match(r"\d\d-\d\d-\d\d$", value):
        return True  # a sort code
    if cue.entity in {"HEALTH_PLAN", "BANK_ACCOUNT", "ID_NUMBER"} and _BUSINESS.match(value):
        return False
    if _DATED.match(value) or _AMOUNT.match(value) or measured(text, start, end):
        return False
    if text[end : end + 1] in {"%", "@"} or text[end : end + 3] == "://":
        return False
    if cue.entity == "VEHICLE_ID" and words and not letters:
        return False
    return not (_YEAR.match(value) and (words or not cue.strong))


def _behind(text: str, label: _Label) -> Iterator[Found]:
    first = max(label.start - 60, 0)
    if not any(map(str.isdigit, text[first : label.start])):
        return
    match = _BEHIND.search(text, first, label.start)
    if match and _fits(text, *match.span("value"), label.cue, 1):
        yield Found(*match.span("value"), label.cue.entity, 0.6)


def first_label(text: str) -> Cue | None:
    """Return the first label in a text such as the head of a column."""
    return next((label.cue for label in _labels(text)), None)


def value_fits(text: str, start: int, end: int, entity: str) -> bool:
    """Tell whether a whole cell may be the number that its column is headed with."""
    least = _FEWEST.get(entity, 4)
    cue = Cue(_START, entity, True, least)
    return len(text[start:end].split()) <= 6 and _fits(text, start, end, cue, 0)


def entities() -> list[str]:
    """Return the kinds that labels tell."""
    return sorted({cue.entity for cues in CUES.values() for cue in cues if cue.entity})


def recognizer() -> Shape:
    """Return the recognizer of labelled numbers."""
    return Shape("Labelled", entities(), labelled)
