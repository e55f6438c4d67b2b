"""Money: cards and what is printed beside them, IBAN, SWIFT, routing numbers, crypto addresses.

An ISIN and an LEI name a security and a company, never a person: they are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.privacy.shapes.around import label_before
from rag.privacy.shapes.checks import luhn, mod97
from rag.privacy.shapes.shape import Found, Shape
from rag.privacy.words import word_set

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
        "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IR26IS26IT27JO30KW30"
        "KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28"
        "PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24"
        "XK20YE30DZ26AO25BJ28BF28CM27CF27TD27KM27CG27CI28GA27GQ27GW25MG27ML28MA28MZ25NE28SN28TG28",
    )
}
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \-.]{0,2}[A-Za-z0-9]){11,31}(?![A-Za-z0-9])"
)
_FOURS = re.compile(r"(?:[A-Z0-9]{4} ){3,7}[A-Z0-9]{1,4}$")
_DIGITS = re.compile(r"(?<![\w@])(?<!\d[.,])\d(?:[ .\-‐‑–]{0,3}\d){11,26}(?![\w]|[.,]\d)")
_PRINTED = re.compile(
    r"\d{4}([ .\-‐‑–]{1,3})\d{4}\1\d{4}(?:\1\d{1,4}){1,2}$|\d{4}([ .\-‐‑–]{1,3})\d{6}\2\d{4,5}$"
)
_YEARS = re.compile(r"(?:(?:19|20)\d\d\D{1,3}){3}(?:19|20)\d\d$")
_BRAND = re.compile(
    r"(?<![^\W_])(?:(?:credit|debit|bank|visa|payment|charge)? ?cards?\b|visa|master ?card|amex|"
    r"american express|"
    r"discover|diners|maestro|jcb|union ?pay|(?:kredit|bank|ec-?)?karten?(?:nummer|nr)?|carte|"
    r"tarjeta|"
    r"carta di credito|cart[aã]o|kart[ay]|kaart|kort(?:nummer)?|cc|pan)(?![^\W_])",
    re.IGNORECASE,
)
_EXPIRY = re.compile(
    r"(?<![^\W_])(?:exp(?:iry|ires|iration|\.)?(?: ?date)?|valid (?:thru|through|until|to)|"
    r"good thru|g[üu]ltig bis|"
    r"ablauf(?:datum)?|caduca|expire le|scadenza|vencimiento)\W{0,4}"
    r"(?P<value>(?:0[1-9]|1[0-2]) ?[/\-.] ?(?:20)?\d{2})(?![\d/.\-])",
    re.IGNORECASE,
)
_BESIDE = re.compile(r"[\s,;|()]{1,4}(?P<value>(?:0[1-9]|1[0-2]) ?/ ?(?:20)?\d{2})(?![\d/])")
_CODE = re.compile(
    r"(?<![^\W_])(?:cvv2?|cvc2?|cid|csc|cav2?|card (?:security|verification) (?:code|value|number)|"
    r"security code|pr[üu]fziffer|kartenpr[üu]fnummer|cryptogramme|c[óo]digo de seguridad|"
    r"(?:card |atm |debit )pin)(?:\s(?:code|number|no|"
    r"is))?\W{0,4}(?:is )?(?P<value>\d{3,6})(?![\w\-]|[.,]\d)",
    re.IGNORECASE,
)
_TRACK = re.compile(
    r"%?B\d{12,19}\^[^\^\n]{2,26}\^\d{4}[\d *]{0,40}\??|"
    r";?(?<!\d)\d{13,19}[=D]\d{4}\d{3,20}\??(?!\d)"
)
_SWIFT = re.compile(
    r"(?<![\w\-.])(?P<value>[A-Z]{4}(?P<land>[A-Z]{2})[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?)(?![\w\-])"
)
_LANDS = word_set(
    """
    AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD
    CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FO FR GA GB
    GD GE GH GI GL GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH
    KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT MU
    MV MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PG PH PK PL PS PT PY QA RO RS RU RW SA SB SC
    SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TW TZ UA UG US UY
    UZ VA VC VE VG VN VU WS XK YE ZA ZM ZW
    """
)
_CRYPTO = re.compile(
    r"(?<![\w])(?:(?:bc|tb)1[ac-hj-np-z02-9]{8,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|"
    r"0x[0-9A-Fa-f]{40}|"
    r"4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}|[LM][1-9A-HJ-NP-Za-km-z]{26,33}|"
    r"r[1-9A-HJ-NP-Za-km-z]{24,34}|"
    r"T[1-9A-HJ-NP-Za-km-z]{33}|addr1[a-z0-9]{53,98})(?!\w)"
)


def ibans(text: str) -> Iterator[Found]:
    """Yield IBANs (ISO 13616): mod 97, or at least the length that the country has."""
    place = 0
    while match := _IBAN.search(text, place):
        shown = iban_length(match.group())
        # What follows an account may be another: the pattern took words of it along.
        place = match.start() + shown if shown else match.end()
        if shown:
            yield Found(match.start(), place, "IBAN_CODE", 0.9)


def iban_length(text: str) -> int:
    """Return how many characters of the text, separators counted, are an IBAN; 0 for none."""
    compact, places = "", []
    for place, letter in enumerate(text):
        if letter.isalnum():
            compact += letter.upper()
            places.append(place + 1)
    length = _IBAN_LENGTHS.get(compact[:2], 0)
    digits = sum(map(str.isdigit, compact[:length]))
    if 0 < length <= len(compact) and digits >= 8:
        end = places[length - 1]
        one_case = text[:end].upper() == text[:end] or mod97(compact[:length])
        if one_case and not text[end : end + 1].isalnum():
            return end
    if length or compact[:2] not in _LANDS:
        return 0
    for count in range(min(len(compact), 34), 14, -1):
        # A country whose length the table does not know; the remainder is 1 in 97.
        end = places[count - 1]
        grouped = " " not in text[:end] or bool(_FOURS.match(text[:end]))
        if grouped and not text[end : end + 1].isalnum() and mod97(compact[:count]):
            return places[count - 1] if sum(map(str.isdigit, compact[:count])) >= 8 else 0
    return 0


def cards(text: str) -> Iterator[Found]:
    """Yield payment cards of 12 to 19 digits: by Luhn, as they are printed, or by a label.

    What is printed beside a card goes with it: the date until which it is valid, the code.
    """
    for match in _TRACK.finditer(text):
        yield Found(*match.span(), "CREDIT_CARD", 0.9)
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        score, end = _card(text, start, end)
        if not score:
            continue
        yield Found(start, end, "CREDIT_CARD", score)
        beside = _BESIDE.match(text, end)
        if beside:
            yield Found(*beside.span("value"), "CARD_SECURITY", 0.7)
    for match in _EXPIRY.finditer(text):
        yield Found(*match.span("value"), "CARD_SECURITY", 0.7)
    for match in _CODE.finditer(text):
        yield Found(*match.span("value"), "CARD_SECURITY", 0.7)


def _card(text: str, start: int, end: int) -> tuple[float, int]:
    """Return the score of a card that starts here, and where it ends."""
    while end > start:
        number = text[start:end]
        digits = "".join(filter(str.isdigit, number))
        if len(digits) < 12:
            break
        score = _scored(text, start, number, digits) if len(digits) <= 19 else 0.0
        if score:
            return score, end
        # More may stand behind it, with a space between.
        end = max(number.rfind(" "), number.rfind("-"), number.rfind(".")) + start
        end = start + len(text[start:end].rstrip(" -.")) if end > start else start
    return 0.0, end


def _scored(text: str, start: int, number: str, digits: str) -> float:
    printed = bool(_PRINTED.match(number)) and not _YEARS.match(number)
    if printed and (digits[0] in "13456" or len(digits) == 16 or luhn(digits)):
        return 0.8
    issued = _issued(digits)
    if issued and luhn(digits) and (number.isdigit() or _blocks(number)):
        sure = len(digits) > 13 or label_before(text, start) != "business"
        return 0.8 if sure else 0.0
    labelled = _BRAND.search(text, max(start - 40, 0), start)
    return 0.7 if labelled and (printed or number.isdigit() or _blocks(number)) else 0.0


def _blocks(number: str) -> bool:
    """Tell whether a number is written in blocks of three and more."""
    blocks = re.findall(r"\d+", number)
    return len(blocks) <= 6 and min(map(len, blocks[:-1]), default=4) >= 3


def _issued(digits: str) -> bool:
    """Tell whether a network issues cards of this beginning and length (ISO/IEC 7812)."""
    count = len(digits)
    if digits[0] == "4":
        return count in {13, 16, 19}
    if count == 15:
        return digits[:2] in {"34", "37"} or digits[:4] in {"1800", "2131"}
    if count == 14:
        return digits[:2] in {"30", "36", "38", "39"}
    if digits[:4] == "0604":
        return True
    if digits[:2] in {"50", "56", "57", "58"} or digits[0] == "6":
        return count >= (12 if digits[0] == "5" or digits[:2] in {"60", "62", "63", "67"} else 16)
    return count in {16, 19} and digits[0] in "235"


def swifts(text: str) -> Iterator[Found]:
    """Yield SWIFT/BIC codes (ISO 9362): with a country's code, and a label or a digit within."""
    for match in _SWIFT.finditer(text):
        if match["land"] not in _LANDS:
            continue
        near = text[max(match.start() - 48, 0) : match.start()].lower()
        if any(label in near for label in ("swift", "bic", "bank identif", "iban")):
            yield Found(*match.span(), "SWIFT_CODE", 0.8)
        elif match.group()[6:].endswith("XXX") or any(map(str.isdigit, match.group()[6:8])):
            yield Found(*match.span(), "SWIFT_CODE", 0.5)


def wallets(text: str) -> Iterator[Found]:
    """Yield addresses of crypto currencies by their shape."""
    for match in _CRYPTO.finditer(text):
        code = match.group()
        if any(map(str.isdigit, code)) and (code.startswith("0x") or len(set(code)) > 9):
            yield Found(*match.span(), "CRYPTO", 0.7)


def recognizers() -> list[Shape]:
    """Return the recognizers of what belongs to banks."""
    return [
        Shape("Iban", ["IBAN_CODE"], ibans),
        Shape("Card", ["CREDIT_CARD", "CARD_SECURITY"], cards, scanned=True),
        Shape("Swift", ["SWIFT_CODE"], swifts),
        Shape("Crypto", ["CRYPTO"], wallets),
    ]
