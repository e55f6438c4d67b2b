"""Identifiers by shape, check digit and label: what is found whole, and what is left alone.

All numbers are made up, or are the specimens that registers publish.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.privacy import spans
from rag.privacy.policy import DEFAULT_ACTIONS
from rag.privacy.recognizers.custom import kinds_of, load_recognizers
from rag.privacy.recognizers.filled import NEED_DIGITS, SAFE_HARBOR, recognizers, registry
from rag.privacy.recognizers.scan import Condensed, near_digits, scan
from rag.privacy.shapes import checks
from rag.privacy.shapes.ages import over_89
from rag.records import Finding

_ALL = [r for r in recognizers() if r.name != "Address"]
KEPT = {kind for kind, action in DEFAULT_ACTIONS.items() if action == "keep"}


def found(text: str, kept: bool = False) -> list[Finding]:
    """Return what the shapes find in a text, at the default threshold."""
    seen: list[Finding] = []
    for recognizer in _ALL:
        if recognizer.name in NEED_DIGITS:
            digits = Condensed(text, near_digits(text))
            seen += digits.back(scan(recognizer, digits.text))
        else:
            seen += scan(recognizer, text)
    return spans.resolve(f for f in seen if f.score >= 0.4 and (kept or f.entity not in KEPT))


WHOLE = """
PHONE_NUMBER
Call me at [541-555-0132].
Call me at [(541)555-0132x1234] or [541.555.0132 ext. 4].
Her number is [001-541-555-0132x77], his is [+1-541-555-0132].
Ring [+44(0)20 7946 0958] or [(0306) 999 0123] today
fax: [030/1234567-89]
Anna Berg, [5415550132], Berlin
I tried [07700900123] twice.
Tel.[0171 1234567] or phone:[555-0132]
mobile [+49 (0)151 23456789]; [06 12 34 56 78]
[+91 98765 43210], [00421 905 123 456]
tlf [41 23 45 67], reach him on [91234567]
text me: [2125550187 x22]
We spoke at [1 (416) 555-0199].
WhatsApp [+55 11 91234-5678]
(0171) belongs to Köln: [(0221) 470-123 45]
[02 9876 5432] is the office of Jane
EMAIL_ADDRESS
Write to [anna.berg+news@mail.example.org], please.
[ANNA_BERG@EXAMPLE.CO.UK]; <[o'neil@example.ie]>
[anna (at) example (dot) com] or [anna at example dot com]
mailto:[anna%40example.com]
[anna.berg @ example.com] and ["anna berg"@example.com]
[jörg@münchen.example]
IP_ADDRESS
host [192.168.44.7] or [10.0.0.0/24] or [203.0.113.7:8443]
Server [198.51.100.23] runs
seen from [2001:db8:85a3::8a2e:370:7334] and [fe80::1%eth0]
[[2001:db8::1]:443] answers
MAC_ADDRESS
NIC [00:1A:2B:3C:4D:5E] and [001a.2b3c.4d5e]
CREDIT_CARD
paid with [4111 1111 1111 1111] yesterday
[5555-5555-5555-4444] and [378282246310005]
Charge it to [4012888888881881], thanks
card number [4111111111111112] was declined
the visa is [3530 1113 3330 0000]
[3782 822463 10005]
IBAN_CODE
to [DE89 3704 0044 0532 0130 00] by Friday
[gb82west12345698765432], then
wrong by a digit: [FR14 2004 1010 0505 0001 3M02 607]
US_SSN
SSN [078-05-1120], ssn: [078051120], social security number is [078 05 1120]
Ann; [219 09 9999]
US_ITIN
her ITIN is [912-71-1234]
DRIVER_LICENSE
my driver's license number is [A1234567].
DL# [D400-7836-0001] of Ann
license [A1234567] please
the drivers licence of Latoya Jefferson, [S123-4567-8901-23], expired
driving licence [MORGA657054SM9IJ] was shown
[Y7654321] is my driver's license number
Führerscheinnummer: [B072RRE2I55]
permis de conduire n° [951075100045]
driver_license=[99 999 999]
Licence no: [12345678] (VIC)
her licence is [jad 841345]; d/l no. [D1234567]
DL [123-456-789] was checked
PASSPORT
Passport no. [C01X00T47] was shown
passport numbers [C01X00T47] and [L01X00T42]
Reisepass [C4VPM1W2H]
[X1234567] (passport)
MEDICAL_RECORD
MRN: [00482913], moved to bed 4
Patient ID [PAT-558210]; chart no. [77-19203]
medical record number is [4471-99]; file no. [88213]; record # [44-7712]
HEALTH_PLAN
Medicare number [1EG4-TE5-MK73]
member ID: [W123456789] at the plan
insurance policy no [HP-88213-01]
BANK_ACCOUNT
account number [4471902263] is held
Kontonummer [0648479930]
sort code [20-00-00], account [55779911]
ROUTING_NUMBER
routing number [021000021]
SWIFT_CODE
SWIFT [DEUTDEFF500] or BIC: [NEDSZAJJ]
CRYPTO
send to [bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq]
wallet [0x52908400098527886E0F7030069857D2E4169EE7]
CARD_SECURITY
CVV [123], expires [12/27]
MEDICAL_LICENSE
NPI [1234567893], DEA [AB1234563]
CERTIFICATE
certificate number [BC-20411982]
birth certificate no. [123-45-678901]
VEHICLE_ID
VIN [1HGCM82633A004352]
found as [1M8GDM9AXKP042788] in the yard
licence plate [AB12 CDE] was noted
Kennzeichen [B-MW 1234]
the car, [LK07 XYZ], was parked
DEVICE_ID
IMEI [490154203237518]
serial number [SN-99A8812]
pacemaker serial no [PM 4471 882]
device id [3f2504e0-4f89-41d3-9a0c-0305e82c3301]
UDI [(01)00844588003288(17)261231(10)A213B1(21)1234]
BIOMETRIC_ID
fingerprint ID [FP-4471892]
UK_NHS
[943 476 5919] of the ward
UK_NINO
NI number [QQ 12 34 56 C] or [AB123456C]
ES_NIF
DNI [12345678Z]
[X1234567L] vive aquí
IT_FISCAL_CODE
[RSSMRA85T10A562S]
PL_PESEL
[44051401359]
FI_PERSONAL_IDENTITY_CODE
[131052-308T]
NATIONAL_ID
[811218-9876] and [710319/2745]
CPF [111.444.777-35], RUT [12.345.678-5]
[HEGG560427MVZRRL04] and [S1234567D]
BSN: [123456782]; TFN [123 456 782]; SIN [046 454 286]
Aadhaar [2341 2341 2346] and PAN [ABCPE1234F]
Steuer-ID [47036892816]
AHV [756.9217.0769.85], NISS [85.07.30-033.28]
[2 55 08 14 168 025 38]
[850412-1234567]
ID_NUMBER
Employee ID: [E-104482]
student no. [20231144]
DATE_OF_BIRTH
born [12 March 1975] in
DOB: [02/17/1962]
geb. [3.5.71]; née le [5 mai 1971]
date of birth is [May 5, 1990]
[1990-12-01] (DOB)
"""

KEPT_KINDS = """
DATE_TIME
seen on [Monday, 3 March] ~
admitted [12 March 1975] and left [2024-03-01]T12:00
on [3/14] at noon; since [03/2021]; in [May 2020]
am [7. März 1969], le [5 mai 1971], el [5 de mayo de 1971], dnia [3 maja 2020]
the [3rd of May], [Sept. 5th, 2020], [May 5]
[2021年3月5日]
AGE
a [92]-year-old, aged [91], age: [101], Alter: [93]
[93]-jährige; âgé de [92] ans; de [90] años
[ninety-two] years old; in her [nineties]; a [nonagenarian]
ZIP_CODE
ZIP [62704], postcode [SW1A 1AA], in TX [75001-1234]
URL
see [https://anna.example/berg?id=7], or [www.berg.example.com]
"""

LEFT = """
Invoice INV-2024-00123 is due.
Order #4471902263 was shipped; order number 4471902264 was not.
Invoice no. 1002003004, total 12,500.00 EUR
Ticket 5551234567 was closed with commit 9f86d08.
Version 2.14.0.1 follows v10.0.19.4; section 4.2.1.3 says so.
ISBN 978-3-16-148410-0, ISBN-10: 0-306-40615-2, ISSN 1234-5678, doi:10.1038/s41586-020-2649-2
From 2024-01-15 10:30:45 to 2024-03-01, between 2019-2021, on 12/05/2021
A population of 1 400 000 000 and revenue of 12 500 000 EUR, or $1,234,567.89, or 1.234.567,89 €
epoch 1731234567, 1731234567890 ms
at 48.137154, 11.576124
CPT 99213, ICD-10 E11.9, NDC 0002-8215-01
part number 123-4567-890, P/N 4471-8890-12
hash 9f86d081884c7d659a2feaa0c55ad015
Blood pressure 120/80, 130/85; call when it rises over 180/110.
Doses of 100 200 300 400 500 mg; 0.5-1.0 mg; 16777216 bytes
pages 120-1250, 500-1000 users, 200-1000 patients
port 8080, RFC 2119, 3261 and 5246
1200 1300 1400 and 2019 2020 2021 2022
ISIN US0378331005, LEI 529900T8BM49AURSDO55
The license expires on 12/05/2024; software license version 2.14.0
The policy was changed in 2019; member since 2012; the passport office is open 9-5.
meet @home at 5, lodash@4.17.21
item 4471 at 12.50, 3 x 4 = 12, 50 % of 200, chapter 12
3.141592653589 and 2,147,483,647
EAN 4006381333931 and UPC 036000291452
MAC and cheese, IP rating IP67, room 4412, gate B22
"""


def _marked(block: str) -> list[tuple[str, str]]:
    kind, lines = "", []
    for line in block.strip().splitlines():
        if re.fullmatch(r"[A-Z_]+", line):
            kind = line
        else:
            lines.append((kind, line))
    return lines


def _plain(line: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a line without its marks, and the ranges that were marked."""
    text, ranges, place = "", [], 0
    for mark in re.finditer(r"\[(\[[^\]]*\][^\]]*|[^\]\[]*)\]", line):
        text += line[place : mark.start()]
        ranges.append((len(text), len(text) + len(mark[1])))
        text += mark[1]
        place = mark.end()
    return text + line[place:], ranges


@pytest.mark.parametrize(("kind", "line"), _marked(WHOLE))
def test_an_identifier_is_found_whole_and_nothing_beside_it(kind: str, line: str) -> None:
    text, ranges = _plain(line)
    findings = found(text)
    assert [text[f.start : f.end] for f in findings] == [text[a:b] for a, b in ranges]
    assert {f.entity for f in findings} <= {kind, "NATIONAL_ID"} | _AKIN.get(kind, set())


_AKIN = {
    "BANK_ACCOUNT": {"ROUTING_NUMBER"},
    "NATIONAL_ID": {"ES_NIF", "UK_NHS", "PHONE_NUMBER"},
    "PASSPORT": {"ID_NUMBER"},
}
"""Kinds that a number of the first kind may as well be taken for."""


@pytest.mark.parametrize(("kind", "line"), _marked(KEPT_KINDS))
def test_kinds_that_the_default_keeps_are_found_where_asked(kind: str, line: str) -> None:
    text, ranges = _plain(line)
    inside = {i for f in found(text, kept=True) if f.entity == kind for i in range(f.start, f.end)}
    for start, end in ranges:
        missed = [i for i in range(start, end) if i not in inside and text[i].isalnum()]
        assert not missed or text[start:end].startswith("Monday"), text[start:end]


@pytest.mark.parametrize("line", LEFT.strip().splitlines())
def test_numbers_of_business_and_science_are_left(line: str) -> None:
    assert [line[f.start : f.end] for f in found(line)] == []


@pytest.mark.parametrize(
    ("age", "over"),
    [
        ("89", False), ("90", True), ("92-year-old", True), ("101", True), ("aged 45", False),
        ("ninety-two", True), ("eighty-nine", False), ("ninety", True), ("a hundred", True),
        ("nineties", True), ("nonagenarian", True), ("centenarian", True), ("", False),
    ],
)  # fmt: skip
def test_ages_over_89_are_told_from_others(age: str, over: bool) -> None:
    assert over_89(age) is over


SPECIMENS = {
    checks.luhn: ("490154203237518", "4111111111111111"),
    checks.mod97: ("DE89370400440532013000", "GB82WEST12345698765432"),
    checks.verhoeff: ("234123412346",),
    checks.nhs: ("9434765919",),
    checks.pesel: ("44051401359",),
    checks.bsn: ("123456782",),
    checks.cpf: ("11144477735",),
    checks.dni: ("12345678Z", "X1234567L"),
    checks.fiscal_code: ("RSSMRA85T10A562S",),
    checks.hetu: ("131052-308T",),
    checks.personnummer: ("8112189876",),
    checks.fodselsnummer: ("15076500565",),
    checks.rodne_cislo: ("7103192745",),
    checks.cnp: ("1800101221144",),
    checks.egn: ("7523169263",),
    checks.oib: ("69435151530",),
    checks.tfn: ("123456782",),
    checks.rut: ("123456785",),
    checks.curp: ("HEGG560427MVZRRL04",),
    checks.nric: ("S1234567D",),
    checks.resident_id: ("11010519491231002X",),
    checks.tckn: ("10000000146",),
    checks.isikukood: ("37605030299",),
    checks.thai_id: ("1101700230708",),
    checks.nir: ("255081416802538",),
    checks.ahv: ("7569217076985",),
    checks.belgian: ("85073003328",),
    checks.jmbg: ("0101006500006",),
    checks.taiwanese: ("A123456789",),
    checks.hong_kong: ("A1234563",),
    checks.irish: ("1234567T", "1234567FA"),
    checks.aba: ("021000021",),
    checks.vin: ("1HGCM82633A004352", "1M8GDM9AXKP042788"),
    checks.npi: ("1234567893",),
    checks.dea: ("AB1234563",),
}


@pytest.mark.parametrize("check", SPECIMENS, ids=lambda check: check.__name__)
def test_a_specimen_checks_and_no_neighbour_does(check) -> None:  # type: ignore[no-untyped-def]
    for specimen in SPECIMENS[check]:
        assert check(specimen)
        last = max(i for i, letter in enumerate(specimen) if letter.isdigit())
        near = [f"{specimen[:last]}{digit}{specimen[last + 1 :]}" for digit in range(10)]
        passing = [number for number in near if check(number)]
        assert passing == [specimen]


def _with_check(body: str, check) -> str:  # type: ignore[no-untyped-def]
    return next(f"{body}{digit}" for digit in range(10) if check(f"{body}{digit}"))


def _next(number: str) -> str:
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


BODIES = st.text("0123456789", min_size=14, max_size=14).filter(lambda body: len(set(body)) > 2)


@given(BODIES)
@settings(max_examples=60, deadline=None)
def test_a_card_is_found_by_its_check_digit_and_its_neighbour_is_not(body: str) -> None:
    card = _with_check("4" + body, checks.luhn)
    assert [f.entity for f in found(f"the value {card} of")] == ["CREDIT_CARD"]
    assert found(f"the value {_next(card)} of") == []


@given(st.dates(), st.text("0123456789", min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_swedish_number_is_found_by_its_check_digit(day, serial: str) -> None:  # type: ignore[no-untyped-def]
    number = _with_check(f"{day:%y%m%d}{serial}", checks.luhn)
    text = f"see {number[:6]}-{number[6:]} there"
    assert [f.entity for f in found(text)] == ["NATIONAL_ID"]


@given(st.integers(0, 99_999_999))
@settings(max_examples=60, deadline=None)
def test_a_spanish_number_is_found_by_its_letter_and_its_neighbour_is_not(number: int) -> None:
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
    other = "TRWAGMYFPDXBNJZSQVHLCKE"[(number + 1) % 23]
    assert [f.entity for f in found(f"de {number:08}{letter} y")] == ["ES_NIF"]
    assert found(f"de {number:08}{other} y") == []


@given(st.from_regex(r"\A[A-HJ-NPR-Z0-9]{8}0[A-HJ-NPR-Z0-9]{7}[0-9]\Z"))
@settings(max_examples=60, deadline=None)
def test_a_vehicle_is_found_by_its_check_digit(code: str) -> None:
    if len(set(code)) < 5:
        return
    right = next(c for d in "0123456789X" if checks.vin(c := f"{code[:8]}{d}{code[9:]}"))
    wrong = f"{code[:8]}{'1' if right[8] != '1' else '2'}{code[9:]}"
    assert "VEHICLE_ID" in {f.entity for f in found(f"I saw {right} there")}
    assert "VEHICLE_ID" not in {f.entity for f in found(f"I saw {wrong} there")}


@pytest.mark.parametrize("identifier", SAFE_HARBOR)
def test_every_safe_harbor_identifier_has_kinds_that_are_known_and_found(identifier: str) -> None:
    kinds = set(SAFE_HARBOR[identifier])
    assert kinds <= set(DEFAULT_ACTIONS)
    able = {entity for r in recognizers() for entity in r.supported_entities}
    assert kinds <= able | {"PERSON", "LOCATION"}
    assert kinds or identifier.startswith("Q")


def _written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


OWN = r"""
recognizers:
  - name: Ward code
    supported_entity: WARD_CODE
    supported_language: en
    patterns:
      - {name: ward, regex: '\bW-\d{4}\b', score: 0.2}
    context: [ward]
  - supported_entity: PROJECT
    deny_list: [Bluebird, Kingfisher]
"""


def test_recognizers_of_users_are_read_from_presidios_yaml(tmp_path: Path) -> None:
    path = _written(tmp_path, OWN)
    ward, project = load_recognizers([path])
    assert kinds_of([path]) == ("PROJECT", "WARD_CODE")
    assert [(f.start, f.end, f.score) for f in scan(project, "see Bluebird.")] == [(4, 12, 1.0)]
    assert scan(ward, "part W-1234")[0].score < 0.4 <= scan(ward, "ward W-1234")[0].score
    assert {r.name for r in registry([ward]).recognizers} >= {"Phone", "Ward code"}


def _regex(pattern: str) -> str:
    return f"{{regex: '{pattern}', score: 1}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recognizers: [", "line 1"),
        ("patterns: []", "recognizers"),
        ("recognizers: [{supported_entity: ward, deny_list: [x]}]", "recognizer 1"),
        ("recognizers: [{supported_entity: WARD}]", "neither patterns nor"),
        ("recognizers: [{supported_entity: WARD, deny_list: [x], run: rm}]", "unknown field run"),
        ("recognizers: [{supported_entity: WARD, deny_list: x}]", "deny_list must be a list"),
        ("recognizers: [{supported_entity: WARD, patterns: [{regex: '(', score: 1}]}]", "compile"),
        ("recognizers: [{supported_entity: WARD, patterns: [{regex: 'a', score: 7}]}]", "score"),
        *(
            (f"recognizers: [{{supported_entity: A1, patterns: [{_regex(bad)}]}}]", "long")
            for bad in ("(a+)+b", "(a|aa)+b", "a*a*b", "(.*)(.*)", "(?:\\w+x)*y")
        ),
        ("recognizers: [{deny_list: [x], name: !!python/name:os.system ''}]", "YAML"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_recognizers_is_refused_with_the_place(
    tmp_path: Path, text: str, said: str
) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(said)) as error:
        load_recognizers([path])
    assert path.name in str(error.value)
