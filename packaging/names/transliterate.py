"""Simple romanisation, as names are typed in English text: no diacritics, no soft signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def _pairs(letters: Iterable[str], written: str) -> dict[str, str]:
    return dict(zip(letters, written.split(), strict=True))


def _listed(written: str) -> list[str]:
    return written.split()


_CYRILLIC = _pairs(
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґљњџћђјқғўҳәүөһҷӣӯ",
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya e i i ye g lj "
    "nj dz c dj j q gh o h a u o h j i u",
)
_GREEK = _pairs("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o")
_GREEK_PAIRS = (("ου", "ou"), ("αυ", "av"), ("ευ", "ef"), ("μπ", "b"), ("ντ", "nt"), ("γγ", "ng"))
_GEORGIAN = _pairs(
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h",
)
_ARMENIAN = _pairs(
    "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
    "a b g d e z e y t zh i l kh ts k h dz gh ch m y n sh o ch p j r s v t r ts v p k o f ev",
)
_TABLES = _CYRILLIC | _GREEK | _GEORGIAN | _ARMENIAN
# The Brahmic blocks of Unicode are laid out alike, 128 code points apart.
_INDIC = range(0x900, 0xC80)
_VOWELS = _pairs("\5\6\7\x08\x09\x0a\x0b\x0e\x0f\x10\x12\x13\x14", "a a i i u u ri e e ai o o au")
_SIGNS = _pairs(">?@ABCFGHJKL", "a i i u u ri e e ai o o au")
_VIRAMA, _NUKTA, _NASALS = "M", "<", "\1\2"
_CONSONANTS = _pairs(
    map(chr, range(0x15, 0x3A)),
    "k kh g gh n ch chh j jh n t th d dh n t th d dh n n p ph b bh m y r r l l l v sh sh s h",
)
_HANGUL = range(0xAC00, 0xD7A4)
_INITIALS = _listed("g kk n d tt r m b pp s ss _ j jj ch k t p h")
_MEDIALS = _listed("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i")
_FINALS = _listed("_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t")


def latin(word: str) -> str:
    """Return a Cyrillic, Greek, Georgian, Armenian, Indic or Korean word in Latin letters."""
    lower = unicodedata.normalize("NFC", word.lower())
    if lower.isascii():
        return word
    if ord(lower[0]) in _INDIC:
        return _indic(lower)
    if ord(lower[0]) in _HANGUL:
        return "".join(map(_syllable, lower))
    lower = lower.replace("ու", "u")  # Armenian writes u with two letters
    if any(letter in _GREEK for letter in lower):
        lower = "".join(
            mark for mark in unicodedata.normalize("NFD", lower) if not unicodedata.combining(mark)
        )
        for pair, written in _GREEK_PAIRS:
            lower = lower.replace(pair, written)
    return "".join(_TABLES.get(letter, letter) for letter in lower).replace("_", "")


def _syllable(letter: str) -> str:
    if ord(letter) not in _HANGUL:
        return letter
    place = ord(letter) - _HANGUL.start
    initial, rest = divmod(place, 588)
    medial, final = divmod(rest, 28)
    return (_INITIALS[initial] + _MEDIALS[medial] + _FINALS[final]).replace("_", "")


def _indic(word: str) -> str:
    """Consonants carry an ``a`` unless a sign follows; a single last one is silent (Mohan)."""
    written: list[str] = []
    silent = joined = cluster = False
    for letter in word:
        # As a character, so that one table serves all blocks.
        place = chr((ord(letter) - 0x900) % 0x80)
        if place == _NUKTA:
            continue
        cluster, joined = joined, place == _VIRAMA
        if place in _CONSONANTS:
            written += (_CONSONANTS[place], "a")
            silent = True
            continue
        if silent and (place in _SIGNS or joined):
            written.pop()
        silent = False
        written.append("n" if place in _NASALS else _SIGNS.get(place, _VOWELS.get(place, "")))
    if silent and not cluster and len(written) > 3:
        written.pop()
    return "".join(written)
