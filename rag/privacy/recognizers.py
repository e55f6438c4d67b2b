"""Pattern recognizers for Presidio's registry.

A pattern may name a group ``value``: then only that is the finding, so that a label such as
``MRN:`` stands beside its number without being masked. Patterns with a score under the
threshold count only when a context word stands near. Each repetition is bounded or anchored, so
that matching is linear in the text.
"""

from __future__ import annotations

import ipaddress
import re

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.predefined_recognizers import (
    CryptoRecognizer,
    EsNieRecognizer,
    EsNifRecognizer,
    FiPersonalIdentityCodeRecognizer,
    ItFiscalCodeRecognizer,
    MedicalLicenseRecognizer,
    UkNinoRecognizer,
    UsItinRecognizer,
)

from rag.privacy.address import AddressRecognizer
from rag.privacy.phone import PhoneShapes

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24"
        "FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
        "LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22"
        "SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}


class IbanRecognizer(PatternRecognizer):  # type: ignore[misc]  # Presidio has no types
    """IBANs (ISO 13616): mod 97, or at least the length that the country has."""

    def validate_result(self, pattern_text: str) -> bool | None:
        return bool(iban_length(pattern_text))

    @staticmethod
    def build() -> IbanRecognizer:
        shape = r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \-.]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])"
        return IbanRecognizer("IBAN_CODE", name="Iban", patterns=[Pattern("iban", shape, 0.5)])


def iban_length(text: str) -> int:
    """Return how many characters of the text, separators counted, are an IBAN; 0 for none."""
    length = _IBAN_LENGTHS.get(text[:2].upper(), 0)
    seen = 0
    for place, letter in enumerate(text):
        seen += letter.isalnum()
        if seen == length:
            following = text[place + 1 : place + 2]
            digits = sum(map(str.isdigit, text[: place + 1]))
            return place + 1 if not following.isalnum() and digits >= 8 else 0
    return 0


class CardRecognizer(PatternRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Payment cards: 13 to 19 digits with a Luhn checksum, or grouped as cards are printed."""

    def validate_result(self, pattern_text: str) -> bool | None:
        digits = [int(letter) for letter in pattern_text if letter.isdigit()]
        doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
        if len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            return True
        return None

    @staticmethod
    def build() -> CardRecognizer:
        around = r"(?<![\w.,])(?:{})(?![\w]|[.,]\d)"
        printed = r"[3-6]\d{3}([ \-.])\d{4}\1\d{4}\1\d{4}|3\d{3}([ \-.])\d{6}\2\d{5}"
        return CardRecognizer(
            "CREDIT_CARD",
            name="Card",
            patterns=[
                Pattern("printed", around.format(printed), 0.6),
                Pattern("digits", around.format(r"[2-6]\d{12,18}"), 0.1),
                Pattern(
                    "spaced",
                    around.format(r"(?=(?:\d[ \-]?){13})[2-6]\d{3}(?:[ \-]?\d{1,7}){2,5}"),
                    0.01,
                ),
            ],
            context=["card", "visa", "mastercard", "amex", "karte", "carte", "tarjeta", "carta"],
        )


class IpRecognizer(PatternRecognizer):  # type: ignore[misc]  # Presidio has no types
    """IP addresses of both versions, as the standard library reads them."""

    def validate_result(self, pattern_text: str) -> bool | None:
        try:
            ipaddress.ip_address(pattern_text.partition("%")[0])
        except ValueError:
            return False
        return bool(pattern_text.strip(":0"))

    @staticmethod
    def build() -> IpRecognizer:
        four = r"(?<![\w.])(?<!version )(?<!Version )(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)"
        six = (
            r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})"
            r"(?:%\w+)?(?![\w:])"
        )
        return IpRecognizer(
            "IP_ADDRESS", patterns=[Pattern("IPv4", four, 0.6), Pattern("IPv6", six, 0.6)]
        )


class NhsRecognizer(PatternRecognizer):  # type: ignore[misc]  # Presidio has no types
    """UK NHS numbers: ten digits, modulus 11."""

    def validate_result(self, pattern_text: str) -> bool | None:
        digits = [int(letter) for letter in pattern_text if letter.isdigit()]
        check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
        return None if check % 11 == digits[9] else False


_ID = (
    r"(?P<value>(?=(?:[A-Za-z]{1,3} )?[A-Za-z0-9./\-]{0,24}\d)(?=(?:[^\d\n]{0,5}\d){3})"
    r"(?:[A-Za-z]{1,3} (?=\d))?[A-Za-z0-9][A-Za-z0-9./\-]{0,24}(?: \d[\d\-]{0,8}){0,5}(?: "
    r"[A-Z]\b)?(?<![./\-]))"
)
_NO = r"(?:\s?(?:no|nr|num|number|nummer|numero|número|numéro|id|code|ref|reference|n[°º])\b\.?)?"
_IS = r"(?:\s{0,3}(?:[:#=]|\bis\b|\bof\b|is:|№)?\s{0,3}#?)?"


def _labelled(entity: str, label: str, name: str, score: float = 0.7) -> PatternRecognizer:
    shape = rf"(?<![A-Za-z0-9])(?:{label}){_NO}{_IS}{_ID}"
    return PatternRecognizer(entity, name=name, patterns=[Pattern(name, shape, score)])


_DATE = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?[./\- ]{1,2}(?:of )?(?:\d{1,2}|[^\W\d_]{3,12}\.?)(?:,? "
    r"|[./\-]){1,2}(?:de )?\d{2,4}"
    r"|\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|\d{4}年\d{1,2}月\d{1,2}日"
    r"|[^\W\d_]{3,12}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{8}|\d{1,2} de [^\W\d_]{3,12} de \d{4})"
)
_BORN = (
    r"(?:\bborn|\bd\.?o\.?b\b\.?|birth\s?-?_?(?:date|day)|date\s?_?of\s?_?birth|\bgeb\b\.?|"
    r"geboren|geburtsdatum|"
    r"\bn[ée]e?\b|date de naissance|nacid[oa]|fecha de nacimiento|\bnat[oa]\b|data di nascita|"
    r"data de nascimento|nascid[oa]|urodz\w{1,6}|\bur\.|data urodzenia|geboortedatum|födelsedatum|"
    r"fødselsdato|född|født|syntymäaika|doğum tarihi|дата рождения|родил\w{1,4}|narozen\w?|\*)"
)


def recognizers() -> list[EntityRecognizer]:
    """Return everything that finds identifiers by their shape."""
    at = r"(?:@|%40|＠|\s?[\[({]\s?(?:at|AT|@)\s?[\])}]\s?)"
    dot = r"(?:\.|\s?[\[({]\s?(?:dot|DOT|\.)\s?[\])}]\s?)"
    mail = (
        rf"(?<![\w.+\-])[\w.+\-!#$%&'*/=?^`{{|}}~]{{1,64}}{at}[\w\-]{{1,63}}(?:{dot}[\w\-]"
        rf"{{1,63}}){{0,6}}(?:@[\w.\-]{{1,63}}){{0,3}}(?<![\-_.])"
    )
    quoted = rf"\"[^\"\n]{{1,64}}\"@[\w\-]{{1,63}}(?:{dot}[\w\-]{{1,63}}){{1,6}}"
    return [
        PatternRecognizer(
            "EMAIL_ADDRESS",
            name="Mail",
            patterns=[Pattern("mail", mail, 0.9), Pattern("quoted", quoted, 0.9)],
        ),
        PhoneShapes(),
        AddressRecognizer(),
        IbanRecognizer.build(),
        CardRecognizer.build(),
        IpRecognizer.build(),
        PatternRecognizer(
            "MAC_ADDRESS",
            name="Mac",
            patterns=[
                Pattern(
                    "mac", r"(?<![\w:\-])(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}(?![\w:\-])", 0.8
                )
            ],
        ),
        PatternRecognizer(
            "US_SSN",
            name="Ssn",
            patterns=[
                Pattern("hyphens", r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])", 0.7),
                Pattern("spaces", r"(?<![\w\-])\d{3}[ .]\d{2}[ .]\d{4}(?![\w\-])", 0.1),
                Pattern("digits", r"(?<![\w\-.,])\d{9}(?![\w\-])", 0.05),
            ],
            context=["ssn", "ssns", "social security", "soc sec", "itin", "taxpayer"],
        ),
        UsItinRecognizer(),
        NhsRecognizer(
            "UK_NHS",
            name="Nhs",
            patterns=[Pattern("nhs", r"(?<![\w\-])\d{3}[ \-]?\d{3}[ \-]?\d{4}(?![\w\-])", 0.1)],
            context=["nhs", "health service"],
        ),
        UkNinoRecognizer(),
        EsNifRecognizer(),
        EsNieRecognizer(supported_entity="ES_NIF"),
        ItFiscalCodeRecognizer(),
        FiPersonalIdentityCodeRecognizer(),
        PatternRecognizer(
            "PL_PESEL",
            name="Pesel",
            patterns=[Pattern("pesel", r"(?<!\w)\d{11}(?!\w)", 0.1)],
            context=["pesel"],
        ),
        CryptoRecognizer(),
        MedicalLicenseRecognizer(),
        PatternRecognizer(
            "DATE_OF_BIRTH",
            name="Born",
            patterns=[
                Pattern("born", rf"{_BORN}[^\n\d]{{0,30}}?(?P<value>\b{_DATE}\b)", 0.8),
                Pattern("after", rf"(?P<value>\b{_DATE}\b)\s?\(?(?:dob|birth)\b", 0.7),
            ],
        ),
        PatternRecognizer(
            "MEDICAL_RECORD",
            name="Mrn",
            patterns=[
                Pattern(
                    "mrn",
                    r"(?<![A-Za-z0-9])(?:MRN|PAT|PID|NHI|EMR|EHR)[\-:# ]{0,2}"
                    r"[A-Z]{0,3}-?\d{4,12}(?!\w)",
                    0.8,
                )
            ],
        ),
        PatternRecognizer(
            "ID_NUMBER",
            name="Serial",
            patterns=[
                Pattern("serial", r"(?<![\w\-./])(?-i:[A-Z]{2,4})-?\d{6,10}(?![\w\-./]\w)", 0.45)
            ],
        ),
        _labelled(
            "MEDICAL_RECORD",
            r"mrn|medical[ _]record|patient(?:en)?[ _\-]?(?=no|nr|num|id|ref)|chart(?= no|"
            r" num| id)|"
            r"hospital(?= no| num| id)|health (?:insurance|plan|card)|beneficiary(?= no| num| id)|"
            r"(?:member|subscriber|policy|insurance|versicherten)[ _\-]?(?=no|nr|num|id)",
            "MedicalLabel",
        ),
        _labelled(
            "PASSPORT",
            r"(?:us |uk )?passport|reisepass|passeport|pasaporte|passaporto|paszport\w?",
            "PassportLabel",
        ),
        _labelled(
            "DRIVER_LICENSE",
            r"driv(?:er|ing)(?:'?s)?[ _]licen[cs]e|\bdl(?=[ :#]{1,2}(?:no)?)|f(?:ü|ue)hrerschein|"
            r"permis de conduire|prawo jazdy|patente di guida",
            "DriverLabel",
        ),
        _labelled(
            "MEDICAL_LICENSE",
            r"(?:medical |nursing |professional )licen[cs]e|\bdea\b|\bnpi\b|\bgmc\b|\bnmc\b|"
            r"licen[cs]e(?= no| num)",
            "MedicalLicenseLabel",
        ),
        _labelled(
            "BANK_ACCOUNT",
            r"(?:bank |checking |savings |giro)?(?:account|acct|a/c|konto|compte|cuenta|conto|"
            r"rachun\w+)(?=[\s:#]{0,3}(?:no|nr|num|id|[A-Z]{0,4}[\d\-]))|"
            r"routing|\baba\b|sort[ \-]code|kontonummer|\bBLZ\b|\bclabe\b",
            "BankLabel",
        ),
        _labelled(
            "NATIONAL_ID",
            r"(?:national|identity|personal) (?:id|insurance|identity|identification|card)"
            r"(?: card)?|\bnino\b|\bni(?= no| num)|"
            r"\bssn\b|social security|sozialversicherung(?:s)?(?:nummer)?|sv-?nummer|"
            r"steuer-?id(?:entifikation)?(?:snummer)?|steuernummer|"
            r"tax(?:payer)?[ _](?=id|no|num|file)|\btin\b|\bpesel\b|\bnip\b|\bdni\b|\bnif\b|"
            r"\bnie\b|\bcpf\b|\bbsn\b|"
            r"personnummer|codice fiscale|num[ée]ro de s[ée]curit[ée] sociale|\bnir\b|aadhaar|"
            r"personalausweis(?:nummer)?|"
            r"(?:employee|staff|personnel|customer|client|personal|mitarbeiter|kunden)[ _\-]?(?=id|"
            r"no|nr|num)",
            "IdLabel",
        ),
        PatternRecognizer(
            "NATIONAL_ID",
            name="Insee",
            patterns=[
                Pattern(
                    "insee",
                    r"(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?!\w)",
                    0.6,
                )
            ],
        ),
    ]


NEED_DIGITS = frozenset(
    {"Phone", "Address", "Ssn", "Nhs", "Pesel", "Born", "Mrn", "Serial", "Insee", "Iban", "Card"}
    | {"MedicalLabel", "PassportLabel", "DriverLabel", "MedicalLicenseLabel", "BankLabel"}
    | {"IdLabel", "UsItinRecognizer", "UkNinoRecognizer", "EsNifRecognizer", "EsNieRecognizer"}
    | {"ItFiscalCodeRecognizer", "FiPersonalIdentityCodeRecognizer", "MedicalLicenseRecognizer"}
)
"""Recognizers by name whose findings have a digit in them or right beside."""


def registry(extra: list[EntityRecognizer]) -> RecognizerRegistry:
    """Return Presidio's registry with the shapes above and the recognizers given."""
    return RecognizerRegistry(recognizers=[*recognizers(), *extra])
