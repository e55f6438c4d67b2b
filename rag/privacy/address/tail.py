"""How far an address goes on to the right and to the left of what began it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rag.privacy.address.items import Item, item, local
from rag.privacy.address.parts import COMMA, NEWLINE, is_house, name, separators, unit
from rag.privacy.address.postcodes import MAYBE, SURE
from rag.privacy.address.tokens import (
    BEFORE,
    BREAK,
    CAPITAL,
    DIGITS,
    NUMBER,
    PUNCTUATION,
    SMALL,
    STOP,
    UNIT,
    Tokens,
)  # fmt: skip
from rag.privacy.names.lexicon import flags_of, plain
from rag.privacy.words import word_set

_ITEMS = 12
_DOOR = re.compile(r"\d{1,2}/\d{1,3}")
_DOTTED = word_set("utca u ut ter korut krt fasor koz setany rakpart sor liget")
_GOES_BEHIND = re.compile(r"[,;.:)\n]|\Z| [^\W\d_A-Z]")
_STOREY = re.compile(r"[ivx]{1,4}")
_PLACED = frozenset({"city", "region", "code", "name", "town", "street"})
_BUILDINGS = word_set(
    "cottage house tower towers court building apartments lodge manor farm villa villas plaza "
    "centre center residency residence mansion mansions heights hall mill barn park flats plot "
    "complex chambers bhavan bhawan niwas sadan society condominium suites block rectory vicarage "
    "arcade mall factory estate gardens terrace edificio edificio palazzo haus hof wing place"
)
_PREFIXES = word_set("so no nr n num number numero № # house hse h hno door d plot holding p dom")
_SHIPS = word_set("uss usns usnv uscgc hms hmas hmcs")
_GOES_ON = word_set(
    "is was has had are were to for in at on and since where until before after from which with "
    "please instead shortly but as by till because when if employer"
)
_YEARS = word_set("in since until till from of by before after around")
_CROSSING = word_set("con entre y esq esquina e cruce")
_UNITS = word_set("apt apartment flat suite unit room floor")
_VERBS = word_set("is was has had are were will can could should does did")


@dataclass(slots=True)
class Tail:
    """What follows the beginning of an address: its end (a token) and the kinds of its parts."""

    end: int
    kinds: list[str] = field(default_factory=list)

    @property
    def supports(self) -> bool:
        """Whether it makes an address of a number beside capitalised words."""
        kinds = self.kinds
        placed = sum(
            kind in {"city", "region", "country", "code", "local", "town"} for kind in kinds
        )
        return "post" in kinds or "unit" in kinds or "street" in kinds or placed > 1


def tail(t: Tokens, start: int) -> Tail:
    """Read parts from a token on, as far as they belong; unknown names count if more follows."""
    start += _door(t, start)
    found = Tail(start)
    pending: list[str] = []
    trail = start
    j = start
    before = ""
    strength = 0
    for _ in range(_ITEMS):
        k, marks = separators(t, _after_dot(t, j))
        if t.word(k) in _CROSSING and t.has(k + 1, BEFORE) and t.has(k + 1, CAPITAL):
            k, marks = k + 1, COMMA
        if before == "post" and t.has(k, SMALL) and not t.has(k, CAPITAL):
            end = name(t, k + 1 + t.has(k + 1, SMALL))
            part: Item | None = Item("name", end, 1) if end > k + 2 or t.capital(k + 1) else None
        else:
            part = _bracket(t, k, before) or item(t, k)
        if part is None or (t.word(part.end) == ":" and marks & NEWLINE and part.kind != "post"):
            break
        if part.kind == "name" and len([kind for kind in pending if kind == "name"]) > 1:
            break
        if _confirmed(t, k, part, marks, before, strength):
            found.end = part.end
            found.kinds += [*pending, part.kind]
            pending = []
            trail = part.end
        else:
            closed = _ends(t, part.end) or t.word(part.end) in _GOES_ON
            named = part.kind == "city" or (part.kind == "name" and _unknown(t, k, part.end))
            if k == start and named and closed:
                trail = part.end
            if (
                part.kind == "name"
                and t.word(part.end) in _GOES_ON
                and not _unknown(t, k, part.end)
            ):
                break
            last_line = marks & NEWLINE and (
                part.end >= len(t) or t.word(part.end) + t.word(part.end + 1) in {"\n\n", "\n"}
            )
            if (
                part.kind == "name"
                and (marks & COMMA or last_line)
                and trail >= j
                and _proper(t, k, part.end)
            ):
                trail = part.end
            pending.append(part.kind)
        # "Trogir 14256": the city was in front, what follows the postcode is something else.
        before = "end" if part.kind == "post" and before in _PLACED and not marks else part.kind
        j = part.end
        strength = part.sure
    if pending and trail > found.end and (_ends(t, trail) or t.word(trail) in _GOES_ON):
        found.end = trail
        found.kinds.append("name")
    return found


def _door(t: Tokens, i: int) -> int:
    """Count the tokens of a storey and door behind a number's dot: "12. 2/5", "7. II/3"."""
    if t.word(i) != "." or not t.has(i - 1, NUMBER):
        return 0
    if _DOOR.fullmatch(t.word(i + 1)):
        return 2
    kind = t.word(i - 3) if t.word(i - 2) == "." else t.word(i - 2)
    if kind in _DOTTED and t.glued(i) and _GOES_BEHIND.match(t.text, t.ends[i]):
        return 1  # Ady Endre u. 3. with
    roman = _STOREY.fullmatch(t.word(i + 1)) and t.word(i + 2) == "/" and t.has(i + 3, NUMBER)
    return 4 if roman else 0


def _after_dot(t: Tokens, i: int) -> int:
    """Pass a number's dot before a floor: "19-21. II. em. 3."."""
    if t.word(i) != "." or not t.glued(i) or not t.has(i - 1, NUMBER):
        return i
    if unit(t, i + 1) or t.word(i + 1) == ",":
        return i + 1
    return i


def _bracket(t: Tokens, i: int, before: str) -> Item | None:
    """Read "(TN)" or "(Roma)" behind a city."""
    if t.word(i) != "(":
        return None
    if before == "country" and ")" in t.folded[i : i + 10]:
        return Item("country", t.folded.index(")", i) + 1, 2)
    end = name(t, i + 1, 3)
    return Item("code", end + 1, 2) if end > i + 1 and t.word(end) == ")" else None


def _ends(t: Tokens, i: int) -> bool:
    return i >= len(t) or t.has(i, BREAK) or t.word(i) in {".", ",", ";", ")", "!", "?", '"', "'"}


def _unknown(t: Tokens, i: int, end: int) -> bool:
    return not any(flags_of(t.word(j)) for j in range(i, end))


def _proper(t: Tokens, i: int, end: int) -> bool:
    return not all(plain(flags_of(t.word(j))) for j in range(i, end) if t.has(j, CAPITAL))


def _confirmed(t: Tokens, i: int, part: Item, marks: int, before: str, strength: int) -> bool:
    if part.kind in {"unit", "local"}:
        return True
    if part.kind == "post":
        return _post(t, i, part, marks, before)
    if before == "post" and not marks & COMMA:
        return part.kind != "street" or strength == SURE
    if part.kind in {"street", "town"}:
        return bool(marks)
    if part.kind == "name":
        return False
    if part.kind == "code":
        return _code(t, part, marks, before)
    if t.word(part.end) in _VERBS and t.word(i - 1) == ".":
        return False
    if part.kind == "country" and (marks or before):
        return True
    if before == "city" and part.kind == "city":
        return True
    if part.sure < 2:
        # "Reading", "Nice": a city when something says so.
        return (t.word(part.end) != ":" and bool(marks & COMMA)) or (
            bool(marks) and (_ends(t, part.end) or before == "post" or _followed(t, part.end))
        )
    return True


def _post(t: Tokens, i: int, part: Item, marks: int, before: str) -> bool:
    if part.sure > MAYBE:
        return True
    if t.has(i - 1, DIGITS) and not before:
        return False  # three groups of digits are a telephone's
    digits = "".join(
        letter for letter in t.text[t.starts[i] : t.ends[part.end - 1]] if letter.isdigit()
    )
    placed = before in {"city", "region", "country", "code", "name", "local", "town", "street"}
    if len(digits) in {5, 6}:
        return placed or bool(marks) or _ends(t, part.end) or t.has(i - 1, CAPITAL)
    if len(digits) == 4 and digits.startswith(("19", "20")) and t.word(i - 1) in _YEARS:
        return False
    if len(digits) == 4 and not digits.startswith(("19", "20")):
        return placed or (bool(marks) and _ends(t, part.end))
    return placed and (before != "name" or len(digits) != 3)


def _code(t: Tokens, part: Item, marks: int, before: str) -> bool:
    if t.word(part.end - 1) == ")":
        return bool(before)
    follower = item(t, separators(t, part.end)[0])
    if follower and follower.kind in {"post", "country"}:
        return True
    closes = _ends(t, part.end) or t.word(part.end) in _GOES_ON
    return part.sure > 1 and bool(marks or before == "city") and closes


def _followed(t: Tokens, i: int) -> bool:
    k, _ = separators(t, i)
    follower = item(t, k)
    return follower is not None and follower.kind in {"post", "country", "code", "region"}


def left(t: Tokens, start: int, wide: bool) -> int:
    """Return where an address begins whose street, city or postcode starts at a token.

    Args:
        wide: Cities and postcodes may stand in front ("1051 Budapest, Fő utca 3").
    """
    first = start
    for _ in range(4):
        previous = _one_left(t, first, wide)
        if previous == first:
            break
        first = previous
    return first


def _one_left(t: Tokens, start: int, wide: bool) -> int:
    first = start
    while first > 0 and (t.word(first - 1) in _PREFIXES or t.word(first - 1) in {".", ":"}):
        word = t.word(first - 1)
        if word in {".", ":"} and t.word(first - 2) not in _PREFIXES:
            break
        if len(word) == 1 and word.isalpha() and t.word(first) != ".":
            break
        if word == "so" and not t.has(first - 1, CAPITAL):
            break
        first -= 1
    stop = first
    if t.has(first, NUMBER) and (
        (t.has(first - 1, UNIT) and (t.has(first - 1, CAPITAL) or t.word(first - 1) in _UNITS))
        or (
            first > 1 and t.word(first - 1) == "." and t.glued(first - 1) and t.has(first - 2, UNIT)
        )
    ):
        return first - 1 if t.word(first - 1) != "." else first - 2
    best = first
    for begin in range(stop - 1, max(stop - 9, -1), -1):
        if t.has(begin, STOP) or t.word(begin) in {"!", "?"}:
            break
        if t.word(begin) == "." and not t.glued(begin + 1) and len(t.word(begin - 1)) > 4:
            break
        if t.has(begin, BREAK | PUNCTUATION) and t.word(begin) != "#":
            continue
        if _reaches(t, begin, stop, wide):
            best = begin
    if best == stop:
        best = _building(t, stop)
    return best


def _reaches(t: Tokens, begin: int, stop: int, wide: bool) -> bool:
    """Whether one part from `begin` on, with separators, ends where the address begins."""
    end = unit(t, begin)
    if not end and wide:
        if local(t, begin):
            end = local(t, begin)
        else:
            part = item(t, begin)
            if part and part.kind in {"city", "region", "country", "post"} and not t.glued(begin):
                end = part.end
                if part.kind == "city" and separators(t, end)[1] & NEWLINE:
                    end = 0
                if part.kind in {"city", "region"} and separators(t, end)[1] == 0 and begin:
                    end = 0
    return bool(end) and separators(t, end)[0] == stop


def _building(t: Tokens, stop: int) -> int:
    """Include "Rose Cottage," or "c/o Jane Doe," in front of an address."""
    last = stop - 1
    while last >= 0 and t.word(last) in {",", "\n"} and stop - last < 3:
        last -= 1
    if last == stop - 1 or last < 0:
        return stop
    first = t.run_before(last, 5)
    if t.word(first - 1) == "o" and t.word(first - 2) == "/" and t.word(first - 3) == "c":
        return first - 3
    while first < last and not t.has(first, CAPITAL):
        first += 1
    ship = next((i for i in range(first, last) if t.word(i) in _SHIPS), -1)
    if ship >= 0 and t.word(stop) in {"apo", "fpo", "dpo"}:
        return ship
    if (
        t.word(first) == "the"
        and t.has(first, CAPITAL)
        and 0 < last - first < 3
        and is_house(t, stop)
    ):
        return first
    if t.word(last) in _BUILDINGS and last > first and t.has(last, CAPITAL):
        return first
    return stop


def city_before(t: Tokens, start: int) -> tuple[int, bool]:
    """Return where the city in front of a postcode or region begins, and whether one is there."""
    first = start
    last = start - 1
    crossed = 0
    while last >= 0 and t.word(last) in {",", "\n", "-"} and crossed < 3:
        last -= 1
        crossed += 1
    if not t.has(last, CAPITAL) or t.has(last, STOP):
        return first, False
    begin = last
    while (
        begin > 0
        and last - begin < 3
        and (t.has(begin - 1, CAPITAL) or (t.has(begin - 1, SMALL) and t.has(begin - 2, CAPITAL)))
        and not t.has(begin - 1, STOP)
    ):
        begin -= 1
    while begin < last and not t.has(begin, CAPITAL):
        begin += 1
    return begin, True
