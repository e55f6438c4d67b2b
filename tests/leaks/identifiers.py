"""Identifiers to plant: names and addresses of many countries, numbers whose checksums are right.

Written for this test, from no generator and no list that the detectors learn from. A value stands
in a sentence that somebody might write about it; which value stands in which sentence is drawn by
a fixed seed, whatever is found or missed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

PEOPLE = (
    """
Harriet Pemberton|Dominic Ashworth|Rosalind Cartwright|Gareth Llewellyn|Siobhan Gallagher
Fergus MacAllister|Bronwen Prothero|Declan Fitzgerald|Annegret Holzapfel|Wolfram Dietzenbach
Roswitha Eggensperger|Burkhard Lindenschmidt|Clothilde Beauregard|Thibault Charpentier
Ghislaine Vauquelin|Aurélien Montfaucon|Inmaculada Berenguer|Fermín Etxebarria|Rocío Valdivieso
Hernán Quiñones|Ottavia Bencivenga|Ruggero Castelvecchi|Fiammetta Guicciardini
Ermanno Squarcialupi|Gertruda Wiśniewska|Kazimierz Brzozowski|Bogumiła Zawadzka
Zdzisław Chmielewski|Květoslava Havránková|Bořivoj Štěpánek|Ludmila Procházková|Torbjørn Haugland
Ragnhild Skjelbred|Sigurd Ellingsen|Gunhild Vestergaard|Birgitta Sandström|Håkan Lindqvist
Annika Rosenlund|Tuulikki Heikkinen|Pekka Väisänen|Marjatta Koskela|Aarto Salminen
Rasmus Kjærgaard|Liesbeth Vandenbroucke|Joris Verstappe|Femke Hoekstra|Maarten Oosterhuis
Emre Karadağ|Nurhan Yıldırım|Şebnem Küçükoğlu|Zsuzsanna Szilágyi|Levente Kertész
Botond Szentgyörgyi|Crăița Dumitrescu|Ovidiu Constantinescu|Evangelia Papadimitriou
Stavros Kontogiannis|Vasiliki Anagnostopoulou|Yevgeny Kuropatkin|Svetlana Voroshilova
Arkady Belozersky|Zinaida Shcherbakova|Bohdan Kovalenchuk|Oksana Tymchenko|Venkatesh Raghunathan
Lakshmi Subramaniam|Harpreet Bhullar|Chandrika Deshmukh|Anirban Mukhopadhyay|Zhang Weihong
Ouyang Xiuying|Huang Junjie|Takeshi Yamanouchi|Haruka Shimizutani|Masahiro Kobayakawa|Kwon Hyejin
Namgung Seojun|Nguyen Thanh Huong|Tran Quoc Khanh|Abdulrahman Al-Qahtani|Khadija Benslimane
Youssef El-Mansouri|Noor Haddadin|Shlomit Rosenzweig|Avigdor Ben-Yehuda|Chukwuemeka Nwachukwu
Oluwaseun Adebayo-Cole|Ngozi Okonkwo|Kwabena Asamoah|Wanjiru Kamau|Thandiwe Mkhabela|Sipho Ndlovu
Tesfaye Woldemariam|Guilherme Vasconcelos|Conceição Albuquerque|Thiago Figueiredo
Ximena Altamirano|Joaquín Urrutia|Maricel Dimaculangan|Rodrigo Macaraeg|Guðrún Sigurðardóttir
Þorsteinn Eyjólfsson|Mairead O'Sullivan|Cormac O'Donoghue|Agnieszka Wójtowicz
Jean-Baptiste Lacroix|Marie-Louise Delacourt|Anne-Sophie Vandermeer|Ludwig von Hohenfels
Pieter van der Heyden|Isabella di Montelupo|Carlos de la Fuente|Leila Farahani|Behrouz Tavakoli
Natia Gelashvili|Hripsime Petrosyan|Aigerim Nurmagambetova|Dilshod Yuldashev|Elif Sarıkaya
Katarína Hudáková|Matej Zupančič|Jadranka Vukosavljević|Dragoslav Milutinović|Kristaps Ozoliņš
Rūta Petrauskienė|Aleksander Mägi|Teuta Krasniqi|Desislava Georgieva|Plamen Stoyanov|Ewa Dąbrowska
Winifred Throckmorton|Ignatius Featherstone|Philippa Hargreaves|Barnaby Whitcombe
Delphine Marchetti|Octavia Rutherford|Thaddeus Wojciechowski|Marguerite Delaunay
Reginald Blackwood|Cordelia Ravenscroft|Montgomery Ellsworth|Guinevere Haverford|Leopold Zimmerer
Friederike Aschenbrenner|Tobias Kreuzfeldt|Adelheid Rauschenbach|Hannelore Pfefferkorn
Maximiliane Oberhauser|Sylvestre Rochambeau|Ondine Lefèvre|Sebastiana Carvalhal
Evaristo Monteverde|Giancarlo Bellincioni|Serafina Malaspina|Tommaso Acquaviva
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

ADDRESSES = (
    """
14 Larkspur Close, Harrogate HG2 8QT|221 Old Mill Lane, Apt 6, Springfield, IL 62704
1809 Sycamore Avenue, Boulder, CO 80302|Flat 3, 27 Wellington Road, Leeds LS6 2PN
Rosenweg 12, 70499 Stuttgart|Goethestraße 48, 60313 Frankfurt am Main
Birkenallee 7a, 22607 Hamburg|18 rue des Lilas, 69003 Lyon
7 avenue du Général Leclerc, 75014 Paris|Calle de Alcalá 133, 28009 Madrid
Via Garibaldi 21, 16124 Genova|Via dei Tigli 9, 20143 Milano|ul. Słoneczna 15, 31-510 Kraków
Keizersgracht 318, 1016 EZ Amsterdam|Storgata 22, 0184 Oslo|Drottninggatan 71, 111 36 Stockholm
Vesterbrogade 104, 1620 København|Mannerheimintie 40, 00100 Helsinki
45 King William Street, Adelaide SA 5000|602 Queen Street West, Toronto, ON M6J 1E3
Rua Augusta 1524, 01304-001 São Paulo|Bahnhofstrasse 33, 8001 Zürich
Mariahilfer Straße 88, 1070 Wien|9 Merrion Square, Dublin 2
317 Cedar Ridge Drive, Austin, TX 78745|PO Box 4471, Portland, OR 97208
78 Hillcrest Terrace, Edinburgh EH10 6DN|5520 Lakeview Boulevard, Unit 12B, Tampa, FL 33609
26 Marine Parade, Brighton BN2 1TL|840 Juniper Street NE, Atlanta, GA 30308
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

PHONES = (
    """
+44 20 7946 0321|+1 (415) 555-0173|212-555-0148|+49 30 90185243|+33 1 42 68 53 17|+34 912 345 678
+39 06 6982 4471|+48 22 621 34 88|+31 20 624 8819|+47 22 83 50 17|+46 8 505 813 40|+45 33 12 68 90
+358 9 612 3456|+61 2 9374 4012|+1 416-555-0196|+55 11 3091-4422|+41 44 211 37 20|+43 1 588 30 41
+353 1 677 8952|(303) 555-0117|07700 900461|020 7946 0887|+81 3 3211 4567|+91 22 2778 4410
+86 10 6552 9988|+972 3 520 7741|+27 21 480 7123|+90 212 293 5541|+420 224 811 632|+36 1 266 7719
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def _luhn(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def _iban(country: str, account: str) -> str:
    moved = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    whole = f"{country}{98 - int(moved) % 97:02}{account}"
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _cards(chance: random.Random) -> Iterator[str]:
    for start, length in (("4", 15), ("52", 15), ("37", 14), ("6011", 15), ("4", 15), ("55", 15)):
        for _ in range(4):
            body = start + "".join(chance.choices("0123456789", k=length - len(start)))
            card = _luhn(body)
            yield " ".join(card[at : at + 4] for at in range(0, len(card), 4))


def _numbers(chance: random.Random) -> Iterator[tuple[str, str]]:
    def digits(count: int) -> str:
        return "".join(chance.choices("123456789", k=count))

    for country, length in (("DE", 18), ("FR", 23), ("NL", 0), ("ES", 20), ("GB", 0), ("AT", 16),
                            ("PL", 24), ("CH", 17), ("NO", 11), ("BE", 12)):  # fmt: skip
        bank = {"NL": "ABNA", "GB": "BARC"}.get(country, "")
        account = bank + digits({"NL": 10, "GB": 14}.get(country, length))
        yield "iban", _iban(country, account)
        yield "iban", _iban(country, account[::-1] if not bank else bank + digits(len(account) - 4))
    for card in _cards(chance):
        yield "card", card
    for _ in range(14):
        yield "ssn", f"{chance.randint(101, 640)}-{digits(2)}-{digits(4)}"
        yield "ip", ".".join(str(chance.randint(11, 250)) for _ in range(4))
        yield "record", f"MRN-{digits(7)}"
        yield "licence", f"{chance.choice('BCDFHJKLMNPRST')}{digits(3)}-{digits(4)}-{digits(4)}"
        yield "birth", f"{chance.randint(10, 28)}/{chance.randint(10, 12)}/19{digits(2)}"


SENTENCES = {
    "person": (
        "Please ask {} before the next visit.",
        "{} will call back on Monday afternoon.",
        "The file was checked by {} and returned.",
        "Yesterday {} moved to another room.",
        "Reported by {}, who was on duty.",
    ),
    "address": ("Deliver the parcel to {} before noon.", "She lives at {}."),
    "phone": ("Call {} after six.", "The mobile number is {}."),
    "email": ("Write to {} for the keys.", "Contact: {}"),
    "iban": ("Transfer the deposit to {}.", "IBAN: {}"),
    "card": ("It was paid with the credit card {}.", "Card number: {}"),
    "ssn": ("The social security number is {}.", "SSN: {}"),
    "ip": ("The laptop signed in from {}.", "Last login from IP address {}."),
    "record": ("The medical record number is {}.", "Patient file {} was opened."),
    "licence": ("The driver's license number is {}.", "Driver license: {}"),
    "birth": ("Date of birth: {}", "The patient was born on {}."),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """An identifier, its kind, and the sentence that it stands in."""

    kind: str
    value: str
    sentence: str


def identifiers(seed: int = 7) -> tuple[list[Planted], list[Planted]]:
    """Return people, and everything; each value once, in an order that is drawn."""
    chance = random.Random(seed)
    found: list[tuple[str, str]] = [("person", name) for name in PEOPLE]
    others = [*(("address", one) for one in ADDRESSES), *(("phone", one) for one in PHONES)]
    others += _numbers(chance)
    domains = ("acme.example", "mail.example.org", "clinic.example.net")
    for name in PEOPLE[::5]:
        plain = name.encode("ascii", "ignore").decode().lower().replace("'", "")
        others.append(("email", f"{plain.replace(' ', '.')}@{chance.choice(domains)}"))
    chance.shuffle(others)
    planted = [
        Planted(kind, value, chance.choice(SENTENCES[kind]).format(value))
        for kind, value in (*found, *others)
    ]
    return planted[: len(found)], planted[len(found) :]
