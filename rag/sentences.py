"""Where sentences begin and end, for chunking, packing and quoting.

Rules instead of a model: one pass, linear in the text, the same answer everywhere. It errs
towards too long: a sentence cut in two misquotes, two joined merely read on.
"""

from __future__ import annotations

import re

_CANDIDATE = re.compile(
    "[.!?…]+[\"'”’»)\\]]*"  # ends that need white space after them
    "|[。！？｡।॥؟۔։።]+[”’»」』）)]*"  # ends that need none
    "|[•▪◦‣●■]"  # inline bullets start a sentence
    r"|\n\s*"
)
_WORD = re.compile(r"[^\W_]+")
_LIST_MARK = re.compile(r"(?:[-–—*+•▪◦‣●■]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s")
_SOFT = frozenset(".!?…")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Before a capital letter these never end a sentence: a name or a term follows.
_TITLES = _words(
    """mr mrs ms mx dr drs prof st sr sra srta dña hr fr frl herrn mme mlle mgr msgr dott sig ing
    dipl rev hon gen col capt cpt lt sgt maj adm cmdr gov sen rep pres insp supt messrs cf
    vs viz eg ie e.g i.e z.b d.h u.a p.ex bzw ggf inkl incl approx ca resp sog vgl int ext
    tel mob attn dept univ al bldg apt ave blvd ph bs b.v s.a"""
)
# Before a number or another capital these are a reference ("No. 7"), else a word ("No.").
_REFERENCES = _words(
    """no nos nr nrs núm art arts fig figs figure eq eqs sec secs sect ch chap vol vols p pp pg
    pt ed eds abs ziff abb tab ref refs item para paras § op bd"""
)
# Before a number, and written small, these say what a year is: circa, born, died, reigned.
_DATING = _words("c b d r fl")
# These end a sentence when what follows looks like the beginning of one.
_EITHER = _words(
    """etc inc ltd co corp plc llc gmbh bros jr esq u.s u.k u.n e.u d.c a.m p.m am pm ph.d m.d
    b.a m.a b.sc m.sc jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri
    sat sun usw u.s.w dgl ppl max min avg est"""
)
_STARTERS = _words(
    """the a an this that these those it its he she they we you i his her their our your in on at
    by for from to of with as if when while after before since because although however
    but and or so then there here what who why how where which no not all any each every
    some many most both please do does is are was were see note total der die das den dem
    ein eine er sie es wir ihr und aber le la les un une il elle nous vous el los las una
    en se lo gli"""
)
_MONTHS = _words(
    """januar februar märz april mai juni juli august september oktober november dezember jänner
    januára marts maj leden"""
)
_WRAPPED = 48  # characters: a shorter line was not wrapped for width, it is a line of its own


def split(text: str) -> list[tuple[int, int]]:
    """Sentence spans `(start, end)` in reading order.

    The spans do not overlap, begin and end with something visible, and cover every visible
    character of `text`. A table's row (cells joined by `` | ``) is one sentence, and so are a
    list's item and a heading on a line of its own.
    """
    spans: list[tuple[int, int]] = []
    if " | " not in text:
        _split(text, 0, len(text), spans)
        return spans
    prose = at = 0
    for line in text.splitlines(keepends=True):
        end = at + len(line)
        if " | " in line:
            _split(text, prose, at, spans)
            _add(text, at, end, spans)
            prose = end
        at = end
    _split(text, prose, at, spans)
    return spans


def sentences(text: str) -> list[str]:
    """The sentences themselves; see `split`."""
    return [text[start:end] for start, end in split(text)]


def _add(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    bare = piece.lstrip()
    if bare:
        start += len(piece) - len(bare)
        spans.append((start, start + len(bare.rstrip())))


def _split(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    line = start  # where the current line began, to tell wrapped lines from short ones
    for match in _CANDIDATE.finditer(text, start, end):
        here, after = match.span()
        first = text[here]
        if first == "\n":
            if _breaks_at_newline(text, start, line, here, after, end):
                _add(text, start, here, spans)
                start = after
            line = after
        elif first in "•▪◦‣●■":
            _add(text, start, here, spans)
            start = here
        elif first not in _SOFT or _breaks_at_stop(text, start, here, after, end):
            _add(text, start, after, spans)
            start = after
    _add(text, start, end, spans)


def _breaks_at_newline(text: str, start: int, line: int, here: int, after: int, end: int) -> bool:
    if after >= end or text.count("\n", here, after) > 1:
        return True
    if _LIST_MARK.match(text, after):
        return True
    last = text[here - 1] if here > start else "\n"
    if last in ".!?…:;":
        return True
    if last == "\r":
        last = text[here - 2] if here - 1 > start else "\n"
        if last in ".!?…:;":
            return True
    following = text[after]
    return not (following.islower() or last == "," or here - line >= _WRAPPED)


def _breaks_at_stop(text: str, start: int, here: int, after: int, end: int) -> bool:
    if after >= end:
        return True
    if not text[after].isspace():
        return False
    # What follows, past white space and opening marks (a bounded look ahead).
    ahead = text[after : after + 40].lstrip().lstrip("\"'“‘«([¿¡*_#-– ")
    if not ahead:
        return True
    closed = text[after - 1] not in _SOFT
    if text[here] in "!?":
        return not (closed and ahead[0].islower())
    if text[here] == "…" or text.startswith("..", here):
        return not ahead[0].islower()
    tail = text[max(start, here - 24) : here].split()
    word = tail[-1].lstrip("\"'“‘«([") if tail else ""
    if closed and word[:1].isdigit():
        return not ahead[0].islower()
    low = word.lower()
    if ahead[0].islower():
        # Unknown short words are taken for abbreviations, ordinary long ones for ends.
        return (
            len(word) >= 4
            and word.isalpha()
            and word == low
            and low not in _TITLES | _REFERENCES | _EITHER
        )
    if word.isdigit() and len(word) <= 3 and not text[start : here - len(word)].strip():
        return False  # a list's number at the beginning
    return _ends_before_capital(word, low, ahead)


def _ends_before_capital(word: str, low: str, ahead: str) -> bool:
    if low in _TITLES:
        return False
    if low in _REFERENCES:
        return not (ahead[0].isdigit() or (ahead[0].isupper() and not ahead[1:2].isalnum()))
    if word in _DATING and ahead[0].isdigit():
        return False
    following = _WORD.match(ahead)
    next_word = following.group().lower() if following else ""
    if word.isdigit() and len(word) <= 2:
        return next_word not in _MONTHS  # "3. Mai"
    if low in _EITHER or (len(word) == 1 and word.isupper()) or _initials(word):
        return next_word in _STARTERS
    return True


def _initials(word: str) -> bool:
    """``J.R.R``, ``U.S``: single letters with dots between."""
    return len(word) >= 3 and word[1] == "." and all(len(part) == 1 for part in word.split("."))
