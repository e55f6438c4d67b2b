"""Numbers that states give to persons, found without a label where a mistake is rare.

A number is known by its outline (``999-99-9999``: three digits, two, four) and by its check.
Checks that every tenth number passes (Dutch BSN, Canadian SIN, Australian TFN, Croatian OIB,
Portuguese NIF, US routing, Japanese My Number, Norwegian or Bulgarian numbers without a
separator) are too weak to go without a label when no date is part of the number: those are left
to `labels`, which needs no check. What is found here without a label has a telling outline
(hyphens, letters), a date inside, or two check characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rag.privacy.shapes import checks
from rag.privacy.shapes.around import label_before, measured
from rag.privacy.shapes.shape import Found, Shape


class _Kind(NamedTuple):
    """What a number of some outline may be.

    Attributes:
        check: Takes the number without separators, in capitals.
        cautious: A label of business in front or a unit behind speaks against it.
    """

    entity: str
    check: Callable[[str], bool]
    score: float = 0.7
    cautious: bool = True


_DASH = "-‐‑‒–"
_TOKEN = re.compile(
    # Blocks of letters and digits with one separator between; a digit in it somewhere. Blocks
    # behind a space count only when they have digits, or one letter at the end.
    r"(?<![\w@.+/#])(?<!\d,)(?:[A-Za-z]{1,6}-?)?\d[A-Za-z0-9]{0,20}(?:[./\-‐‑‒–][A-Za-z0-9]{1,12}|"
    r" \d[A-Za-z0-9]{0,8}| [A-Z](?![\w])|\([A0-9]\)){0,8}(?![\w@]|[.,/\-]\w)"
)
_OUTLINE = str.maketrans(
    {**dict.fromkeys("0123456789", "9"), **dict.fromkeys(_DASH, "-")}
    | dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A")
)


def _ssn(number: str) -> bool:
    return number.strip("0") != ""


def _itin(number: str) -> bool:
    return number[0] == "9" and number[3:5] >= "50"


def _nino(code: str) -> bool:
    return code[0] not in "DFIUV" and code[1] not in "DFIOUV" and code[8] in "ABCD"


def _pan(code: str) -> bool:
    return code[3] in "PCHABGJLFT"


def _rfc(code: str) -> bool:
    return checks.short_date(code[4:10])


def _dea(code: str) -> bool:
    return code[0] in "ABCDEFGHJKLMPRSTUX" and checks.dea(code)


def _mbi(code: str) -> bool:
    return code[0] != "0" and not set(code) & set("SLOIBZ")


_KINDS: dict[str, tuple[_Kind, ...]] = {
    "999-99-9999": (
        _Kind("US_ITIN", _itin, 0.7, cautious=False),
        _Kind("US_SSN", _ssn, 0.7, cautious=False),
    ),
    "999 99 9999": (_Kind("US_ITIN", _itin, 0.6), _Kind("US_SSN", _ssn, 0.6)),
    "999.99.9999": (_Kind("US_SSN", _ssn, 0.45),),
    "999999999": (_Kind("ID_NUMBER", lambda n: len(set(n)) > 4 and n[-3:] != "000", 0.42),),
    "999 999 9999": (_Kind("UK_NHS", checks.nhs, 0.65),),
    "AA 99 99 99 A": (_Kind("UK_NINO", _nino, 0.8), _Kind("NATIONAL_ID", lambda c: True, 0.6)),
    "AA999999A": (_Kind("UK_NINO", _nino, 0.7),),
    "AA99 99 99A": (_Kind("UK_NINO", _nino, 0.8),),
    "AA999999 A": (_Kind("UK_NINO", _nino, 0.8),),
    "AA 999999 A": (_Kind("UK_NINO", _nino, 0.8),),
    "AA-99-99-99-A": (_Kind("UK_NINO", _nino, 0.8),),
    "99999999A": (_Kind("ES_NIF", checks.dni),),
    "99999999-A": (_Kind("ES_NIF", checks.dni),),
    "99.999.999-A": (_Kind("ES_NIF", checks.dni), _Kind("NATIONAL_ID", checks.rut)),
    "A9999999A": (
        _Kind("ES_NIF", lambda c: c[0] in "XYZ" and checks.dni(c)),
        _Kind("NATIONAL_ID", lambda c: c[0] in "STFGM" and checks.nric(c)),
    ),
    "A-9999999-A": (_Kind("ES_NIF", lambda c: c[0] in "XYZ" and checks.dni(c)),),
    "AAAAAA99A99A999A": (_Kind("IT_FISCAL_CODE", checks.fiscal_code, 0.8),),
    "99999999999": (
        _Kind("PL_PESEL", checks.pesel, 0.6),
        _Kind("NATIONAL_ID", checks.fodselsnummer, 0.6),
        _Kind("NATIONAL_ID", checks.tckn, 0.6),
        _Kind("NATIONAL_ID", checks.isikukood, 0.6),
        _Kind("NATIONAL_ID", checks.cpf, 0.6),
        _Kind("NATIONAL_ID", lambda n: checks.short_date(n[:6]) and checks.belgian(n), 0.6),
    ),
    "999999-9999": (
        _Kind("NATIONAL_ID", checks.personnummer),
        _Kind("NATIONAL_ID", checks.cpr),
    ),
    "999999-999A": (_Kind("FI_PERSONAL_IDENTITY_CODE", checks.hetu, 0.8),),
    "999999A999A": (_Kind("FI_PERSONAL_IDENTITY_CODE", checks.hetu, 0.8),),
    "999999A9999": (_Kind("FI_PERSONAL_IDENTITY_CODE", checks.hetu, 0.8),),
    "99999999-9999": (_Kind("NATIONAL_ID", lambda n: checks.personnummer(n[2:])),),
    "999999999999": (
        _Kind("NATIONAL_ID", lambda n: n[:2] in {"19", "20"} and checks.personnummer(n[2:]), 0.6),
    ),
    "999999/9999": (_Kind("NATIONAL_ID", checks.rodne_cislo),),
    "999999/999": (_Kind("NATIONAL_ID", checks.rodne_cislo),),
    "999999-9999999": (_Kind("NATIONAL_ID", checks.rrn),),
    "999999 99999": (_Kind("NATIONAL_ID", checks.fodselsnummer, 0.6),),
    "9999999999999": (
        _Kind("NATIONAL_ID", checks.cnp, 0.6),
        _Kind("NATIONAL_ID", checks.za_id, 0.6),
        _Kind("NATIONAL_ID", checks.jmbg, 0.6),
        _Kind("NATIONAL_ID", checks.ahv, 0.6),
    ),
    "9-9999-99999-99-9": (_Kind("NATIONAL_ID", lambda n: True),),
    "9 9999 99999 99 9": (_Kind("NATIONAL_ID", checks.thai_id),),
    "999.999.999-99": (_Kind("NATIONAL_ID", lambda n: True),),
    "999.9999.9999.99": (_Kind("NATIONAL_ID", lambda n: n.startswith("756")),),
    "99.99.99-999.99": (_Kind("NATIONAL_ID", lambda n: True),),
    "9999 9999 9999": (_Kind("NATIONAL_ID", lambda n: n[0] in "23456789" and checks.verhoeff(n)),),
    "999999999999999999": (_Kind("NATIONAL_ID", checks.resident_id),),
    "99999999999999999A": (_Kind("NATIONAL_ID", lambda c: c[-1] == "X" and checks.resident_id(c)),),
    "AA9999999": (_Kind("MEDICAL_LICENSE", _dea),),
    "AAAAA9999A": (_Kind("NATIONAL_ID", _pan),),
    "AAAA999999AAA": (_Kind("NATIONAL_ID", _rfc),),
    "AAAA999999AA9": (_Kind("NATIONAL_ID", _rfc),),
    "AAAA999999A99": (_Kind("NATIONAL_ID", _rfc),),
    "AAAA9999999A9": (_Kind("NATIONAL_ID", _rfc),),
    "AAAA99999999A": (_Kind("NATIONAL_ID", _rfc),),
    "AAAA999999AAAAAA99": (_Kind("NATIONAL_ID", checks.curp),),
    "AAAA999999AAAAAAA9": (_Kind("NATIONAL_ID", checks.curp),),
    "99.999.999-9": (_Kind("NATIONAL_ID", checks.rut),),
    "99999999-9": (_Kind("NATIONAL_ID", checks.rut, 0.5),),
    "9.999.999-9": (_Kind("NATIONAL_ID", checks.rut),),
    "A999999999": (_Kind("NATIONAL_ID", lambda c: c[1] in "12" and checks.taiwanese(c)),),
    "A999999(9)": (_Kind("NATIONAL_ID", checks.hong_kong),),
    "A999999(A)": (_Kind("NATIONAL_ID", checks.hong_kong),),
    "9999999A": (_Kind("NATIONAL_ID", checks.irish, 0.5),),
    "9999999AA": (_Kind("NATIONAL_ID", checks.irish),),
    "999999-99-9999": (_Kind("NATIONAL_ID", lambda n: checks.short_date(n[:6])),),
    "999999999999999": (_Kind("NATIONAL_ID", checks.nir),),
    "9 99 99 99 999 999 99": (_Kind("NATIONAL_ID", lambda n: n[0] in "12"),),
    "9 99 99 99 999 999": (_Kind("NATIONAL_ID", lambda n: n[0] in "12"),),
    "9 99 99 9A 999 999 99": (_Kind("NATIONAL_ID", checks.nir),),
    "9999999A9999999": (_Kind("NATIONAL_ID", checks.nir),),
    "9AA9-AA9-AA99": (_Kind("HEALTH_PLAN", _mbi),),
    "9A99-AA9-AA99": (_Kind("HEALTH_PLAN", _mbi),),
    "9AA9AA9AA99": (_Kind("HEALTH_PLAN", _mbi, 0.5),),
    "9A99AA9AA99": (_Kind("HEALTH_PLAN", _mbi, 0.5),),
    "9AA9-A99-AA99": (_Kind("HEALTH_PLAN", _mbi),),
    "9A99-A99-AA99": (_Kind("HEALTH_PLAN", _mbi),),
    "9AA9A99AA99": (_Kind("HEALTH_PLAN", _mbi, 0.5),),
    "9A99A99AA99": (_Kind("HEALTH_PLAN", _mbi, 0.5),),
}
"""Outline (9 a digit, A a letter) to what it may be, the likeliest first."""

_LONGEST = max(map(len, _KINDS))
_SERIAL = re.compile(
    r"(?:[A-Z]{1,2}\d{6,9}|[A-Z]{3}-?\d{6,9}|[A-Z]{2}\d{6}[A-Z]|\d{2}[A-Z]{2}\d{5,6}|"
    r"[A-Z]\d{2}-\d{2,4}-\d{4}|[A-Z]\d{3}-\d{4}-\d{4,5}|[A-Z]\d{4}-\d{5}-\d{5})$"
)
_FAMILIAR = re.compile(
    r"(?:PO|SO|IN|INV|RE|RG|WO|PR|CR|NO|NR|ID|SKU|ISO|EN|DIN|RFC|CVE|KB|CL|IT|HR|QA|US|EP|WO|PN|"
    r"PMC|NCT|RS|GO|HP|MIM|CAS|ASN|ORD|TKT|REF|DOC|RMA|LOT|BUG|REQ|INC|CHG)[\d\-]",
)


def numbers(text: str) -> Iterator[Found]:
    """Yield national numbers, and serials of one or two capitals and six to nine digits."""
    for match in _TOKEN.finditer(text):
        yield from _parts(text, match.start(), match.end())


def _parts(text: str, start: int, end: int) -> Iterator[Found]:
    """Yield what a row of blocks is: all of it, or the longest parts that spaces set apart."""
    blocks = [(m.start(), m.end()) for m in re.compile(r"[^ ]+").finditer(text, start, end)]
    # "AA 99 99 99 A": the letters in front stand apart.
    lead = re.compile(r"(?<![\w])[A-Z]{2} $").search(text, max(start - 3, 0), start)
    if lead:
        blocks.insert(0, (lead.start(), lead.end() - 1))
    position = 0
    while position < len(blocks):
        for stop in range(min(len(blocks), position + 8), position, -1):
            found = _known(text, blocks[position][0], blocks[stop - 1][1])
            if found:
                yield found
                position = stop - 1
                break
        position += 1


def _known(text: str, start: int, end: int) -> Found | None:
    if end - start > _LONGEST:
        return None
    written = text[start:end].upper()
    kinds = _KINDS.get(written.translate(_OUTLINE), ())
    compact = "".join(filter(str.isalnum, written))
    for kind in kinds:
        if kind.check(compact) and not (kind.cautious and _business(text, start, end)):
            return Found(start, end, kind.entity, kind.score)
    if _SERIAL.match(text[start:end]) and not _FAMILIAR.match(written):
        return None if _business(text, start, end) else Found(start, end, "ID_NUMBER", 0.45)
    return None


def _business(text: str, start: int, end: int) -> bool:
    return label_before(text, start) == "business" or measured(text, start, end)


def recognizer() -> Shape:
    """Return the recognizer of national numbers."""
    return Shape(
        "National",
        [
            "NATIONAL_ID",
            "US_SSN",
            "US_ITIN",
            "UK_NHS",
            "UK_NINO",
            "ES_NIF",
            "IT_FISCAL_CODE",
            "PL_PESEL",
            "FI_PERSONAL_IDENTITY_CODE",
            "HEALTH_PLAN",
            "ID_NUMBER",
            "MEDICAL_LICENSE",
        ],
        numbers,
        scanned=True,
    )
