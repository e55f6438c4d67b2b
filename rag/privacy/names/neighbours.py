"""What stands around a possible name: what speaks for a person, what for a thing."""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.privacy.names import cues
from rag.privacy.names.lexicon import GIVEN, PROPER, SURNAME, plain, sure
from rag.privacy.names.reading import Reading, stands
from rag.privacy.words import word_set

NONE, WEAK, STRONG = 0, 1, 2
_JOINED = re.compile(r" ?(?:&|\+) ?")
_NAMING = cues.GREETINGS | word_set("im name named called surname alias thanks sorry lol gm thx")
_AND = frozenset({"and", "og", "och", "und", "y", "et", "e", "en", "i", "ja", "&"})
_DETERMINERS = frozenset(
    {"the", "a", "an", "this", "that", "our", "your", "his", "her", "their", "my", "its", "any"}
    | {"each", "every", "no", "of", "new", "these", "those", "some", "all", "in", "on", "at"}
)
_FIRM_BEFORE = frozenset({"at", "by", "from", "the", "for", "employer", "bank"})
_VILLAGE = re.compile(
    r"[-–](?:sur|sous|les|lès|la|le|en|près|aux|lez|unter|ob|am|an|im|bei|in)[-–]"
)
_MONTHS = word_set("april may june august january")
_DATING = word_set("in since until till last next this during early late mid of by")
_PLACING = word_set("in into across throughout within outside downtown northern southern central")
_COPIED = frozenset({"cc", "bcc", "attn"})
_OWNED = word_set(
    "appointment birthday passport luggage wedding funeral salary surgery parents kids"
)
_TURN = word_set("i im ill we you yes no ok okay hi hello thanks sorry can could did are what when")
_ROW = 8  # words on either side
_DOTTED = re.compile(
    r",? ?(?:[ASIK]/[SA]\b|S\.? ?A\.?(?: ?S\.| ?de C\.)?|S\. ?L\. ?(?:U\.)?|S\. ?[Rrp]\. ?[lA]\.|"
    r"S\.p\.A\.|S\.Coop|[dj]\. ?[od]\. ?(?:o\.)?|d\.d\.|s\. ?r\. ?o\.|a\. ?s\.|[zZ] ?o\. ?o\.|"
    r"E\.I\.R\.L\.|[BN]\.V\.|L\.L\.[CP]\.|K\.K\.)(?!\w)"
)
"""What firms are written with, by its dots."""
_BLANK_LINE = re.compile(r"[ \t]*\n[ \t]*\n\s*")


def evidence(read: Reading, first: int, last: int) -> int:
    """Return how much speaks for a person: `STRONG` by what stands beside, `WEAK` by the capital.

    A capital inside a sentence, among small words, is weak evidence; that somebody is addressed,
    related, named, or says something is strong.
    """
    if _before(read, first) or _after(read, first, last) or _in_company(read, first, last):
        return STRONG
    if signs(read, first, last):
        return STRONG
    return WEAK if _within_sentence(read, first, last) else NONE


def _before(read: Reading, first: int) -> bool:
    if not first:
        return False
    folded, gap = read.words[first - 1].folded, read.gap(first - 1)
    earlier = read.words[first - 2].folded if first > 1 else ""
    if gap in {"'s ", "’s "}:
        return folded in {"it", "name"}
    if gap in {": ", ", "}:
        return folded in cues.RELATIONS or (folded in _COPIED and gap == ": ")
    if gap != " ":
        return False
    if folded == "is":
        return earlier in {"name", "this", "here"}
    if folded == "am":
        return earlier == "i"
    if folded == "from":
        return earlier in {"heard", "hear"}
    if folded == "of":
        return earlier in cues.PAPERS
    if folded == "its":
        after = read.words[first + 1].folded if first + 1 < len(read.words) else ""
        return after == "here"
    return folded in cues.RELATIONS or folded in cues.TALKING or folded in _NAMING


def _after(read: Reading, first: int, last: int) -> bool:
    if last + 1 >= len(read.words):
        return False
    word, gap = read.words[last + 1], read.gap(last)
    if gap in {"'s ", "’s "}:
        return word.folded in cues.RELATIONS or word.folded in _OWNED
    if gap == ": ":
        start = read.words[last].start
        return word.folded in _TURN and read.text[max(start - 1, 0) : start] in {"", "\n"}
    speaks = gap == " " and not word.capital and word.folded in cues.SPEAKING
    return speaks and not _within_place(read, first)


def _within_place(read: Reading, first: int) -> bool:
    """Tell whether a word that is a place too stands where one does: all in Virginia is shut."""
    return bool(read.flags[first] & PROPER) and follows(read, first, _PLACING)


def _in_company(read: Reading, first: int, last: int) -> bool:
    """Tell whether a listed given name stands beside it in a row: Whitney and Regina."""
    if first > 1 and read.words[first - 1].folded in _AND:
        return _given(read, first - 2) and read.gap(first - 2) == read.gap(first - 1) == " "
    if first and read.gap(first - 1) in {", ", " & "}:
        return _given(read, first - 1)
    after = last + 1
    if after + 1 < len(read.words) and read.words[after].folded in _AND:
        return _given(read, after + 1) and read.gap(last) == read.gap(after) == " "
    return False


def _given(read: Reading, place: int) -> bool:
    flags = read.flags[place]
    return stands(read, place) and sure(flags) and bool(flags & GIVEN)


def signs(read: Reading, first: int, last: int) -> bool:
    """Tell whether a letter's writer signs with it: Cheers, (new line) Sofia."""
    text = read.text
    end = read.words[last].end
    stop = text.find("\n", end)
    if first == 0 or text[end : len(text) if stop < 0 else stop].strip(" .!,"):
        return False
    before, gap = read.words[first - 1], read.gap(first - 1)
    if before.folded in cues.SIGN_OFFS and gap.strip() in {",", "", "!", "."}:
        return True
    return (
        last + 1 == len(read.words) and len(read.words) > 8 and bool(_BLANK_LINE.search(gap + " "))
    )


def _within_sentence(read: Reading, first: int, last: int) -> bool:
    """Tell whether a capital stands among small words, so that it means something."""
    words = read.words
    if not first or words[first].upper:
        return False
    before, gap = words[first - 1], read.gap(first - 1)
    if gap == ", ":
        if read.text[words[last].end : words[last].end + 1] not in {".", "!", "?", ","}:
            return False
    elif gap != " " or before.folded in _DETERMINERS:
        return False
    if before.capital and before.folded not in {"i", "and"}:
        return False
    return last + 1 == len(words) or not words[last + 1].capital or read.gap(last) != " "


def acronym(read: Reading, place: int) -> bool:
    """Tell whether a listed name stands in capitals amid words that do not: the MARC format."""
    word = read.words[place]
    if not word.upper or len(word.folded) < 3:
        return False
    beside = [
        read.words[other]
        for other, gap in ((place - 1, place - 1), (place + 1, place))
        if 0 <= other < len(read.words) and read.gap(gap) == " "
    ]
    if not beside or any(other.upper and len(other.folded) > 1 for other in beside):
        return False
    before = read.words[place - 1].folded if place and read.gap(place - 1) == " " else ""
    return before not in cues.ADDRESSING and before not in cues.TITLED


def dated(read: Reading, place: int) -> bool:
    """Tell whether a month stands there and no name: In May | Kerry complained."""
    return read.words[place].folded in _MONTHS and follows(read, place, _DATING)


def follows(read: Reading, place: int, words: Collection[str]) -> bool:
    """Tell whether one of these words stands right in front, nothing but a space between."""
    return place > 0 and read.gap(place - 1) == " " and read.words[place - 1].folded in words


def of_thing(read: Reading, first: int, last: int) -> bool:
    """Tell whether a name is of a place, a firm, an institution, a disease: nobody's."""
    if last > first and (read.words[last].folded in cues.PLACE_ENDS or is_body(read, first, last)):
        return True
    start, end = read.words[first].start, read.words[last].end
    if _VILLAGE.search(read.text, start, min(end + 7, start + 80)):
        return True
    return _leads_to_thing(read, last) or _follows_thing(read, first, last) or in_firm(
        read, first, last
    )  # fmt: skip


def is_body(read: Reading, first: int, last: int) -> bool:
    """Tell whether what looks like a name ends as institutions and firms do: Red Cross."""
    return last > first and read.words[last].capital and read.words[last].folded in cues.BODIES


def _leads_to_thing(read: Reading, last: int) -> bool:
    if last + 1 >= len(read.words):
        return False
    word, gap = read.words[last + 1], read.gap(last)
    if gap in {" ", "'s ", "’s ", "-"} and not word.upper and word.folded in cues.EPONYMS:
        return True
    if _DOTTED.match(read.text, read.words[last].end):
        return True
    if gap in {" ", ", "} and (word.capital or read.loose):
        return word.folded in cues.INSTITUTIONS or (gap == " " and word.folded in cues.AFTER_PLACES)
    if _JOINED.fullmatch(gap):
        return word.folded in cues.FIRM_ENDS
    return (
        gap == " "
        and word.folded in _AND
        and last + 2 < len(read.words)
        and read.words[last + 2].folded in cues.FIRM_ENDS
        and (read.words[last + 2].capital or read.loose)
    )


def _follows_thing(read: Reading, first: int, last: int) -> bool:
    if not first:
        return False
    before, gap = read.words[first - 1], read.gap(first - 1)
    if gap not in {" ", ". ", ": "}:
        return False
    folded = before.folded
    if folded == "of" and first > 1 and gap == " " and read.words[first - 2].folded in cues.LEADING:
        return True
    if gap == ": " and folded in cues.FIRMS:
        return True
    if _double(read, first, last) and gap == " " and folded in cues.WITH_FIRMS:
        return True
    lone = first == last or all(not flags & GIVEN for flags in read.flags[first : last + 1])
    if not lone:
        return False
    if folded in cues.PLACES and gap != ": ":
        return before.capital or (read.loose and len(folded) > 3)
    if read.flags[first] & GIVEN and first == last:
        return False
    return folded in cues.FIRMS or (gap == " " and folded in cues.AT_FIRMS)


def _double(read: Reading, first: int, last: int) -> bool:
    """Tell whether it is a surname of two, and nothing else: Williams-Kay."""
    return last == first + 1 and read.gap(first) in {"-", "–"} and not read.flags[first] & GIVEN


def in_firm(read: Reading, first: int, last: int) -> bool:
    """Tell whether it is of a row of surnames: Navarrete, Cabrera and Lillo; Marks & Spencer."""
    start, stop = first, last
    while (
        start
        and first - start < _ROW
        and read.gap(start - 1) in {", ", "-"}
        and read.words[start - 1].capital
    ):
        start -= 1
    count = len(read.words)
    while stop + 1 < count and stop - last < _ROW and _of_row(read, stop, stop + 1):
        stop += 1
    if stop + 1 < count and _JOINED.fullmatch(read.gap(stop)) and read.words[stop + 1].capital:
        stop += 1
    elif stop + 2 < count and _and(read, stop) and read.words[stop + 2].capital:
        stop += 2
    elif start > 1 and _and(read, start - 2) and read.words[start - 2].capital:
        return in_firm(read, start - 2, start - 2)
    else:
        return False
    row = [i for i in range(start, stop + 1) if read.words[i].capital]
    amp = any("&" in read.gap(i) for i in range(start, stop))
    commas = any("," in read.gap(i) for i in range(start, stop))
    if not (amp or (commas and len(row) > 2)):
        return False
    if _DOTTED.match(read.text, read.words[stop].end):
        return True
    if stop + 1 < count and read.gap(stop) == " " and read.words[stop + 1].capital:
        return read.words[stop + 1].folded in cues.INSTITUTIONS
    return _surnames(read, row) or (start > 0 and read.words[start - 1].folded in _FIRM_BEFORE)


def _of_row(read: Reading, gap: int, place: int) -> bool:
    return (
        read.gap(gap) in {", ", "-"} and read.words[place].capital and not plain(read.flags[place])
    )


def _and(read: Reading, place: int) -> bool:
    return read.words[place + 1].folded in _AND and read.gap(place) == read.gap(place + 1) == " "


def _surnames(read: Reading, row: list[int]) -> bool:
    flags = [read.flags[place] for place in row]
    return any(not f & GIVEN for f in flags) and sum(bool(f & SURNAME) for f in flags) > 1
