"""Simple romanisation, as names are typed in English text: no diacritics, no soft signs."""

from __future__ import annotations

import unicodedata

_CYRILLIC = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґљњџћђјқғўҳәүөһҷӣӯ",
        "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya e i i ye g lj nj "
        "dz c dj j q gh o h a u o h j i u".split(),
        strict=True,
    )
)
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(),
        strict=True,
    )
)
_GREEK_PAIRS = (("ου", "ou"), ("αυ", "av"), ("ευ", "ef"), ("μπ", "b"), ("ντ", "nt"), ("γγ", "ng"))
_GEORGIAN = dict(
    zip(
        "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
        "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h".split(),
        strict=True,
    )
)
_ARMENIAN = dict(
    zip(
        "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
        "a b g d e z e y t zh i l kh ts k h dz gh ch m y n sh o ch p j r s v t r ts v p k o f ev".split(),
        strict=True,
    )
)
_TABLES = _CYRILLIC | _GREEK | _GEORGIAN | _ARMENIAN
# The Brahmic blocks of Unicode are laid out alike, 128 code points apart.
_INDIC = range(0x900, 0xC80)
_VOWELS = dict(
    zip(
        (0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E, 0x0F, 0x10, 0x12, 0x13, 0x14),
        "a a i i u u ri e e ai o o au".split(),
        strict=True,
    )
)
_SIGNS = dict(
    zip(
        (0x3E, 0x3F, 0x40, 0x41, 0x42, 0x43, 0x46, 0x47, 0x48, 0x4A, 0x4B, 0x4C),
        "a i i u u ri e e ai o o au".split(),
        strict=True,
    )
)
_CONSONANTS = dict(
    zip(
        range(0x15, 0x3A),
        "k kh g gh n ch chh j jh n t th d dh n t th d dh n n p ph b bh m y r r l l l v sh sh s h".split(),
        strict=True,
    )
)
_HANGUL = range(0xAC00, 0xD7A4)
_INITIALS = "g kk n d tt r m b pp s ss _ j jj ch k t p h".split()
_MEDIALS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = "_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()


def latin(word: str) -> str:
    """Return a word of a Cyrillic, Greek, Georgian, Armenian, Indic or Korean name in Latin
    letters; any other as it is."""
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
    """Consonants carry an ``a`` unless a vowel sign follows; a single last one is silent (Mohan, Mahendra)."""
    written: list[str] = []
    silent = joined = cluster = False
    for letter in word:
        place = (ord(letter) - 0x900) % 0x80
        cluster, joined = joined, place == 0x4D
        if place in _CONSONANTS:
            written += (_CONSONANTS[place], "a")
            silent = True
        elif place in _SIGNS or place == 0x4D:
            if silent and written:
                written.pop()
            written.append(_SIGNS.get(place, ""))
            silent = False
        elif place in (0x01, 0x02):
            written.append("n")
            silent = False
        elif place in _VOWELS:
            written.append(_VOWELS[place])
            silent = False
    if silent and not cluster and len(written) > 3:
        written.pop()
    return "".join(written)
