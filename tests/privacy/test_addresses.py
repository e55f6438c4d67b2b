"""Street addresses: one span from the first part to the last, in some fifty countries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.privacy.address import find, generalized_zip
from rag.privacy.address.joining import believed
from rag.privacy.address.location import locations
from rag.privacy.address.postcodes import SPARSE_PREFIXES
from rag.privacy.words import view

# "\\n" is a line break.
ADDRESSES = r"""
1427 Quarry Hollow Road, Apt 3B, Dunmere, VT 05401
88 W 114th St #5C, New York, NY 10026-1234
P.O. Box 88, Cedar Falls, Iowa 50613
RR 2 Box 152, Millbrook, AL 36054
PSC 1204, Box 77, APO AE 09012
Unit 7788 Box 41, DPO AP 96321, USA
4410 State Highway 16 N, Unit 9, Bandera, Texas 78003, United States
7 N. Old Mill Rd., Suite 1200, Boise ID 83702
Flat 2, 19 Larch Mews, Harrogate HG1 4QT, United Kingdom
Rose Cottage, Mill Lane, Little Wenham, Suffolk IP7 6PX
221b Tanner Street, London, SE1 3LE, England
4 The Paddocks, Ambleford, OX7 5QQ
14 Dunluce Terrace, Ballymore, Co. Cork, P31 XY45, Ireland
Apartment 6, The Granary, Meeting House Lane, Dublin 7, D07 X2Y8
1180 Boul. Saint-Laurent, bureau 300, Montréal, QC H2X 2S6
45-2210 Fir Crescent NW, Calgary, Alberta T2N 1N4, Canada
Unit 4/27 Wattle Parade, Glenorchy TAS 7010, Australia
18B Kauri Place, RD 3, Te Awamutu 3873, New Zealand
Kastanienallee 41, 2. OG links, 10435 Berlin, Deutschland
Am Mühlbach 7a, 83026 Rosenheim, Germany
Hinter der Kirche 3, D-25980 Sylt
Mariahilfer Straße 88/2/14, 1070 Wien, Österreich
Lindengasse 12, Top 7, A-4020 Linz
Seefeldstrasse 19, 8008 Zürich, Schweiz
Chemin des Vergers 4, 1213 Petit-Lancy, Suisse
17 bis, rue du Faubourg-Poissonnière, bât. C, 75009 Paris, France
3 allée des Tilleuls, Résidence Les Pins, 33700 Mérignac
Kerkstraat 12 bus 3, 9000 Gent, Belgium
Rue de la Station 45, bte 2, 5000 Namur, Belgique
Keizersgracht 411-II, 1016 EK Amsterdam, The Netherlands
Dorpsstraat 8a, 7213 CB Gorssel
12, rue de l'Alzette, L-4010 Esch-sur-Alzette, Luxembourg
Calle de la Sierpes, 24, 3º B, 41004 Sevilla, España
C/ Mayor 18, bajo izq., 28013 Madrid
Avda. Diagonal 640, 08017 Barcelona, Spain
Rua das Flores, n.º 45, 2.º Esq., 4050-262 Porto, Portugal
Via Giuseppe Verdi, 18, scala B, int. 4, 40121 Bologna (BO), Italia
Piazza San Marco 3, 30124 Venezia VE
Nørrebrogade 44, 2. tv., 2200 København N, Danmark
Storgatan 18 B, lgh 1102, 411 24 Göteborg, Sverige
Kirkeveien 61C, 0364 Oslo, Norge
Mannerheimintie 15 A 12, 00260 Helsinki, Suomi
Hämeenkatu 3 B 24, 33100 Tampere, Finland
Laugavegur 26, 101 Reykjavík, Ísland
Pärnu mnt 67a-4, 10134 Tallinn, Estonia
Brīvības iela 92-15, Rīga, LV-1001, Latvija
Gedimino pr. 28-7, LT-01104 Vilnius, Lietuva
ul. Marszałkowska 84/92 m. 115, 00-514 Warszawa, Polska
os. Złotego Wieku 12/34, 31-616 Kraków
Na Příkopě 14, 110 00 Praha 1, Česká republika
Husova 231/7, 602 00 Brno
Obchodná 22, 811 06 Bratislava, Slovensko
1052 Budapest, Váci utca 19-21. II. em. 3., Hungary
Kossuth Lajos utca 5, 6720 Szeged
Str. Mihai Eminescu nr. 45, bl. A3, sc. B, ap. 12, Cluj-Napoca 400033, România
бул. Витоша 45, ап. 6, 1000 София, България
Ilica 44, 10000 Zagreb, Hrvatska
Knez Mihailova 12/3, 11000 Beograd, Srbija
Trubarjeva cesta 5, 1000 Ljubljana, Slovenija
Ermou 24, 105 63 Athina, Greece
Λεωφόρος Κηφισίας 44, 151 25 Μαρούσι
Bağdat Caddesi No: 123 Daire: 5, 34740 Kadıköy/İstanbul, Türkiye
Cumhuriyet Mah. Atatürk Sok. No:7 D:3, 06420 Çankaya, Ankara
ul. Lenina, d. 15, kv. 8, Moskva, 119991, Russia
г. Москва, ул. Тверская, д. 7, кв. 24, 125009
вул. Хрещатик, буд. 22, кв. 5, Київ, 01001, Україна
Rehov Dizengoff 99, Apt 4, Tel Aviv 6433108, Israel
Villa 14, Al Wasl Road, Jumeirah 2, Dubai, UAE
Office 1204, Marina Plaza, Sheikh Zayed Road, Dubai, United Arab Emirates
7277 King Fahd Road, Al Olaya, Riyadh 12212, Saudi Arabia
15 Sharia Talaat Harb, Cairo 11511, Egypt
Flat 402, Sai Residency, 12th Main Road, Indiranagar, Bengaluru 560038, Karnataka, India
H.No. 8-2-293/82, Road No. 10, Banjara Hills, Hyderabad - 500034
Plot No. 45, Sector 18, Gurugram, Haryana 122015
House 27-B, Street 9, F-7/2, Islamabad 44000, Pakistan
House 14, Road 27, Block K, Banani, Dhaka 1213, Bangladesh
45/2 Galle Road, Colombo 00300, Sri Lanka
Room 1502, Building 7, No. 88 Jianguo Road, Chaoyang District, Beijing 100022, China
88 Nanjing Xi Lu, Jing'an Qu, Shanghai 200041, P.R. China
Flat 12C, 8/F, Tower 2, 33 Harbour Road, Wan Chai, Hong Kong
5F, No. 12, Lane 45, Zhongxiao East Road Sec. 4, Da'an District, Taipei 106, Taiwan
3-14-5 Nishi-Azabu, Minato-ku, Tokyo 106-0031, Japan
2-chome-8-1 Nishi-Shinjuku, Shinjuku City, Tokyo 163-8001
152 Teheran-ro, Gangnam-gu, Seoul 06236, South Korea
27, Yulgok-ro 10-gil, Jongno-gu, Seoul 03131, Republic of Korea
Blk 123 Ang Mo Kio Avenue 3, #08-45, Singapore 560123
No. 12, Jalan SS 2/24, 47300 Petaling Jaya, Selangor, Malaysia
Jl. Kebon Sirih No. 17, RT 02/RW 05, Menteng, Jakarta Pusat 10340, Indonesia
Unit 5B, 27 Mabini Street, Brgy. San Roque, Quezon City 1109, Metro Manila, Philippines
25 Đường Lê Lợi, Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh, Việt Nam
Số 12 Ngõ 45 Phố Hàng Bông, Hoàn Kiếm, Hà Nội
99/12 Soi Sukhumvit 24, Khlong Toei, Bangkok 10110, Thailand
Rua Augusta, 1524, apto 72, Consolação, São Paulo - SP, 01304-001, Brasil
Av. Atlântica, 1702, Copacabana, Rio de Janeiro/RJ, CEP 22021-001
Av. Corrientes 1234, Piso 5, Dto. B, C1043AAZ Buenos Aires, Argentina
Avenida Providencia 2331, depto. 504, Providencia, Santiago, Chile
Calle 93 # 11-27, Apto 402, Bogotá, Colombia
Av. Insurgentes Sur 1602, Int. 5, Col. Crédito Constructor, 03940 Ciudad de México, CDMX
Jr. de la Unión 345, Lima 15001, Perú
Calle 8 con Avenida 3, Edif. Sol, Piso 2, Caracas 1010, Venezuela
14 Jacaranda Street, Hatfield, Pretoria, 0083, South Africa
23 Adeola Odeku Street, Victoria Island, Lagos, Nigeria
P.O. Box 30197-00100, Nairobi, Kenya
House No. 12, Ring Road Central, Accra, Ghana
45 Avenue Mohammed V, Agdal, 10090 Rabat, Morocco
8 rue de Carthage, 1000 Tunis, Tunisie
6750 Koskikatu 25 Apt. 864\nLahti\n, CO\n Finland 64677
9 Kozelská 14\nBrno\nCzech Republic 60200
Springfield, IL 62704
70173 Stuttgart, Germany
4112 Rua Bela Vista\nCampinas\nBrazil 13010
Via Torino 83 44\nRoma\nItaly 00184
26 Ørbækvej 199, 1402 København K, Denmark
""".strip().splitlines()

DECOYS = """
The invoice came from 5 Times Square Capital in March.
Section 12 Road Traffic Act applies here.
This is no 2 Way Street, it is a partnership.
The 12 March Street parade was cancelled.
We served 40 Main Courses and 12 desserts.
Three rangers and 3 Park Rangers met at noon.
Ticket 4471 Main queue was closed on 12 May 2024.
On 14 June 2023 Anna Karenina was published again.
In Paris, France, the weather was fine.
Chapter 7 Bankruptcy was filed in 2019.
The 5 busy street vendors left at 10.
Version 3.11 Lane detection was released.
Invoice ISO 9001 of 05/09/2024: paid.
Order 62704 shipped with 12 items, total $1,250.00.
Windows 11 Home and Office 365 are installed on 20 Dell laptops.
She scored 12 Points in Game 4 against 3 Teams.
Room 204, Building 3, opens at 9 am.
Call +44 20 7946 0958 or 555-0170 before 5 pm.
Flight BA 2490 to London Heathrow leaves at 10:45 from gate 12.
Revenue grew 12 % in Germany and 8 % in Japan.
The 1,250 Green Energy Projects of 2021 cost 30 million.
Article 6 Court of Justice ruling of 2018 was cited.
The server 10.0.8.15 answered in 250 ms.
Wall Street fell 300 points; Main Street did not notice.
The May 2024 report has 14 Key Findings and 3 Open Questions.
""".strip().splitlines()

SENTENCES = (
    "He lives at {} and works there.",
    "Ship to: {}",
    "Address: {}\nPhone: 555 0101",
    "My new address is {}. Please update it.",
)


def texts(text: str) -> list[str]:
    seen = view(text).text
    return [seen[start:end] for start, end in find(seen)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_one_span_to_its_last_part(address: str) -> None:
    address = view(address.replace("\\n", "\n")).text
    for sentence in SENTENCES:
        (found,) = texts(sentence.format(address))
        assert found.rstrip(".") == address.rstrip("."), sentence


@pytest.mark.parametrize("text", DECOYS)
def test_what_only_looks_like_an_address_stays(text: str) -> None:
    assert texts(text) == []


def test_an_address_ends_with_its_sentence() -> None:
    text = "She moved to 19 Larch Mews, Harrogate. London is far. Tel. 12 calls."
    assert texts(text) == ["19 Larch Mews, Harrogate"]
    assert texts("It is at 7 Elm St. London is nice.") == ["7 Elm St"]


def test_a_number_with_a_name_is_an_address_where_something_says_so() -> None:
    assert texts("He lives at Ullevål 12.") == ["Ullevål 12"]
    assert texts("She moved to 12 High.") == ["12 High"]
    assert texts("We met 12 High officials.") == []


def test_two_addresses_stay_two() -> None:
    found = texts("Forward mail from 4 Elm Road, Leeds LS1 4AB to 9 Oak Lane, York YO1 7EP.")
    assert found == ["4 Elm Road, Leeds LS1 4AB", "9 Oak Lane, York YO1 7EP"]


def test_a_person_above_an_address_is_no_part_of_it() -> None:
    for person in ("Wilhelmina Vanterpool", "W. Vanterpool", "P. Green"):
        text = f"{person}\n14 Larkspur Avenue\nDunmere, VT 05401"
        assert texts(text) == ["14 Larkspur Avenue\nDunmere, VT 05401"]


def test_what_a_model_calls_an_address_is_widened_or_refused() -> None:
    text = "Ask at 12 Blobhaus Foo, 70173 Stuttgart, Germany; the Green Hall is closed."
    spans = {word: (text.index(word), text.index(word) + len(word)) for word in ("12 Blob", "Gre")}
    spans["12 Blob"] = (spans["12 Blob"][0], text.index(", 70173"))
    spans["Gre"] = (spans["Gre"][0], spans["Gre"][0] + len("Green Hall"))
    kept = believed(text, list(spans.values()), [])
    assert [text[a:b] for a, b in kept] == ["12 Blobhaus Foo, 70173 Stuttgart, Germany"]


def test_places_smaller_than_a_state_are_found_and_states_are_not() -> None:
    text = "Seen in Cook County, lives in Harrow Bay, MA; from Boston to Precinct 12. Texas too."
    found = [text[start:end] for start, end in locations(text)]
    assert found == ["Cook County", "Harrow Bay", "Boston", "Precinct 12"]


def test_a_town_that_is_also_a_word_needs_its_context() -> None:
    text = "Nice work on Reading lists; she was born in Reading."
    assert [text[start:end] for start, end in locations(text)] == ["Reading"]
    assert [start for start, _ in locations(text)] == [text.rindex("Reading")]


def test_three_digits_of_a_zip_code_stay_where_many_people_live() -> None:
    assert generalized_zip("62704-1234") == "627"
    assert generalized_zip("IL 62704") == "627"
    assert len(SPARSE_PREFIXES) == 17
    assert {generalized_zip(f"{prefix}17") for prefix in SPARSE_PREFIXES} == {"000"}
    assert generalized_zip("SW1A 1AA") == generalized_zip("1234") == ""


_PIECES = [
    "1 A ",
    "12 High Street, ",
    "a. ",
    "1-",
    "rue ",
    "St. ",
    "P.O. ",
    "Apt ",
    "New York ",
    "\n1 A",
]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=3))
def test_work_grows_with_the_text_and_no_faster(pieces: list[str]) -> None:
    piece = "".join(pieces)
    find(piece * 20)
    once, twice = calls(piece * 30), calls(piece * 60)
    assert twice <= 2.3 * once + 500


def calls(text: str) -> int:
    """Return how many functions reading a text calls."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        find(text)
    finally:
        sys.setprofile(None)
    return counted


def parts() -> Iterator[str]:
    yield from ("12", "High Street", "Apt 4", ",", "London", "IL 62704", "\n", "SW1A 1AA", "Foo")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(parts())), max_size=12).map(" ".join))
def test_spans_are_in_order_within_the_text_and_without_blanks_at_their_ends(text: str) -> None:
    place = 0
    for start, end in find(text):
        assert place <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        place = end
