"""Check digits, as the standards and national registers define them.

Every function takes the number as written without separators and tells whether it checks; a text
of another length or with other characters does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

_DIHEDRAL = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_LAST = (12, 14, 16, 10, 22, 25, 24, 23)
_FISCAL_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (*(1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2, 2, 4, 18, 20, 11, 3, 6, 8, *_LAST),
        strict=True,
    )
)


def digits_of(text: str) -> list[int]:
    """Return the decimal digits of a text in order, whatever stands between."""
    return [int(letter) for letter in text if letter.isdecimal()]


def weighted(number: Iterable[str | int], weights: Iterable[int]) -> int:
    """Return the sum of digits by weights; the longer of the two is cut."""
    return sum(int(d) * w for d, w in zip(number, weights, strict=False))


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B: payment cards, IMEI, Swedish and Canadian numbers."""
    digits = digits_of(number)
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + doubled) % 10 == 0


def mod97(text: str) -> bool:
    """ISO 7064 mod 97-10 over an IBAN, its first four characters moved to the end."""
    turned = text[4:] + text[:4]
    return turned.isascii() and turned.isalnum() and int("".join(_base36(turned))) % 97 == 1


def _base36(text: str) -> list[str]:
    return [str(int(letter, 36)) for letter in text]


def verhoeff(number: str) -> bool:
    """Verhoeff's dihedral check (Aadhaar)."""
    check = 0
    for place, digit in enumerate(reversed(digits_of(number))):
        for _ in range(place % 8):
            digit = _TURN[digit]
        check = _DIHEDRAL[check][digit]
    return check == 0


def born(year: int, month: int, day: int) -> bool:
    """Tell whether such a day existed."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def short_date(text: str) -> bool:
    """Tell whether six digits are year, month and day of some century."""
    return born(2000 + int(text[:2]), int(text[2:4]), int(text[4:6])) or (
        born(1900 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    )


def nhs(number: str) -> bool:
    """UK NHS number: ten digits, modulus 11."""
    check = 11 - weighted(number, range(10, 1, -1)) % 11
    return len(number) == 10 and check % 11 == int(number[9])


def pesel(number: str) -> bool:
    """Polish PESEL: a date whose month carries the century, then mod 10."""
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}.get(int(number[2]) // 2, 0)
    return (
        len(number) == 11
        and born(century + int(number[:2]), int(number[2:4]) % 20, int(number[4:6]))
        and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    )


def bsn(number: str) -> bool:
    """Dutch BSN: the eleven-test."""
    return (
        len(number) == 9
        and number.strip("0") != ""
        and (weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0)
    )


def cpf(number: str) -> bool:
    """Brazilian CPF: two digits mod 11."""
    if len(number) != 11 or len(set(number)) == 1:
        return False
    first = weighted(number[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(number[:10], range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def dni(number: str) -> bool:
    """Spanish DNI and NIE: the letter is the number mod 23."""
    body = number[:-1].translate(str.maketrans("XYZ", "012"))
    return body.isdecimal() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == number[-1]


def fiscal_code(code: str) -> bool:
    """Italian codice fiscale: 16 characters, the last a check letter."""
    if len(code) != 16 or not code.isascii() or not code.isalnum():
        return False
    odd = sum(_FISCAL_ODD[letter] for letter in code[0:15:2])
    even = sum(int(c) if c.isdecimal() else ord(c) - 65 for c in code[1:15:2])
    return chr(65 + (odd + even) % 26) == code[15]


def hetu(code: str) -> bool:
    """Finnish personal identity code: a date, a sign of the century, mod 31."""
    number = code[:6] + code[-4:-1]
    return (
        born(2000 + int(code[4:6]), int(code[2:4]), int(code[:2]))
        and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number) % 31] == code[-1]
    )


def personnummer(number: str) -> bool:
    """Swedish personal number, ten digits: a date (day + 60 for co-ordination numbers), Luhn."""
    day = int(number[4:6]) % 60 or 60
    return luhn(number) and short_date(f"{number[:4]}{day:02}")


def fodselsnummer(number: str) -> bool:
    """Norwegian identity number: two digits mod 11 (day + 40 for D-numbers)."""
    first = 11 - weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = 11 - weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (
        1 <= int(number[:2]) % 40 <= 31
        and 1 <= int(number[2:4]) % 40 <= 12
        and first % 11 == int(number[9])
        and second % 11 == int(number[10])
    )


def cpr(number: str) -> bool:
    """Danish CPR number: only its date is certain since 2007."""
    return born(2000 + int(number[4:6]), int(number[2:4]), int(number[:2]))


def rodne_cislo(number: str) -> bool:
    """Czech and Slovak birth number: month + 50 for women; ten digits divide by 11."""
    return (
        1 <= int(number[2:4]) % 50 % 20 <= 12
        and 1 <= int(number[4:6]) <= 31
        and (len(number) == 9 or int(number) % 11 == 0 or int(number[:9]) % 11 == 10)
    )


def cnp(number: str) -> bool:
    """Romanian CNP: 13 digits with a date, mod 11."""
    check = weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (
        number[0] in "12345678"
        and short_date(number[1:7])
        and int(number[12]) == (1 if check == 10 else check)
    )


def egn(number: str) -> bool:
    """Bulgarian EGN: a date (month + 20 or + 40 by century), mod 11."""
    month = int(number[2:4]) % 20
    check = weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    return short_date(f"{number[:2]}{month:02}{number[4:6]}") and check == int(number[9])


def oib(number: str) -> bool:
    """Croatian OIB and German tax number: ISO 7064 mod 11,10."""
    rest = 10
    for digit in number[:-1]:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return (11 - rest) % 10 == int(number[-1])


def tfn(number: str) -> bool:
    """Australian tax file number: nine digits, mod 11."""
    return len(number) == 9 and weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def rut(code: str) -> bool:
    """Chilean RUT: mod 11, K for ten."""
    total = sum(int(d) * (2 + i % 6) for i, d in enumerate(reversed(code[:-1])))
    return "0123456789K0"[11 - total % 11] == code[-1].upper()


def curp(code: str) -> bool:
    """Mexican CURP: 18 characters, the last a check digit."""
    order = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(order.index(letter) * (18 - i) for i, letter in enumerate(code[:17]))
    return str((10 - total % 10) % 10) == code[17]


def rrn(number: str) -> bool:
    """Korean resident number: a date, and a sign of the century (no check since 2020)."""
    return short_date(number[:6]) and number[6] in "12345678"


def nric(code: str) -> bool:
    """Singaporean NRIC and FIN."""
    total = weighted(code[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(code[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}
    if code[0] == "M":
        return letters["M"][10 - total % 11] == code[8]
    return letters.get(code[0], "XWUTRQPNMLK")[total % 11] == code[8]


def resident_id(code: str) -> bool:
    """Chinese resident identity number: 18 characters, ISO 7064 mod 11-2."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return (
        born(int(code[6:10]), int(code[10:12]), int(code[12:14]))
        and "10X98765432"[weighted(code[:17], weights) % 11] == code[17].upper()
    )


def tckn(number: str) -> bool:
    """Turkish identity number: two check digits."""
    d = digits_of(number)
    tenth = (7 * sum(d[0:9:2]) - sum(d[1:8:2])) % 10
    return d[0] != 0 and tenth == d[9] and sum(d[:10]) % 10 == d[10]


def isikukood(number: str) -> bool:
    """Estonian and Lithuanian personal code: a date, two rounds of mod 11."""
    check = weighted(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(number, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return number[0] in "123456" and short_date(number[1:7]) and check == int(number[10])


def za_id(number: str) -> bool:
    """South African identity number: a date, citizenship, Luhn."""
    return short_date(number[:6]) and number[10] in "012" and luhn(number)


def thai_id(number: str) -> bool:
    """Thai identity number: 13 digits, mod 11."""
    check = (11 - weighted(number, range(13, 1, -1)) % 11) % 10
    return number[0] != "0" and check == int(number[12])


def nir(code: str) -> bool:
    """French social security number: 97 minus the number mod 97; 2A and 2B are Corsica."""
    body = code[:13].upper().replace("2A", "19").replace("2B", "18")
    return len(code) == 15 and body.isdecimal() and 97 - int(body) % 97 == int(code[13:])


def ahv(number: str) -> bool:
    """Swiss AHV number: 756 and an EAN-13 check digit."""
    return number.startswith("756") and weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def belgian(number: str) -> bool:
    """Belgian national register number: 97 minus the first nine digits mod 97."""
    check = int(number[9:])
    return check in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)


def jmbg(number: str) -> bool:
    """Number of a citizen of former Yugoslavia: ddmmyyy, region, mod 11."""
    check = 11 - weighted(number, (7, 6, 5, 4, 3, 2) * 2) % 11
    return cpr(number[:4] + number[5:7]) and (0 if check > 9 else check) == int(number[12])


def taiwanese(code: str) -> bool:
    """Taiwanese identity number: a letter and nine digits, mod 10."""
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(code[0]) + 10
    return (letter // 10 + 9 * letter + weighted(code[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def hong_kong(code: str) -> bool:
    """Hong Kong identity card: one or two letters, six digits, a check character; mod 11."""
    values = [36] * (9 - len(code)) + [int(letter, 36) for letter in code]
    return weighted(values, range(9, 0, -1)) % 11 == 0


def irish(code: str) -> bool:
    """Irish PPS number: seven digits, a letter mod 23, maybe one more letter."""
    extra = 9 * (ord(code[8]) - 64) if len(code) == 9 and code[8] != "W" else 0
    rest = (weighted(code[:7], range(8, 1, -1)) + extra) % 23
    return "WABCDEFGHIJKLMNOPQRSTUV"[rest] == code[7]


def aba(number: str) -> bool:
    """US routing number: Federal Reserve district, then weights 3, 7, 1 mod 10."""
    return (
        len(number) == 9
        and (number[:2] <= "12" or "21" <= number[:2] <= "32" or "61" <= number[:2] <= "72")
        and number[:2] != "00"
        and weighted(number, (3, 7, 1) * 3) % 10 == 0
    )


def vin(code: str) -> bool:
    """Vehicle identification number with the check digit of 49 CFR 565.15."""
    if len(code) != 17:
        return False
    values = [int(c) if c.isdecimal() else _VIN_VALUES.get(c, -99) for c in code.upper()]
    return min(values) >= 0 and (
        "0123456789X"[weighted(values, _VIN_WEIGHTS) % 11] == code[8].upper()
    )


def npi(number: str) -> bool:
    """US National Provider Identifier: Luhn with the prefix 80840."""
    return len(number) == 10 and luhn("80840" + number)


def dea(code: str) -> bool:
    """US DEA registration: two letters and seven digits, the last a check digit."""
    d = digits_of(code)
    return len(d) == 7 and (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]
