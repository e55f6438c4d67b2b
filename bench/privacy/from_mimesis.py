"""The values of ``held``: mimesis's, put together by each country's order of an address, and
lists of this set's own (`texts/held.toml`) for countries that it lacks.

Nothing here may be shared with what trains or tunes detection.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench.privacy import numbers
from bench.privacy.values import Person, listed

ENGLISH = listed("en en en en-gb en-gb en-au en-ca")
LOCALES = listed(
    """
    de de-at de-ch fr es es-mx it nl nl-be pt pt-br pl cs sk hr da sv no et is
    hu hu fi fi tr tr ru uk kk ro ro vi vi ar ar ko in in sg ng zh ph il ke jp
    """
)
_CYRILLIC = dict(
    zip(
        "абвгдеёзийклмнопрстуфхцчшщъыьэюяжіїєґ",
        listed(
            """
            a b v g d e yo z i y k l m n o p r s t u f kh ts ch sh sch - y - e yu ya zh i i ie g
            """
        ),
        strict=True,
    )
) | dict(zip("әғқңөұүһ", "agqnouuh", strict=True))


PRODUCTS = listed(
    """
    Pixel 8|Surface Pro 9|Nespresso Vertuo|MacBook Air|Windows Server 2022|Tableau|Zendesk|Octavia
    |Corolla Hybrid|Switch OLED|Paracetamol|Amoxicillin 500 mg|Atorvastatin|Slack|Dreame L20
    |Echo Dot|Mastercard World|Travel Flex|EcoTank ET-2850|Postgres 16|Red Hat 9|Thermomix TM6
    |Ozempic
    """,
    "|",
)
_ORGS = listed(
    """
    Northwind Traders|Harbour & Sons Ltd|Bluepeak Logistics|Ministry of Transport|Ostwind GmbH
    |St. Brigid's Hospital|Lakeside Credit Union|Vereniging Groen|Polytechnic of {c}|Port of {c}
    |{c} Regional Court|Assicurazioni del Sud|Banque du Nord|Kappa Analytics|First Mutual of {c}
    |{c} United FC|Museum of Modern Art|Orion Pharma Trials|Department of Education|Team Red
    """,
    "|",
)
_NATIONS = listed(
    """
    Hungarian Romanian Finnish Turkish Vietnamese Korean Spanish Austrian Belgian Norwegian Egyptian
    Argentine Icelandic Estonian Israeli Filipino Scottish Welsh Ukrainian
    """
)
_COUNTRIES = listed(
    """
    Hungary|Romania|Finland|Turkey|Vietnam|Egypt|Peru|South Korea|Malta|Estonia|Morocco|Israel
    |New Zealand|Belgium|Ecuador|Thailand|Slovakia|Tunisia
    """,
    "|",
)
_HOSTS = ("proton.me", "gmx.net", "example.net", "icloud.com", "uni.example.edu", "btinternet.com")
_IBANS = listed(
    """
    GB@@@@############## DE################## FR####################### ES####################
    HU######################## RO@@@@################ FI############## TR######################
    SE#################### NO########### CZ#################### LU################
    GR#######################
    """
)
_CARDS = (("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("37", 15), ("6011", 16), ("4", 13))
_LICENSES = listed(
    "@######|%#######|@@@@@######@@###|@## ### ###|##########|%########|@@## #######", "|"
)


class MimesisValues:
    def locale(self, rng: random.Random) -> str:
        return rng.choice(ENGLISH if rng.random() < 0.4 else LOCALES)

    def person(self, locale: str, rng: random.Random) -> Person:
        own = _own().get(locale)
        if own:
            given, middle = (rng.choice(own["given"]) for _ in range(2))
            return Person(given, middle, rng.choice(own["surnames"]), not own.get("eastern"))
        person = _seeded("Person", locale, rng)
        from mimesis.enums import Gender

        gender = rng.choice((Gender.MALE, Gender.FEMALE))
        surname = _latin(person.surname(gender))
        if rng.random() < 0.03:
            surname = f"{surname}-{_latin(person.surname(gender))}"
        given, middle = _latin(person.name(gender)), _latin(person.name(gender))
        # Hungarians put the surname first at home; most do not when they write English.
        return Person(given, middle, surname, locale != "hu" or rng.random() < 0.7)

    def address(self, locale: str, rng: random.Random) -> list[str]:
        if rng.random() < 0.15:
            return self._mixed(locale, rng)
        lines = [self.street(locale, rng), *_area(locale, rng).split("\n")]
        if rng.random() < 0.25:
            lines.append(str(_order(locale)["country"]))
        return lines

    def _mixed(self, locale: str, rng: random.Random) -> list[str]:
        """An address in the order of whoever typed it, who lives elsewhere."""
        street, city = self.street(locale, rng), _city(locale, rng)
        code = numbers.digits(rng, rng.choice(("%####", "%###", "%#####", "%## ##")))
        country = str(_order(locale)["country"])
        forms = (
            [f"{city}, {street}"],
            [street, f"{code}, {city}, {country}"],
            [street, city, f"{code} {country}"],
            [street, f"{city} ({country})"],
        )
        return rng.choice(forms)

    def street(self, locale: str, rng: random.Random) -> str:
        own = _own().get(locale)
        if own:
            return _own_filled(own, rng.choice(own["street"]), rng)
        street = _mimesis_street(locale, rng)
        if rng.random() < 0.3:
            unit = rng.choice(_order(locale)["units"])
            values = {"n": rng.randint(1, 60), "m": rng.randint(1, 6), "x": rng.randint(100, 990)}
            street = unit.format(s=street, **values)
        return street

    def simple(self, slot: str, locale: str, rng: random.Random) -> str:
        return _SIMPLE[slot](locale, rng)


@cache
def _countries() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads((Path(__file__).parent / "texts" / "held.toml").read_text("utf-8"))


def _own() -> dict[str, dict[str, Any]]:
    return _countries()["own"]


def _order(locale: str) -> dict[str, Any]:
    return _own().get(locale) or _countries()["mimesis"][locale]


def _own_filled(own: dict[str, Any], pattern: str, rng: random.Random) -> str:
    text = re.sub(r"\{f\}", lambda _: str(rng.randint(1, 30)), pattern)
    text = re.sub(r"\{zip(\d)\}", lambda m: numbers.digits(rng, "%" + "#" * (int(m[1]) - 1)), text)
    return text.format(
        n=rng.randint(1, 250),
        x=rng.randint(101, 2999),
        s=rng.choice(own["streets"]),
        c=rng.choice(own["cities"]),
    )


@cache
def _provider(name: str, locale: str) -> Any:
    import mimesis
    from mimesis.locales import Locale

    return getattr(mimesis, name)(Locale(locale), seed=0)


def _seeded(name: str, locale: str, rng: random.Random) -> Any:
    provider = _provider(name, locale if locale in _countries()["mimesis"] else "en")
    provider.reseed(rng.getrandbits(48))
    return provider


def _latin(text: str) -> str:
    letters = []
    for letter in text:
        latin = _CYRILLIC.get(letter.lower(), letter).replace("-", "" if letter in "ъьЪЬ" else "-")
        letters.append(latin.capitalize() if letter != letter.lower() else latin)
    return "".join(letters)


def _mimesis_street(locale: str, rng: random.Random) -> str:
    address = _seeded("Address", locale, rng)
    number = str(rng.randint(1, 220) if rng.random() < 0.9 else rng.randint(221, 9999))
    if locale.startswith("en"):
        suffix = address.street_suffix()
        if locale in {"en-gb", "en-au"}:
            suffix = rng.choice(
                ("Road", "Close", "Lane", "Way", "Gardens", "Mews", "Street", "Hill")
            )
        elif rng.random() < 0.3:
            suffix = rng.choice(("St", "Ave.", "Blvd", "Dr", "Ln", "Rd.", "Ct"))
        return f"{number} {address.street_name()} {suffix}"
    street = re.sub(r"\b\d+\b", number, _latin(address.address()), count=1)
    if locale in {"da", "no", "et", "is", "nl-be"}:  # which mimesis writes the English way
        street = re.sub(r"^(\d+) (.+)$", r"\2 \1", street)
    return f"{street}." if locale == "hu" and rng.random() < 0.5 else street


def _area(locale: str, rng: random.Random) -> str:
    own = _own().get(locale)
    if own:
        return _own_filled(own, rng.choice(own["area"]), rng)
    address = _seeded("Address", locale, rng)
    text = rng.choice(_order(locale)["area"]).format(
        c=_latin(address.city()),
        zip=address.zip_code().removeprefix("DK-"),
        state=_latin(address.state()),
        abbr=address.state(abbr=True).split("-")[-1],
    )
    return numbers.digits(rng, text) if "#" in text else text


def _phone(locale: str, rng: random.Random) -> str:
    if locale not in _own() and rng.random() < 0.25:
        return str(_seeded("Person", locale, rng).phone_number())
    number = numbers.digits(rng, rng.choice(_order(locale)["phone"]))
    return f"{number} x{rng.randint(10, 999)}" if rng.random() < 0.04 else number


def _city(locale: str, rng: random.Random) -> str:
    own = _own().get(locale)
    if own:
        return str(rng.choice(own["cities"])).split(",")[-1].strip()
    return _latin(str(_seeded("Address", locale, rng).city()))


def _org(locale: str, rng: random.Random) -> str:
    if rng.random() < 0.4:
        return str(_seeded("Finance", "en", rng).company())
    return rng.choice(_ORGS).format(c=_city(locale, rng))


def _day(rng: random.Random, first: int, last: int, forms: tuple[str, ...]) -> str:
    from datetime import date, timedelta

    day = date(first, 1, 1) + timedelta(days=rng.randrange((last - first) * 365))
    return day.strftime(rng.choice(forms))


_DATES = ("%d %B %Y", "%d/%m/%y", "%m/%d/%Y", "%Y-%m-%d", "%a %d %b", "%d.%m.%Y", "%b %d, %Y")
_BIRTHS = ("%d %B %Y", "%d/%m/%Y", "%m-%d-%Y", "%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y", "%d %b %Y")


def _shaped(*patterns: str) -> Callable[[str, random.Random], str]:
    return lambda locale, rng: numbers.digits(rng, rng.choice(patterns))


def _chosen(*values: str) -> Callable[[str, random.Random], str]:
    return lambda locale, rng: rng.choice(values)


def _mail(locale: str, rng: random.Random) -> str:
    return numbers.mailbox(MimesisValues().person(locale, rng), _HOSTS, rng)


def _amount(locale: str, rng: random.Random) -> str:
    value = rng.randint(3, 40000)
    return rng.choice(
        (f"{value} euros", f"${value:,}", f"{value:,}.00 GBP", f"HUF {value}", f"₹{value}")
    )


_SIMPLE: Mapping[str, Callable[[str, random.Random], str]] = {
    "phone": _phone,
    "email": _mail,
    "card": lambda _, r: numbers.grouped(numbers.luhn(*r.choice(_CARDS), r), r, "  -"),
    "iban": lambda _, r: numbers.grouped(numbers.iban(r.choice(_IBANS), r), r, "  "),
    "ssn": lambda _, r: numbers.ssn(r),
    "ip": lambda _, r: numbers.ip(r),
    "license": _shaped(*_LICENSES),
    "dob": lambda _, r: _day(r, 1930, 2018, _BIRTHS),
    "mrn": _shaped("######", "P-######", "##-##-##", "@@######", "0########"),
    "passport": _shaped("@@######", "@#######", "%########", "@##@#####"),
    "account": _shaped("########", "##-######-##", "%#########", "####-#####"),
    "mac": lambda _, r: "-".join(f"{r.randint(0, 255):02X}" for _ in range(6)),
    "date": lambda _, r: _day(r, 2021, 2027, _DATES),
    "age": lambda _, r: str(r.randint(2, 97)),
    "zip": _shaped("%####", "%####-####"),
    "city": _city,
    "url": lambda _, r: (
        f"https://www.{r.choice(('orchard', 'mill', 'harbor'))}.example/{r.randint(1, 99)}"
    ),
    "device": _shaped("DEV%#####", "S/N %########", "@@@##@####"),
    "vehicle": _shaped("@@## @@@", "@@@-####", "@@ ### @@"),
    "org": _org,
    "country": _chosen(*_COUNTRIES),
    "nation": _chosen(*_NATIONS),
    "job": lambda _, r: str(_seeded("Person", "en", r).occupation()),
    "product": _chosen(*PRODUCTS),
    "amount": _amount,
    "num": lambda _, r: str(r.randint(2, 7000)),
    "code": _shaped("#%-###", "@@@%##", "CASE-####", "No. ####", "%.%#.#", "DIN 18040", "T#####"),
    "time": _chosen("9 am", "14:30", "half past six", "23:05", "7.15", "noon"),
    "day": _chosen("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": _chosen("January", "March", "April", "June", "August", "October", "December"),
    "year": lambda _, r: str(r.randint(1985, 2025)),
}
