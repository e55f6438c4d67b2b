"""A text as tokens with what each can be in an address; linear in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from rag.privacy.words import fold, word_set

CAPITAL, DIGITS, MIXED, BREAK, PUNCTUATION, UPPER = 1, 2, 4, 8, 16, 32
AFTER, WEAK, BEFORE, ENDING, SOFT = 64, 128, 256, 512, 1024
UNIT, LOCAL, DIRECTION, SMALL, ORG, ORDINAL, STOP = (1 << bit for bit in range(11, 18))
NUMBER = DIGITS | MIXED
KIND = AFTER | WEAK | BEFORE | ENDING
_LIST = Path(__file__).parents[1] / "lists" / "streets.txt"
_ROLES = {
    "after": AFTER, "weak": WEAK, "before": BEFORE, "unit": UNIT, "local": LOCAL,
    "direction": DIRECTION, "small": SMALL, "org": ORG, "stop": STOP,
}  # fmt: skip
# Letters keep the vowel signs of scripts that write them as marks.
_SIGNS = (
    r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0903\u093a-\u094f"
    r"\u0981-\u0983\u09bc-\u09cd\u0a00-\u0dff\u0e31-\u0e4e"
)
_TOKEN = re.compile(
    rf"(?:[^\W_]|[{_SIGNS}])+(?:(?:['’‘`]|[\-–](?!\d{{5}})|(?<=\d)/)(?:[^\W_]|[{_SIGNS}])+)*"
    r"|\n|[^\w\s]|_|\t| {3,}"
)
_ELIDED = re.compile(r"(?:[ldsLDS]|(?:de|a|da|ne|su)ll)['’][^\W\d_a-zà-ÿ]")
_ORDINAL = re.compile(r"\d{1,3}(?:st|nd|rd|th|er|e|o|a|eme|ème|ª|º|°|-й|-я)", re.IGNORECASE)
MONTHS = word_set(
    "january february march april may june july august september october november december"
)


@cache
def _lists() -> tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]:
    roles: dict[str, int] = {}
    endings: dict[str, list[str]] = {"endings": [], "softendings": []}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        role, _, rest = line.partition(":")
        if role in endings:
            endings[role] += rest.split()
        elif role in _ROLES:
            for word in rest.split():
                roles[fold(word)] = roles.get(fold(word), 0) | _ROLES[role]
    for word in ("mar", "sun"):  # streets and towns, more than days
        roles[word] = roles.get(word, 0) & ~STOP
    return roles, tuple(endings["endings"]), tuple(endings["softendings"])


@lru_cache(maxsize=65_536)
def _read(piece: str) -> tuple[str, int]:
    """Return a token's folded form and its bits."""
    if not (piece[0].isalnum() or piece[-1].isalnum()):
        # Tabs and runs of spaces part columns: nothing goes on across them.
        return ("\t" if piece[0] == " " else piece), BREAK if piece.isspace() else PUNCTUATION
    folded = fold(piece)
    if any(map(str.isdigit, piece)):
        if folded.endswith(("-gil", "-ro", "-beon-gil")):
            return folded, AFTER | CAPITAL
        bits = DIGITS if piece.isdigit() else MIXED
        if _ORDINAL.fullmatch(piece):
            bits |= ORDINAL
        return folded, bits
    roles, endings, soft = _lists()
    bits = roles.get(folded, 0)
    if not bits and folded.endswith("s"):
        bits = roles.get(folded[:-1], 0) & WEAK
    letter = piece[0]
    if not letter.islower() or _ELIDED.match(piece):
        bits |= CAPITAL
        if len(piece) > 1 and piece.isupper():
            bits |= UPPER
        last = folded.rpartition("-")[2]
        if last != folded:
            bits |= roles.get(last, 0) & (AFTER | WEAK)
    if not bits & (AFTER | BEFORE | STOP) and len(folded) > 5:
        if folded.endswith(endings) and _stem(folded, endings) > 2:
            bits |= ENDING
        elif folded.endswith(soft) and _stem(folded, soft) > 2:
            bits |= SOFT
    return folded, bits


def bits_of(word: str) -> int:
    """Return the bits of a word; of "rue de", those of its first."""
    return _read(word.partition(" ")[0])[1]


def _stem(folded: str, endings: tuple[str, ...]) -> int:
    return len(folded) - min(len(ending) for ending in endings if folded.endswith(ending))


@dataclass(slots=True)
class Tokens:
    """Tokens of a text: where each starts and ends, its folded form, its bits.

    Attributes:
        loose: The text has no capitals, so that any word can be a name.
        read: What `items.item` found at a token, so that no place is read twice.
    """

    text: str
    starts: list[int]
    ends: list[int]
    folded: list[str]
    bits: list[int]
    loose: bool = False
    read: dict[int, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def surface(self, index: int) -> str:
        return self.text[self.starts[index] : self.ends[index]]

    def glued(self, index: int) -> bool:
        """Whether nothing stands between a token and the one before it."""
        return 0 < index < len(self.starts) and self.starts[index] == self.ends[index - 1]

    def has(self, index: int, bits: int) -> bool:
        return 0 <= index < len(self.starts) and bool(self.bits[index] & bits)

    def capital(self, index: int) -> bool:
        """Whether a token can be part of a name: capitalised, or any word of a text without."""
        if not 0 <= index < len(self.starts):
            return False
        bits = self.bits[index]
        if bits & CAPITAL:
            if bits & STOP and bits & BEFORE:  # Résidence Les Pins
                return self.has(index + 1, CAPITAL) and not self.has(index + 1, STOP)
            return not bits & STOP or (
                self.folded[index] in MONTHS
                and (self.has(index + 1, CAPITAL) or self.has(index - 1, CAPITAL))
            )
        return self.loose and not bits & (STOP | NUMBER | PUNCTUATION | BREAK | SMALL)

    def run_before(self, index: int, most: int) -> int:
        """Return where the words of a name begin that end at a token, `most` of them before it."""
        first = index
        while (
            first > 0
            and index - first < most
            and self.has(first - 1, CAPITAL | SMALL)
            and not self.has(first - 1, STOP)
        ):
            first -= 1
        return first

    def word(self, index: int) -> str:
        """Return a token's folded form; empty beyond the text."""
        return self.folded[index] if 0 <= index < len(self.starts) else ""


def tokens(text: str) -> Tokens:
    """Split a text into words (with inner hyphens), numbers, marks and line breaks."""
    starts: list[int] = []
    ends: list[int] = []
    folded: list[str] = []
    bits: list[int] = []
    for match in _TOKEN.finditer(text):
        form, bit = _read(match.group())
        starts.append(match.start())
        ends.append(match.end())
        folded.append(form)
        bits.append(bit)
    return Tokens(text, starts, ends, folded, bits)
