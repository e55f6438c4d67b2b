"""The values of ``dev``: Faker's, with plausible forms that Faker does not make added."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.privacy import invented, numbers
from bench.privacy.values import Person, listed

if TYPE_CHECKING:
    from faker import Faker

ENGLISH = listed("en_US en_US en_US en_US en_GB en_GB en_AU en_CA en_IE en_NZ en_IN")
LOCALES = listed("""
    de_DE de_AT de_CH fr_FR fr_CA fr_BE fr_CH es_ES es_MX es_AR es_CL es_CO it_IT nl_NL nl_BE
    pt_PT pt_BR pl_PL cs_CZ sk_SK sl_SI hr_HR da_DK sv_SE no_NO lt_LT lv_LV id_ID en_PK en_NG
    en_KE en_BD zu_ZA tw_GH yo_NG ig_NG ga_IE az_AZ ru_RU uk_UA bg_BG el_GR ja_JP zh_CN
""")
_CYRILLIC = dict(
    zip(
        "абвгдезийклмнопрстуфцыіїєґъьэ",
        listed("a b v g d e z i y k l m n o p r s t u f ts y i yi ye g * * e"),
        strict=True,
    )
) | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "х": "kh", "ю": "yu", "я": "ya", "ё": "yo"}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ",
        listed("a v g d e z i th i k l m n x o p r s s t y f ch ps o a e i i o y o i y"),
        strict=True,
    )
)
_LATIN = {sign: "" if latin == "*" else latin for sign, latin in (_CYRILLIC | _GREEK).items()}

COUNTRIES = {
    "en_US": "USA", "en_GB": "United Kingdom", "en_AU": "Australia", "en_CA": "Canada",
    "en_IE": "Ireland", "en_NZ": "New Zealand", "en_IN": "India", "de_DE": "Germany",
    "de_AT": "Austria", "de_CH": "Switzerland", "fr_FR": "France", "fr_CA": "Canada",
    "fr_BE": "Belgium", "fr_CH": "Switzerland", "es_ES": "Spain", "es_MX": "Mexico",
    "es_AR": "Argentina", "es_CL": "Chile", "es_CO": "Colombia", "it_IT": "Italy",
    "nl_NL": "The Netherlands", "nl_BE": "Belgium", "pt_PT": "Portugal", "pt_BR": "Brazil",
    "pl_PL": "Poland", "cs_CZ": "Czech Republic", "sk_SK": "Slovakia", "sl_SI": "Slovenia",
    "hr_HR": "Croatia", "da_DK": "Denmark", "sv_SE": "Sweden", "no_NO": "Norway",
    "lt_LT": "Lithuania", "lv_LV": "Latvia", "id_ID": "Indonesia", "en_PK": "Pakistan",
    "en_NG": "Nigeria", "en_KE": "Kenya", "en_BD": "Bangladesh", "zu_ZA": "South Africa",
    "tw_GH": "Ghana", "yo_NG": "Nigeria", "ig_NG": "Nigeria", "ga_IE": "Ireland",
    "az_AZ": "Azerbaijan", "ru_RU": "Russia", "uk_UA": "Ukraine", "bg_BG": "Bulgaria",
    "el_GR": "Greece", "ja_JP": "Japan", "zh_CN": "China",
}  # fmt: skip
_DEMONYMS = listed("""
    German French Italian Polish Danish Swedish Kenyan Nigerian Japanese Chinese Brazilian
    Mexican Canadian Australian Irish Dutch Greek Indian Portuguese American British
""")
PRODUCTS = listed(
    """
    ThinkPad X1|Galaxy S22|iPhone 14 Pro|Office 365|Windows 11|Excel|Photoshop|Jira|Salesforce
    |Model 3|Golf GTI|Kindle|PlayStation 5|Aspirin|Lipitor 20 mg|Metformin|Ibuprofen 400
    |Zoom|Dyson V11|AirPods|Visa Gold|Premium Saver|Roomba i7|Canon EOS R6|LaserJet 1020
""",
    "|",
)
_ORGS = listed(
    """
    Microsoft|Siemens AG|Red Cross|Unilever|British Airways|City Library|the Tax Office|Ikea
    |Deutsche Bank|Vodafone|Toyota|St. Mary's Hospital|NHS England|Amazon|Central Bank|FedEx
    """,
    "|",
)
_CODES = (
    "INV-####",
    "PO%####",
    "REF @@####",
    "A-%##",
    "Q#/20##",
    "v%.#.##",
    "ISO 9001",
    "SKU-@##@",
)
_IBANS = listed("""
    GB@@@@############## DE################## FR####################### ES####################
    IT@###################### NL@@@@########## BE############ AT################ CH#################
    IE@@@@############## PT##################### PL######################## DK##############
""")
_HOSTS = ("gmail.com", "yahoo.com", "outlook.com", "example.com", "mail.example.org", "web.de")
_LICENSES = listed(
    """
    @#######|@###-####-####|@##-##-####|#########|@@######@|@############|########|@@@@@######@@%@@
    |##@@#####|@######|###-##-####-@|@-###-###-###|#### ####|@@@ ######|##/####/#####
    """,
    "|",
)
_RECORDS = ("########", "MRN-#######", "#######", "@#######", "###-##-##")
_JAPAN = ("Shibuya-ku, Tokyo", "Chuo-ku, Osaka", "Naka-ku, Nagoya", "Sapporo, Hokkaido", "Kyoto")
_CHOME = ("Minami", "Kita", "Honcho", "Sakuragaoka", "Jingumae", "Nishiki", "Midorigaoka")
_CHINA = ("Beijing", "Shanghai", "Guangzhou", "Chengdu", "Nanjing", "Xi'an", "Shenzhen")
_ROADS = ("Zhongshan Road", "Renmin Rd", "Jiefang Road", "Nanjing West Road", "Changjiang Rd")


class FakerValues:
    def locale(self, rng: random.Random) -> str:
        return rng.choice(ENGLISH if rng.random() < 0.45 else LOCALES)

    def person(self, locale: str, rng: random.Random) -> Person:
        person = self._listed(locale, rng)
        if rng.random() < 0.2:
            manner = rng.choice(invented.manners())
            given = invented.given(rng, manner) if rng.random() < 0.4 else person.given
            return Person(given, person.middle, invented.surname(rng, manner))
        return person

    def _listed(self, locale: str, rng: random.Random) -> Person:
        fake = _seeded(locale, rng)
        if locale in {"ja_JP", "zh_CN"}:
            given, surname = fake.first_romanized_name(), fake.last_romanized_name()
            western = locale == "ja_JP" or rng.random() < 0.5
            return Person(given, fake.first_romanized_name(), surname, western)
        if locale == "bg_BG":
            fake = _seeded("ru_RU", rng)
        given, middle = _latin(fake.first_name()), _latin(fake.first_name())
        surname = _latin(fake.last_name())
        if rng.random() < 0.04:
            surname = f"{surname}-{_latin(fake.last_name())}"
        return Person(given, middle, surname)

    def address(self, locale: str, rng: random.Random) -> list[str]:
        if rng.random() < 0.2 and locale not in {"ja_JP", "zh_CN"}:
            return _web_form(locale, rng)
        if rng.random() < 0.2:
            lines = list(_built(rng))
            return lines if rng.random() < 0.7 else [", ".join(lines)]
        lines = _lines(locale, rng)
        if rng.random() < 0.25:
            lines.append(COUNTRIES[locale])
        return lines

    def street(self, locale: str, rng: random.Random) -> str:
        if locale in {"ja_JP", "zh_CN"}:
            return _lines(locale, rng)[0]
        return _latin(_seeded(locale, rng).street_address()).strip(" .,")

    def simple(self, slot: str, locale: str, rng: random.Random) -> str:
        return _SIMPLE[slot](_seeded(locale, rng), locale, rng)


@cache
def _faker(locale: str) -> Faker:
    from faker import Faker

    return Faker(locale)


def _seeded(locale: str, rng: random.Random) -> Faker:
    fake = _faker(locale)
    fake.seed_instance(rng.getrandbits(48))
    return fake


def _latin(text: str) -> str:
    letters = []
    for letter in text:
        latin = _LATIN.get(letter.lower(), letter)
        letters.append(latin.capitalize() if letter != letter.lower() else latin)
    return "".join(letters)


def _lines(locale: str, rng: random.Random) -> list[str]:
    if locale == "ja_JP":
        block = f"{rng.randint(1, 9)}-{rng.randint(1, 30)}-{rng.randint(1, 20)}"
        code = numbers.digits(rng, "###-####")
        return [f"{block} {rng.choice(_CHOME)}", f"{rng.choice(_JAPAN)} {code}"]
    if locale == "zh_CN":
        unit = rng.choice(("", f"Room {rng.randint(101, 2999)}, "))
        street = f"{unit}{rng.choice(('', 'No. '))}{rng.randint(1, 999)} {rng.choice(_ROADS)}"
        return [street, f"{rng.choice(_CHINA)} {numbers.digits(rng, '%#####')}"]
    text = _latin(_seeded(locale, rng).address())
    lines = [line.strip(" .,") for line in text.split("\n") if line.strip(" .,")]
    if locale.startswith("en_") and rng.random() < 0.1:
        unit = rng.choice(("Apt", "Unit", "Flat", "Suite", "Apt."))
        lines[0] = f"{unit} {rng.randint(1, 40)}{rng.choice(('', 'A', 'B'))}, {lines[0]}"
    return lines


def _web_form(locale: str, rng: random.Random) -> list[str]:
    """An address as shops ask for it in English, whatever the country's own order is."""
    fake = _seeded(locale, rng)
    street, town = _latin(fake.street_address()).strip(" .,"), _latin(fake.city())
    code, country = str(fake.postcode()), COUNTRIES[locale]
    if rng.random() < 0.3:
        unit = rng.choice(("Apt. ", "Suite ", "#", "Apartment ", "Unit ", "Fl. "))
        street += f"{rng.choice((', ', ' '))}{unit}{rng.randint(1, 999)}"
    forms = (
        [street, town, f"{country} {code}"],
        [street, f"{town} {code}", country],
        [street, f"{town}, {code}"],
        [street, town, country],
        [street, town, code],
    )
    return list(rng.choice(forms))


@cache
def _forms() -> tuple[str, ...]:
    """Return forms of many countries that Faker does not write; a semicolon ends a line."""
    return listed((Path(__file__).parent / "texts" / "dev_addresses.txt").read_text("utf-8"), "\n")


def _built(rng: random.Random) -> list[str]:
    manner = rng.choice(invented.manners())
    town = str(_seeded("en_GB", rng).city())
    if rng.random() < 0.4:
        town = invented.surname(rng, manner)
    text = rng.choice(_forms())
    text = re.sub(r"\{z(\d)\}", lambda m: "%" + "#" * (int(m[1]) - 1), text)
    text = numbers.digits(rng, text.replace("{n}", str(rng.randint(1, 400))))
    text = text.replace("{m}", str(rng.randint(1, 19))).replace("{t}", town)
    while "{s}" in text:
        text = text.replace("{s}", invented.surname(rng, manner), 1)
    return [line.strip() for line in text.split(";") if line.strip()]


_REGIONS = listed(
    "US US GB GB CA AU IN DE FR ES IT NL PL SE CH BR MX ZA IE NZ JP AE GR DK BE NO AT"
)


def _phone(fake: Faker, locale: str, rng: random.Random) -> str:
    number = str(fake.phone_number()) if rng.random() < 0.5 else _real_phone(rng)
    if rng.random() < 0.07:
        number += rng.choice((" ext. ", " ext ", "x", " extension ", ", ext "))
        number += str(rng.randint(10, 9999))
    return number


def _real_phone(rng: random.Random) -> str:
    """A number of a plan in use, its last digits by chance, written in one of many ways."""
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType

    kind = rng.choice((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE))
    number = phonenumbers.example_number_for_type(rng.choice(_REGIONS), kind)
    assert number is not None
    assert number.national_number is not None
    number.national_number += rng.randint(-99, 99)
    forms = (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
    text = str(phonenumbers.format_number(number, rng.choice(forms)))
    change = rng.random()
    if change < 0.15:
        return text.replace(" ", "-")
    if change < 0.25:
        return text.replace(" ", ".").replace("-", ".")
    if change < 0.35:
        return text.replace(" ", "").replace("-", "")
    if change < 0.42:
        return text.replace("+", "00", 1) if text.startswith("+") else text.replace("-", " ")
    return text


def _date(fake: Faker, rng: random.Random) -> str:
    day = fake.date_between("-4y", "+1y")
    forms = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%d.%m.%Y", "%d %b")
    return str(day.strftime(rng.choice(forms)))


def _birth(fake: Faker, rng: random.Random) -> str:
    day = fake.date_of_birth(minimum_age=1, maximum_age=98)
    forms = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%d.%m.%Y", "%d-%b-%Y")
    return str(day.strftime(rng.choice(forms)))


def _org(fake: Faker, locale: str, rng: random.Random) -> str:
    kinds = (*_ORGS, "University of {c}", "{c} General Hospital", "Bank of {c}", "{c} Council")
    if rng.random() < 0.4:
        return _latin(str(fake.company()))
    return rng.choice(kinds).format(c=_city(fake, locale, rng))


def _city(fake: Faker, locale: str, rng: random.Random) -> str:
    if locale == "ja_JP":
        return rng.choice(("Tokyo", "Osaka", "Nagoya", "Sapporo", "Kyoto"))
    if locale == "zh_CN":
        return rng.choice(_CHINA)
    return _latin(str(fake.city()))


def _mail(fake: Faker, locale: str, rng: random.Random) -> str:
    return numbers.mailbox(FakerValues().person(locale, rng), _HOSTS, rng)


def _vehicle(fake: Faker, locale: str, rng: random.Random) -> str:
    return str(fake.license_plate()) if hasattr(fake, "license_plate") else "AB-123-CD"


def _amount(fake: Faker, locale: str, rng: random.Random) -> str:
    sign = rng.choice(("$", "€", "£", "USD ", "EUR "))
    return f"{sign}{rng.randint(5, 90000):,}.{rng.randint(0, 99):02d}"


def _time(fake: Faker, locale: str, rng: random.Random) -> str:
    return rng.choice(
        (f"{rng.randint(0, 23)}:{rng.randint(0, 59):02d}", f"{rng.randint(1, 12)} pm")
    )


def _shaped(*patterns: str) -> Callable[[Faker, str, random.Random], str]:
    return lambda fake, locale, rng: numbers.digits(rng, rng.choice(patterns))


_SIMPLE: Mapping[str, Callable[[Faker, str, random.Random], str]] = {
    "phone": _phone,
    "email": _mail,
    "card": lambda f, _, r: numbers.grouped(str(f.credit_card_number()), r),
    "iban": lambda f, _, r: numbers.grouped(numbers.iban(r.choice(_IBANS), r), r, "  "),
    "ssn": lambda f, _, r: numbers.ssn(r),
    "ip": lambda f, _, r: numbers.ip(r),
    "license": _shaped(*_LICENSES),
    "dob": lambda f, _, r: _birth(f, r),
    "mrn": _shaped(*_RECORDS),
    "passport": _shaped("@########", "#########", "@@#######"),
    "account": _shaped("########", "##########", "%###########"),
    "mac": lambda f, _, r: str(f.mac_address()),
    "date": lambda f, _, r: _date(f, r),
    "age": lambda f, _, r: str(r.randint(1, 99)),
    "zip": _shaped("%####"),
    "city": _city,
    "url": lambda f, _, r: str(f.url()),
    "device": _shaped("SN-@@######", "%###############"),
    "vehicle": _vehicle,
    "org": _org,
    "country": lambda f, _, r: r.choice(list(COUNTRIES.values())),
    "nation": lambda f, _, r: r.choice(_DEMONYMS),
    "job": lambda f, _, r: str(_seeded("en_US", r).job()),
    "product": lambda f, _, r: r.choice(PRODUCTS),
    "amount": _amount,
    "num": lambda f, _, r: str(r.randint(2, 9999)),
    "code": _shaped(*_CODES),
    "time": _time,
    "day": lambda f, _, r: str(_seeded("en_US", r).day_of_week()),
    "month": lambda f, _, r: str(_seeded("en_US", r).month_name()),
    "year": lambda f, _, r: str(r.randint(1990, 2026)),
}  # fmt: skip
