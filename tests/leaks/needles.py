"""What a text may look like in a file, and finding many of those at once.

A text is sought as it was given, in upper and lower case, composed, decomposed and without
accents, and each of these in the encodings of `FORMS`.
"""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html.entities import codepoint2name
from urllib.parse import quote

import numpy as np

PREFIX = 4
LOSSY = 8
"""Bytes of a text that has lost letters in an encoding, from which on it is sought."""
WINDOW = 2**22
SPACES = re.compile(rb"(?:[\s\-./()]|\xc2\xa0|\xe2\x80[\x80-\x95\xaf])+")
FRACTION = re.compile(rb"\d\.\d{12,}")


@dataclass(frozen=True, slots=True)
class Sought:
    """A text that must not be found.

    Attributes:
        word: It counts only as a word of its own: a surname is a part of other words, too.
    """

    text: str
    word: bool = False


@dataclass(frozen=True, slots=True)
class Needle:
    sought: Sought
    form: str
    data: bytes


def variants(text: str) -> list[str]:
    """Return a text in the cases and normal forms in which it may have been written."""
    cases = dict.fromkeys((text, text.upper(), text.lower(), text.title()))
    made = [form for case in cases for form in (case, *map_forms(case))]
    return list(dict.fromkeys(made))


def map_forms(text: str) -> tuple[str, str, str]:
    """Return a text composed, decomposed, and without accents."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), bare


def _base64(text: str, alphabet: bytes) -> Iterator[bytes]:
    """Yield what is the same in every base64 of a text that holds this one, for each alignment."""
    for codec in ("utf-8", "utf-16-le"):
        data = text.encode(codec)
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + data, altchars=alphabet)
            first = -(-before * 8 // 6)
            whole = (before + len(data)) * 8 // 6
            yield encoded[first:whole]


def _percent(text: str) -> Iterator[bytes]:
    for safe in ("", "/", " @+"):
        said = quote(text, safe=safe)
        yield said.encode()
        yield re.sub(r"%..", lambda code: code[0].lower(), said).encode()
    yield quote(text, safe="").replace("%20", "+").encode()


def _legacy(text: str, codec: str) -> list[bytes]:
    """A text in an old encoding, without the letters that it does not have.

    What is left of a short one stands by chance in what is sealed: ``Muoz`` of Muñoz, once in a
    hundred runs.
    """
    data = text.encode(codec, "ignore")
    return [data] if len(data) == len(text) or len(data) >= LOSSY else []


FORMS: dict[str, Callable[[str], Iterable[bytes]]] = {
    "utf-8": lambda text: [text.encode()],
    "utf-16": lambda text: [text.encode("utf-16-le"), text.encode("utf-16-be")],
    "utf-32": lambda text: [text.encode("utf-32-le"), text.encode("utf-32-be")],
    "latin-1": lambda text: _legacy(text, "latin-1"),
    "cp1250": lambda text: _legacy(text, "cp1250"),
    "base64": lambda text: [*_base64(text, b"+/"), *_base64(text, b"-_")],
    "percent": _percent,
    "json": lambda text: [json.dumps(text)[1:-1].encode()],
    "html": lambda text: [
        html.escape(text).encode("ascii", "xmlcharrefreplace"),
        "".join(f"&{codepoint2name.get(ord(c), '')};" if ord(c) > 127 else c
                for c in text).encode(),
    ],
    "python": lambda text: [repr(text.encode())[2:-1].encode(), ascii(text)[1:-1].encode()],
    "quoted": lambda text: [quopri.encodestring(text.encode()).rstrip()],
    "hex": lambda text: [text.encode().hex().encode()],
}  # fmt: skip
SQUEEZED = "without spaces"
_WIDE = {"utf-16": 2, "utf-32": 4}


def needles(sought: Iterable[Sought]) -> list[Needle]:
    """Return every form of every text, each byte string once.

    A short one that lost its accents counts only as a word: ``JORG`` of Jörg stands by chance in
    what is sealed.
    """
    made: dict[bytes, Needle] = {}
    for one in sought:
        for text in variants(one.text):
            lost = text.isascii() and not one.text.isascii() and len(text) < LOSSY
            wanted = Sought(one.text, word=True) if lost else one
            for form, encode in FORMS.items():
                for data in encode(text):
                    if len(data) >= max(PREFIX, len(text) - 1):
                        made.setdefault(data, Needle(wanted, form, data))
    return list(made.values())


def squeezed(sought: Iterable[Sought]) -> list[Needle]:
    """Return needles to be sought where spaces were taken out: a line may end within a name."""
    made: dict[bytes, Needle] = {}
    for one in sought:
        for text in variants(one.text):
            data = squeeze(text.encode())
            if data != text.encode() and len(data) > 8 and not one.word:
                made.setdefault(data, Needle(one, SQUEEZED, data))
    return list(made.values())


def squeeze(data: bytes) -> bytes:
    """Return bytes without spaces and what else is put into numbers; without long fractions."""
    return SPACES.sub(b"", FRACTION.sub(b"", data))


class Matcher:
    """Finds all needles in one pass over the bytes: by their first four, then whole.

    `numpy` looks at every place of a window at once, so tens of thousands of needles cost no
    more than one.
    """

    def __init__(self, sought: Iterable[Needle]) -> None:
        by_prefix: dict[int, list[Needle]] = defaultdict(list)
        for needle in sought:
            by_prefix[int.from_bytes(needle.data[:PREFIX], "little")].append(needle)
        self._by_prefix = dict(by_prefix)
        self._prefixes = np.array(sorted(by_prefix), np.uint32)
        self._pairs = np.zeros(2**16, bool)
        self._pairs[self._prefixes & 0xFFFF] = True

    def find(self, data: bytes) -> Iterator[tuple[int, Needle]]:
        """Yield where which needle stands."""
        if not len(self._prefixes):
            return
        every = np.frombuffer(data, np.uint8)
        for start in range(0, len(data) - PREFIX + 1, WINDOW):
            part = every[start : start + WINDOW + PREFIX - 1].astype(np.uint32)
            pairs = part[:-3] | part[1:-2] << 8
            at = np.flatnonzero(self._pairs[pairs])
            quads = pairs[at] | part[at + 2] << 16 | part[at + 3] << 24
            place = np.minimum(np.searchsorted(self._prefixes, quads), len(self._prefixes) - 1)
            there = self._prefixes[place] == quads
            for found, quad in zip(at[there].tolist(), quads[there].tolist(), strict=True):
                for needle in self._by_prefix[quad]:
                    if data.startswith(needle.data, start + found) and _counts(
                        data, start + found, needle
                    ):
                        yield start + found, needle


def _counts(data: bytes, at: int, needle: Needle) -> bool:
    """Whether a word stands by itself here; anything else always counts."""
    if not needle.sought.word or needle.form in ("base64", "hex"):
        return True
    codec = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "latin-1": "latin-1"}.get(
        needle.form, "utf-8"
    )
    width = _WIDE.get(needle.form, 1)
    if width > 1 and needle.data[0] == 0:
        codec = codec.replace("le", "be")
    end = at + len(needle.data)
    reach = max(4, width)
    before = data[max(0, at - reach) : at].decode(codec, "ignore")[-1:]
    after = data[end : end + reach].decode(codec, "ignore")[:1]
    return not (before.isalpha() or after.isalpha())
