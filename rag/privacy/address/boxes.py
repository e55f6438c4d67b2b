"""Post boxes, rural routes, boxes of the forces."""

from __future__ import annotations

from rag.privacy.address.heads import Head
from rag.privacy.address.parts import separators
from rag.privacy.address.tokens import (
    BREAK,
    CAPITAL,
    DIGITS,
    NUMBER,
    Tokens,
)

_BOXES = (
    ("p", ".", "o", ".", "box"), ("p", ".", "o", "box"), ("po", "box"), ("p", "o", "box"),
    ("p", ".", "o", ".", "b"), ("post", "office", "box"), ("pobox",), ("gpo", "box"),
    ("g", ".", "p", ".", "o", ".", "box"), ("postfach",), ("boite", "postale"), ("bp",),
    ("b", ".", "p", "."), ("apartado",), ("apartado", "de", "correos"), ("apdo",), ("apdo", "."),
    ("casella", "postale"), ("c", ".", "p", "."), ("postbus",), ("caixa", "postal"), ("postboks",),
    ("pb",), ("boks",), ("locked", "bag"), ("private", "bag"), ("psc",), ("cmr",),
    ("rural", "route"),
    ("rr",), ("r", ".", "r", "."), ("hc",), ("highway", "contract"), ("star", "route"), ("box",),
    ("postilokero",), ("pl",), ("a", "/", "ya"), ("а", "/", "я"), ("skrytka", "pocztowa"),
    ("casilla",), ("casilla", "de", "correo"), ("usns",), ("poste", "restante"), ("kotak", "pos"),
    ("p", ".", "o", ".", "boxes"), ("po", "b"), ("postbox",), ("post", "box"), ("postal", "box"),
    ("bag",), ("site",), ("comp",),
)  # fmt: skip
_BOX_STARTS = {box[-1]: [b for b in _BOXES if b[-1] == box[-1]] for box in _BOXES}
_VAGUE_BOXES = {
    ("box",),
    ("pb",),
    ("pl",),
    ("boks",),
    ("hc",),
    ("bp",),
    ("bag",),
    ("site",),
    ("comp",),
    ("casilla",),
    ("star", "route"),
    ("rr",),
}


def box(t: Tokens, n: int) -> Head | None:
    """A post box, a rural route, a military box: "P.O. Box 4471", "PSC 1234, Box 5678"."""
    last = n - 1
    while (
        last >= 0
        and n - last < 4
        and t.word(last) in {"#", "no", "n", "°", ":", ".", "number", "nr"}
    ):
        last -= 1
    for end in (last, last + 1):
        for shape in _BOX_STARTS.get(t.word(end), ()):
            start = end - len(shape) + 1
            if start >= 0 and tuple(t.folded[start : end + 1]) == shape:
                if shape in _VAGUE_BOXES and not t.has(start, CAPITAL):
                    continue
                if t.has(n, NUMBER):
                    stop = n + 1
                    while (
                        t.has(stop, DIGITS)
                        and len(t.word(stop)) < 4
                        and len(t.word(n)) < 4
                        and not t.has(stop - 1, BREAK)
                    ):
                        stop += 1
                    more, _ = separators(t, stop)
                    if t.word(more) == "box" and t.has(more + 1, NUMBER):
                        stop = more + 2
                    return Head(start, stop, shape not in _VAGUE_BOXES or stop > n + 1)
    return None
