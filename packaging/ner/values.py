"""What is filled into the training texts: names and addresses of many countries, and decoys.

Lists come from Faker and from this file. Part of the names are put together from syllables and
part of the addresses from pieces of several countries, so that a model learns what stands around
a value and how it is built rather than the value.
"""

from __future__ import annotations

import importlib
import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache

from faker import Faker
from faker.config import AVAILABLE_LOCALES
from text_unidecode import unidecode

Rand = random.Random

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff'’.\- ]+")
_READ = 260  # addresses and companies of a locale
PARTICLES = (
    "Ó", "Ní", "Mac", "Nic", "Della", "van", "van der", "van den", "de", "de la", "del", "della", "di", "da", "dos", "von", "von der",
    "zu", "al", "bin", "ibn", "ben", "le", "la", "el", "ter", "ten", "du", "des", "af", "St.",
)  # fmt: skip
TITLES = (
    "Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Miss", "Dr", "Dr.", "Prof.", "Professor", "Sir",
    "Rev.", "Captain", "Judge", "Nurse", "Herr", "Frau", "Señora", "Sr.", "Mme", "M.", "Signor",
)  # fmt: skip


def parts(text: str) -> list[str]:
    return text.split()


def phrases(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("|") if one.strip()]


_ONSETS = parts(
    "b br c ch d dr f fl g gr h j k kh kr l m n p pr q r s sh st sz t th tr v w x y z zh ng mb nd ts"
)
_MIDDLES = parts("a e i o u aa ai ei ia ie io oo ou ua y å ö ü é á í o u a e i a o")
_CODAS = parts("n r l s m t k d sh ng x z th ck nd rt st v") + [""] * 18
_ENDS = parts(
    "a o i e us is son sen ski ska ova ov ez es ini elli ani ano ić ic vić oğlu yan ian shvili dze "
    "wala kar nen inen ström berg mann stein er ner ton ley ham ford well bury wu ing ang ong uk ez"
)


def invented(rand: Rand, least: int = 1, most: int = 3) -> str:
    """Return a word that sounds like a name of somewhere."""
    count = rand.randint(least, most)
    letters = "".join(
        rand.choice(_ONSETS) * (place > 0 or rand.random() < 0.85)
        + rand.choice(_MIDDLES)
        + rand.choice(_CODAS)
        for place in range(count)
    )
    if rand.random() < 0.5:
        letters += rand.choice(_ENDS)
    return letters[:14].capitalize()


@cache
def locales() -> list[str]:
    return sorted(
        one for one in AVAILABLE_LOCALES if "_" in one and one not in {"la", "dk_DK", "en_MS"}
    )


def _latin(text: str) -> str:
    return text if _LATIN.fullmatch(text) else " ".join(unidecode(text).split()).title()


def _flat(values: object) -> list[str]:
    if not isinstance(values, tuple | list | set | frozenset | dict):
        return []
    found = []
    for one in values:
        if isinstance(one, tuple | list):
            one = one[0]
        if isinstance(one, str):
            found.append(one)
    return found


@cache
def names() -> dict[str, tuple[list[str], list[str]]]:
    """Return given names and surnames by locale in Latin letters, as Faker lists them."""
    pool = {}
    for locale in locales():
        try:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        except ImportError:
            continue
        given: list[str] = []
        surnames: list[str] = []
        for key in sorted(vars(provider)):
            if key.startswith(("first_name", "first_romanized")):
                given += _flat(getattr(provider, key))
            elif key.startswith(("last_name", "last_romanized")):
                surnames += _flat(getattr(provider, key))
        if not given or not surnames:
            given, surnames = _drawn(locale)
        if locale[:2] in {"ar", "fa", "he"}:
            given = [_voiced(_latin(one)) for one in given]
            surnames = [_voiced(_latin(one)) for one in surnames]
        if locale in {"th_TH", "zh_CN", "zh_TW", "ja_JP", "ko_KR"}:
            given = [one for one in given if _LATIN.fullmatch(one)] or given
            surnames = [one for one in surnames if _LATIN.fullmatch(one)] or surnames
        firsts = sorted({_latin(one) for one in given if 1 < len(_latin(one)) < 22})
        lasts = sorted({_latin(one) for one in surnames if 1 < len(_latin(one)) < 24})
        if firsts and lasts:
            pool[locale] = (firsts, lasts)
    for locale, (first_names, last_names) in _ROMANISED.items():
        pool[locale] = (parts(first_names), parts(last_names))
    return pool


def _drawn(locale: str) -> tuple[list[str], list[str]]:
    """Names of a locale whose lists cannot be read: what Faker says when asked often."""
    fake = Faker(locale)
    fake.seed_instance(5)
    return [fake.first_name() for _ in range(800)], [fake.last_name() for _ in range(800)]


def _voiced(word: str) -> str:
    """Put vowels between consonants that were written without any."""
    rand = Rand(word)
    letters = re.sub("[`'’]", "", word.lower())
    pieces = []
    for place, letter in enumerate(letters):
        pieces.append(letter)
        after = letters[place + 1 : place + 2]
        if letter not in "aeiouy -" and after and after not in "aeiouy -" and rand.random() < 0.8:
            pieces.append(rand.choice("aaaaiieuo"))
    return "".join(pieces).title()


_ROMANISED = {
    "zh": (
        "Wei Fang Min Jing Li Qiang Lei Jun Yang Yong Yan Jie Juan Tao Ming Chao Xiuying Xia Ping Gang Xiaoming "
        "Jianguo Meiling Haoran Yuxuan Zihan Xinyi Yichen Ruoxi Chenxi Guoqiang Lihua Shufen Zhiwei Jiahao Mingze "
        "Xiaoyan Hui-Min Chia-Hao Yu-Ting Mei-Ling Kuo-Wei Siu-Ming Ka-Wai Wing-Yan Chi-Keung Ying Bo Hao Xin",
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Song Tang "
        "Deng Han Feng Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren Shen Yao Lam "
        "Chan Cheung Wong Leung Lau Ng Cheng Kwok Yip Tsang Tse Hsu Hsieh Tsai Chiang Ouyang Sima Zhuge",
    ),
    "vi": (
        "Anh Minh Linh Huong Trang Thao Lan Mai Hoa Nga Phuong Thuy Hanh Hung Dung Tuan Quang Long Nam Duc Khanh Binh "
        "Son Tung Hieu Thanh Vinh Phuc Bao Khoa Ngoc My Yen Quynh Nhi Vy Chi Duong Kien Trung Hải Thảo Hương Đức",
        "Nguyen Tran Le Pham Hoang Huynh Phan Vu Vo Dang Bui Do Ho Ngo Duong Ly Dinh Trinh Mai Truong Lam Nguyễn Trần "
        "Phạm Hoàng Lê Đặng Bùi Đỗ Hồ Ngô Dương Vũ Võ",
    ),
    "ko": (
        "Min-jun Seo-yeon Ji-hoon Hye-jin Sung-min Eun-ji Jae-hyun Soo-jin Hyun-woo Yuna Jiwoo Minseo Haneul Dong-hyun "
        "Kyung-soo Mi-kyung Young-ho Sang-woo Ji-eun Bora Taeyang Seojun Doyun Jisoo Woojin Yeji Chaewon",
        "Kim Lee Park Choi Jung Jeong Kang Cho Yoon Jang Lim Im Han Oh Seo Shin Kwon Hwang Ahn Song Ryu Hong Jeon Moon "
        "Bae Baek Heo Nam Noh Ha Yoo Chung Rhee Namgung",
    ),
    "ja": (
        "Haruto Yuto Sota Hinata Yui Aoi Sakura Hana Rin Mei Takeshi Kenji Hiroshi Akira Satoshi Naoki Daiki Ryo Kaito "
        "Yoko Keiko Michiko Ayumi Megumi Emi Kaori Tomoko Noriko Mariko Shinji Kazuo Masao Ichiro Jiro Yasuko Fumiko",
        "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki Yamaguchi "
        "Matsumoto Inoue Kimura Hayashi Shimizu Saito Mori Abe Ikeda Hashimoto Ishikawa Ogawa Okada Goto Hasegawa "
        "Murakami Kondo Ishii Sakamoto Endo Aoki Fujii Nishimura Fukuda Ota Miura Fujiwara Takeuchi Nakajima",
    ),
    "ar": (
        "Mohammed Muhammad Ahmed Ali Omar Hassan Hussein Khalid Youssef Ibrahim Mustafa Abdullah Abdulrahman Tariq "
        "Samir Karim Nabil Rashid Faisal Hamza Bilal Zaid Yasin Fatima Aisha Khadija Maryam Layla Noor Zainab Huda "
        "Amina Salma Rania Dina Hanan Samira Yasmin Nadia Leila Reem Dalal Ghada Maha Suhail Anwar Jamal Walid Ziad",
        "Al-Sayed Al-Masri Al-Rashid Al-Farsi Al-Hashimi Haddad Khoury Nasser Mansour Saleh Hamdan Khalil Najjar Darwish "
        "Abdallah Aziz Farouk Shaheen Bakr Qureshi Siddiqui Rahman Ansari Hakim Jaber Sabbagh Zaki Fawzi Ghanem Barakat "
        "al-Amin al-Tamimi el-Sharif Benali Bouzid Ziani Cherif Toure Diallo Sow Ndiaye Ba Traore Keita",
    ),
    "in": (
        "Aarav Vivaan Aditya Arjun Rohan Rahul Amit Sanjay Vijay Rajesh Suresh Ramesh Anil Sunil Deepak Manoj Priya "
        "Ananya Kavya Divya Pooja Neha Anjali Sunita Lakshmi Meera Radha Shreya Ishaan Kiran Harpreet Gurpreet Balwinder "
        "Venkatesh Karthik Srinivas Murugan Padma Bhavani Chandra Debashish Sourav Tanvi Nikhil Varun Swati Rukmini",
        "Sharma Verma Gupta Patel Shah Mehta Desai Joshi Singh Kaur Gill Sidhu Iyer Iyengar Nair Menon Pillai Reddy Rao "
        "Naidu Chatterjee Banerjee Mukherjee Ghosh Das Sen Bose Kulkarni Deshpande Patil Kapoor Khanna Malhotra Chopra "
        "Agarwal Mishra Tiwari Pandey Yadav Thakur Krishnamurthy Subramaniam Venkataraman Choudhury Khan",
    ),
    "af": (
        "Chinedu Emeka Ngozi Chioma Adaeze Oluwaseun Folasade Tunde Babatunde Yewande Kwame Kofi Ama Akosua Abena Yaw "
        "Wanjiru Njeri Kamau Otieno Achieng Mwangi Thabo Sipho Nomsa Lerato Thandiwe Zanele Tendai Chipo Farai Tatenda "
        "Abebe Almaz Haile Selam Tesfaye Amadou Mariama Fatou Ousmane Moussa Aissatou Ibrahima Kipchoge Nakato Mugisha",
        "Okafor Nwosu Eze Adeyemi Okonkwo Balogun Adebayo Ogunleye Mensah Owusu Boateng Asante Appiah Kamau Mwangi "
        "Odhiambo Kariuki Dlamini Nkosi Mokoena Khumalo Ndlovu Moyo Chikwanha Banda Phiri Tembo Mulenga Tesfaye Bekele "
        "Gebremariam Diop Cissé Coulibaly Kone Ouedraogo Mbeki Zulu Abubakar Danjuma Museveni Okello",
    ),
}


@cache
def original_names() -> list[tuple[str, str]]:
    """Return names in their own Cyrillic, Greek, Arabic, Hebrew, Armenian or Georgian letters."""
    found = []
    for locale in ("ru_RU", "uk_UA", "bg_BG", "el_GR", "ar_SA", "he_IL", "hy_AM", "ka_GE"):
        fake = Faker(locale)
        fake.seed_instance(7)
        found += [(fake.first_name(), fake.last_name()) for _ in range(150)]
    return found


@cache
def _read() -> tuple[list[str], list[str], list[str], list[str], list[str]]:
    addresses: list[str] = []
    streets: list[str] = []
    cities: list[str] = []
    companies: list[str] = []
    jobs: list[str] = []
    for locale in locales():
        fake = Faker(locale)
        fake.seed_instance(11)
        for _ in range(_READ if locale[:2] != "en" else 2 * _READ):
            address = fake.address()
            if not _LATIN.match(address.replace("\n", " ")) or not address.isascii():
                address = "\n".join(
                    line if _latin_enough(line) else unidecode(line) for line in address.split("\n")
                )
            addresses.append(re.sub(r"[ \t]+", " ", address).strip())
            streets.append(_latin(fake.street_name()))
            cities.append(_latin(fake.city()))
            if len(companies) < 40_000 and _latin_enough(company := fake.company()):
                companies.append(company)
        if locale.startswith("en"):
            jobs += [fake.job() for _ in range(200)]
    return addresses, streets, sorted(set(cities)), sorted(set(companies)), sorted(set(jobs))


def _latin_enough(text: str) -> bool:
    return all(ord(letter) < 0x250 or 0x1E00 <= ord(letter) < 0x2070 for letter in text)


def _locale(rand: Rand) -> str:
    pool = names()
    if rand.random() < 0.3:
        return rand.choice([one for one in _ENGLISH if one in pool])
    return rand.choice(_all_names())


_ENGLISH = ("en_US", "en_GB", "en_AU", "en_CA", "en_NZ", "en_IE", "en_IN")


@cache
def _all_names() -> list[str]:
    return sorted(names())


def given(rand: Rand, locale: str | None = None) -> str:
    if rand.random() < 0.12:
        return invented(rand)
    return rand.choice(names()[locale or _locale(rand)][0])


def surname(rand: Rand, locale: str | None = None) -> str:
    chance = rand.random()
    if chance < 0.18:
        base = invented(rand)
        if rand.random() < 0.15:
            base = (
                rand.choice(("Mc", "Mac", "O'", "O’", "D'", "Al-", "El-", "Ben-", "Fitz", "De"))
                + base
            )
        return base
    own = rand.choice(names()[locale or _locale(rand)][1])
    if chance < 0.24:
        return f"{rand.choice(PARTICLES)} {own}"
    if chance < 0.29:
        return f"{own}-{rand.choice(names()[locale or _locale(rand)][1])}"
    return own


def full(rand: Rand) -> str:
    """Return a name with given name and surname in one of many forms."""
    locale = _locale(rand)
    first = given(rand, locale)
    last = surname(rand, locale if rand.random() < 0.75 else None)
    chance = rand.random()
    if chance < 0.58:
        return f"{first} {last}"
    if chance < 0.66:
        return f"{first} {rand.choice('ABCDEFGHJKLMNPRSTW')}{rand.choice(('.', '.', ''))} {last}"
    if chance < 0.685:
        more = rand.choice("ABCDEFGHJKLMNPRST")
        return rand.choice(
            (
                f"{first[0]}{more} {last}",
                f"{first[0]} {last}",
                f"{last} {first[0]}.",
                f"{last} {first[0]}{more}",
                f"{first[0]}.{more}.{rand.choice('ABCDEJM')}. {last}",
                f"{last}, {first[0]}.",
                f"{first[0]}.-{more}. {last}",
            )
        )
    if chance < 0.72:
        return f"{first[0]}. {last}"
    if chance < 0.75:
        return f"{first[0]}.{rand.choice(('', ' '))}{rand.choice('ABCDEFGHJKLMRST')}. {last}"
    if chance < 0.80:
        return f"{first} {given(rand, locale)} {last}"
    if chance < 0.84:
        middle = rand.choice(
            ("", "", f" {given(rand, locale)}", f" {rand.choice('ABCDEFGHJKLM')}.")
        )
        return f"{last}, {first}{middle}"
    if chance < 0.87:
        return f"{last} {first}"
    if chance < 0.89:
        return f"{last.upper()} {first}" if rand.random() < 0.6 else f"{first} {last.upper()}"
    if chance < 0.91:
        return f"{first}-{given(rand, locale)} {last}"
    if chance < 0.93:
        return f"{first} {last}-{surname(rand, locale)}"
    if chance < 0.95:
        return f"{first} {last} {surname(rand, locale)}"
    if chance < 0.965:
        return (
            f"{first} {last}{rand.choice((' Jr.', ', Jr.', ' Sr.', ' II', ' III', ' PhD', ', MD'))}"
        )
    if chance < 0.98:
        nick = given(rand, locale)
        return f"{first} {rand.choice((chr(34) + nick + chr(34), '(' + nick + ')'))} {last}"
    one, other = rand.choice(original_names())
    return f"{one} {other}"


def road(rand: Rand) -> str:
    """Return a street without a number, perhaps with its city, as people say where they live."""
    name = street(rand)
    chance = rand.random()
    if chance < 0.25:
        return f"{name} in {city(rand)}"
    if chance < 0.6:
        return f"{name}, {city(rand)}"
    return name


def person(rand: Rand) -> str:
    chance = rand.random()
    if chance < 0.66:
        return full(rand)
    if chance < 0.85:
        return given(rand)
    return surname(rand)


# --- addresses ---------------------------------------------------------------------------------

_KINDS_AFTER = parts(
    "Street St St. Avenue Ave Ave. Road Rd Rd. Lane Ln Drive Dr Court Ct Boulevard Blvd Way Place Pl "
    "Terrace Crescent Square Parkway Pkwy Highway Circle Gardens Grove Mews Trail Alley Plaza Quay "
    "Close Row Hill Walk Loop Run Path Crossing Point Ridge View Green Park Rise Manor Meadows "
    "Heights Bridge Hollow Landing Station Springs Valley Vista Village Woods Fields Harbour "
    "Street Street Road Road Avenue Avenue Lane Drive"
)
_KINDS_GLUED = parts(
    "straße strasse str. weg platz allee gasse ring damm ufer straat laan weg plein gracht kade dijk "
    "gatan vägen gata veien vej gade katu tie kuja stræde torget allé"
)
_KINDS_BEFORE = phrases(
    """
    rue | Rue | rue de | rue de la | Rue du | avenue | Avenue de | boulevard | Boulevard | place |
    chemin de | Chemin du | allée | impasse | quai | Calle | Calle de | C/ | Avenida | Av. | Avda. |
    Plaza | Paseo de | Carrera | Camino | Via | Viale | Piazza | Corso | Largo | Vicolo | Strada |
    Rua | R. | Travessa | Praça | Alameda | ul. | Ul. | al. | ulica | os. | pl. | ulitsa | Str. |
    Strada | Bulevardul | bul. | Carrer | Jalan | Jl. | Jln. | Lorong | Đường | Ulica | nám. |
    Rruga | Lg. | Gang | Soi | Rúa | Sráid | Bóthar
    """
)
_KINDS_LATER = phrases(
    """
    Caddesi | Cad. | Sokak | Sok. | Mah. | utca | út | tér | körút | ulice | ulica | g. | gatvė | pr. |
    iela | tänav | mnt | Road | Marg | Nagar | Colony | Sarani | Dori | Lu | Jie | Dadao | Ro | Gil |
    Daero | Dong | Chome | Estate | Extension | Layout | Bazaar | Chowk
    """
)
_UNITS = phrases(
    """
    Apt {n} | Apt. {n} | Apartment {n} | Suite {n} | Ste {n} | Ste. {n} | Unit {n} | Flat {n} | # {n} |
    #{n} | Floor {d} | {d}th Floor | {d}rd floor | Room {n} | Bldg {d} | Block {l} | Level {d} | {d}. OG |
    Piso {d}º {l} | {d}º {l} | bât. {l} | Appartement {n} | Wohnung {d} | m. {d} | kv. {n} | Daire {d} |
    Interno {d} | Depto. {n} | Casa {d} | Lot {d} | Tower {l} | PH{d} | Shop {d} | Villa {n} | K: {d} D: {d} |
    bus {d} | Top {d} | Hus {l} | lok. {d} | Office {n} | Box {n}
    """
)
_STATES = parts(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC "
    "ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR ON QC BC AB MB NS NSW VIC QLD SA TAS WA"
)
_REGIONS = phrases(
    """
    California | Texas | Ohio | Ontario | Quebec | British Columbia | New South Wales | Victoria | Bavaria |
    Bayern | Hessen | Tuscany | Toscana | Lombardia | Kent | Surrey | Essex | Devon | Yorkshire | West Sussex |
    County Cork | Co. Dublin | Gelderland | Noord-Holland | Andalucía | Catalunya | Jalisco | Nuevo León |
    São Paulo | Minas Gerais | Maharashtra | Karnataka | Kerala | Punjab | Sindh | Lagos State | Gauteng |
    Western Cape | Selangor | Johor | Guangdong | Zhejiang | Osaka | Hokkaido | Gyeonggi | Skåne | Uusimaa |
    Mazowieckie | Moravia | Transylvania | Anatolia | Vaud | Zürich | Tirol | Wallonia | Pernambuco |
    Île-de-France | Bretagne | Occitanie | Crete | Attica | Algarve | Oslo | Viken | Waikato | Otago
    """
)
COUNTRIES = phrases(
    """
    USA | United States | U.S.A. | UK | United Kingdom | England | Scotland | Wales | Ireland | Germany |
    Deutschland | Austria | Switzerland | France | Belgium | Netherlands | The Netherlands | Luxembourg | Spain |
    España | Portugal | Italy | Italia | Greece | Cyprus | Malta | Denmark | Sweden | Norway | Finland | Iceland |
    Estonia | Latvia | Lithuania | Poland | Polska | Czech Republic | Czechia | Slovakia | Hungary | Romania |
    Bulgaria | Serbia | Croatia | Slovenia | Bosnia | Albania | North Macedonia | Ukraine | Russia | Georgia |
    Armenia | Azerbaijan | Turkey | Israel | Lebanon | Jordan | Egypt | Morocco | Tunisia | Algeria | Libya |
    Saudi Arabia | UAE | United Arab Emirates | Qatar | Kuwait | Oman | Bahrain | Iran | Iraq | Pakistan | India |
    Bangladesh | Sri Lanka | Nepal | Thailand | Vietnam | Cambodia | Laos | Myanmar | Malaysia | Singapore |
    Indonesia | Philippines | China | Taiwan | Hong Kong | Japan | South Korea | Mongolia | Australia |
    New Zealand | Fiji | Canada | Mexico | Guatemala | Costa Rica | Panama | Cuba | Jamaica | Haiti | Colombia |
    Venezuela | Ecuador | Peru | Bolivia | Chile | Argentina | Uruguay | Paraguay | Brazil | Brasil | Nigeria |
    Ghana | Kenya | Uganda | Tanzania | Ethiopia | Rwanda | Senegal | Cameroon | Angola | Mozambique | Zambia |
    Zimbabwe | Botswana | Namibia | South Africa | Madagascar | Greenland | Vatican City | Monaco | Andorra
    """
)


_FORMS = phrases(
    """
    Cl. {n} # {m}-{k} | Calle {n} # {m}-{k} Sur | Carrera {n} No. {m}-{k} | Cra. {n} # {m}{l}-{k} | Kr {n} {m}-{k} |
    Diagonal {n} #{m}-{k} Este | Transversal {n} {m}-{k} | {k}-{m}-{n} {s} | {s} {k}-{m}-{k} | {k} Chome-{m}-{k} {s} |
    {s} {k} Chome | Sector {n} {s} | Block {l} {s} | Plot {n} {s} | Phase {k} {s} Colony | House {n}, Road {k}, {s} |
    H. No. {n} {s} | Mz. {l} Lote {k} {s} | Km {n} Carretera {s} | Route {n} Box {m} | RR {k} Box {m} | HC {m} Box {n} |
    Highway {n} {s} | County Road {n} | State Route {m} | {n}-ga {s} | Sok. No:{n} {s} | GT {n} {s} | Lot {m}, Jalan {s} |
    No. {n}, Jalan {s} {k}/{m} | {n} Soi {s} {k} | Moo {k} {s} | Ngo {n} {s} | Lane {n}, {s} Road | Sec. {k} {s} Rd. |
    {s} bldg. {k}, {m} | d. {n}, ul. {s} | {s} út {n}. | Am {s} | An der {s} | Im {s} | Auf dem {s} | In der {s} |
    Zum {s} | Zur {s} | Unter den {s} | Alte {s} | Hinter der {s} | Stretto {s} | Borgo {s} | Contrada {s} |
    Rotonda {s} | Incrocio {s} | Canale {s} | Rua Doutor {s} | Largo do {s} | Vila {s} | Villa {s} | Gang {s} No. {n} |
    Op de {s} | Aan de {s} | De {s} | Het {s} | Rond-point {s} | Cours {s} | Sentier des {s} | Hameau de {s} | ZA {s} |
    Via {s} {n}/{l} | Väg {n} | Kungs{k}gatan | Selo {s} | p. {s} | mkr. {s} | per. {s} | nab. {s} | prospekt {s} | PSC {n}, Box {m}
    """
)


def _street_word(rand: Rand) -> str:
    chance = rand.random()
    if chance < 0.35:
        return surname(rand)
    if chance < 0.5:
        return given(rand)
    if chance < 0.65:
        return invented(rand)
    if chance < 0.8:
        return rand.choice(cities())
    return rand.choice(
        parts(
            "Oak Maple Cedar Pine Elm Main High Church Station Mill Park Lake Hill River Queen King "
            "Victoria Market School Spring North South East West Old New Green Garden Bridge Castle "
            "Linden Rosen Kirch Bahnhof Haupt Berg Wald Jardin Gare Liberté Sol Mayor Constitución Roma"
        )
    )


def street(rand: Rand) -> str:
    """Return a street's name without a number, of any country."""
    chance = rand.random()
    name = _street_word(rand)
    if rand.random() < 0.06:
        return rand.choice(_FORMS).format(
            n=rand.randint(1, 180),
            m=rand.randint(1, 99),
            k=rand.randint(1, 30),
            s=name,
            l=rand.choice("ABCDEF"),
        )
    if chance < 0.3:
        lead = rand.choice(("", "", "", "", "North ", "S ", "N. ", "West ", "E ", "Old ", "Upper "))
        more = f" {_street_word(rand)}" if rand.random() < 0.12 else ""
        kind = rand.choice(_KINDS_AFTER)
        tail = rand.choice(("",) * 9 + (" NW", " East", " S", " North"))
        return f"{lead}{name}{more} {kind}{tail}"
    if chance < 0.37:
        number = rand.randint(1, 180)
        end = (
            {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
            if not 10 < number % 100 < 20
            else "th"
        )
        return f"{rand.choice(('', 'E ', 'W ', 'North '))}{number}{end} {rand.choice(_KINDS_AFTER)}"
    if chance < 0.52:
        joint = rand.choice(("", "", "-", " "))
        kind = rand.choice(_KINDS_GLUED)
        return f"{name}{joint}{kind.capitalize() if joint else kind}"
    if chance < 0.7:
        return f"{rand.choice(_KINDS_BEFORE)} {name}" + (
            f" {_street_word(rand)}" if rand.random() < 0.25 else ""
        )
    if chance < 0.8:
        return f"{name} {rand.choice(_KINDS_LATER)}"
    return rand.choice(_read()[1])


def cities() -> list[str]:
    return _read()[2]


def city(rand: Rand) -> str:
    if rand.random() < 0.15:
        return rand.choice(_KNOWN)
    if rand.random() < 0.1:
        return invented(rand) + rand.choice(
            ("", "", "ville", " City", "burg", "berg", "ton", "pur")
        )
    return rand.choice(cities())


_KNOWN = phrases(
    """
    London | Paris | Berlin | Madrid | Rome | New York | Chicago | Boston | Toronto | Sydney | Mumbai | Delhi |
    Tokyo | Beijing | Shanghai | Lagos | Nairobi | Cairo | Dubai | Istanbul | Moscow | Warsaw | Vienna | Zurich |
    Munich | Hamburg | Milan | Barcelona | Lisbon | Dublin | Edinburgh | Manchester | Amsterdam | Brussels |
    Copenhagen | Stockholm | Oslo | Helsinki | Prague | Budapest | Athens | São Paulo | Buenos Aires | Lima |
    Bogotá | Mexico City | Los Angeles | San Francisco | Seattle | Houston | Denver | Atlanta | Miami | Geneva
    """
)


def postcode(rand: Rand) -> str:
    def digits(count: int) -> str:
        return "".join(rand.choice("0123456789") for _ in range(count))

    def letters(count: int) -> str:
        return "".join(rand.choice("ABCDEFGHJKLMNPRSTUVWXY") for _ in range(count))

    chance = rand.randrange(12)
    if chance < 1:
        return f"{digits(5)}-{digits(4)}"
    if chance < 4:
        return digits(5)
    if chance < 5:
        return digits(4)
    if chance < 6:
        return digits(6)
    if chance < 7:
        return (
            f"{letters(rand.choice((1, 2)))}{digits(rand.choice((1, 2)))} {digits(1)}{letters(2)}"
        )
    if chance < 8:
        return f"{letters(1)}{digits(1)}{letters(1)}{rand.choice((' ', ' ', ''))}{digits(1)}{letters(1)}{digits(1)}"
    if chance < 9:
        return f"{digits(3)} {digits(2)}" if rand.random() < 0.6 else f"{digits(4)} {letters(2)}"
    if chance < 10:
        return (
            f"{digits(2)}-{digits(3)}"
            if rand.random() < 0.6
            else f"{digits(5)}-{digits(rand.choice((3, 4)))}"
        )
    if chance < 11:
        return f"{rand.choice(('D', 'A', 'CH', 'F', 'SE', 'LV', 'L', 'SI', 'I', 'MD', 'AZ', 'HR'))}-{digits(rand.choice((4, 5)))}"
    return digits(5)


def _house(rand: Rand) -> str:
    number = str(rand.randint(1, 9) if rand.random() < 0.15 else int(10 ** rand.uniform(0.5, 4.3)))
    chance = rand.random()
    if chance < 0.76:
        return number
    if chance < 0.86:
        return number + rand.choice(
            ("a", "b", "c", "A", "B", "D", " bis", " b", " A", "-B", "-A", "/b")
        )
    if chance < 0.92:
        return f"{number}{rand.choice('/-')}{rand.randint(1, 60)}"
    if chance < 0.96:
        return (
            f"{rand.choice(('No. ', 'No ', 'No:', 'nr ', 'Nr. ', 'n° ', 'nº ', '№', '# '))}{number}"
        )
    return f"{rand.choice('ABCDEW')}{rand.choice(('', '-'))}{number}"


def _unit(rand: Rand) -> str:
    return rand.choice(_UNITS).format(
        n=rand.choice((rand.randint(1, 999), f"{rand.randint(1, 40)}{rand.choice('ABCDEF')}")),
        d=rand.randint(1, 20),
        l=rand.choice("ABCDEFGH"),
    )


def composed(rand: Rand) -> str:
    """Return an address put together from pieces, perhaps of several countries."""
    comma = rand.choice((", ", ", ", ", ", "\n", "\n", ",\n", " ", " - ", "; ", " \n "))
    house, road = _house(rand), street(rand)
    first = f"{house}{rand.choice((' ', ' ', ' ', ', '))}{road}"
    if rand.random() < 0.45:
        first = f"{road}{rand.choice((' ', ' ', ', '))}{house}"
    pieces = [first]
    if rand.random() < 0.3:
        unit = _unit(rand)
        pieces = [unit, first] if rand.random() < 0.25 else [first, unit]
        if rand.random() < 0.5:
            pieces = [" ".join(pieces)]
    if rand.random() < 0.07:
        pieces.insert(
            0,
            f"{_street_word(rand)} {rand.choice(('House', 'Court', 'Building', 'Towers', 'Villa'))}",
        )
    if rand.random() < 0.03:
        pieces = [
            f"{rand.choice(('P.O. Box', 'PO Box', 'Postfach', 'BP', 'Apartado', 'GPO Box'))} {rand.randint(10, 99999)}"
        ]
    place = city(rand)
    region = rand.choice(_STATES) if rand.random() < 0.6 else rand.choice(_REGIONS)
    code = postcode(rand)
    chance = rand.random()
    if chance < 0.2:
        pieces += [f"{place}, {region} {code}"]
    elif chance < 0.3:
        pieces += [place, rand.choice((region, f"{region} {code}", code))]
    elif chance < 0.5:
        pieces += [f"{code} {place}"]
    elif chance < 0.58:
        pieces += [f"{place} {code}"]
    elif chance < 0.64:
        pieces += [f"{code} {place}", region]
    elif chance < 0.74:
        pieces += [place]
    elif chance < 0.78:
        pieces += [f"{place} {region}"]
    elif chance < 0.81:
        pieces += [city(rand), f"{place} {code}"]
    if chance < 0.81 and rand.random() < 0.3:
        pieces.append(rand.choice(COUNTRIES))
        if rand.random() < 0.1:
            pieces[-1] = f"({pieces[-1]})"
            comma = rand.choice((" ", ", "))
        if rand.random() < 0.25 and chance >= 0.5:
            pieces[-1] += f" {postcode(rand)}"
    text = comma.join(pieces)
    if comma in {"\n", ",\n"} and rand.random() < 0.4:
        text = text.replace(comma, ", ", 1)
    return text


def address(rand: Rand) -> str:
    if rand.random() < 0.62:
        return composed(rand)
    text = rand.choice(_read()[0])
    if rand.random() < 0.55:
        text = text.replace("\n", rand.choice((", ", ", ", " ", " - ")))
    elif rand.random() < 0.2:
        text = text.replace("\n", rand.choice((",\n", " \n", "\n ")))
    if rand.random() < 0.12:
        text += rand.choice((", ", " ", "\n")) + rand.choice(COUNTRIES)
    return text


# --- decoys ------------------------------------------------------------------------------------

PRODUCTS = phrases(
    """
    iPhone 15 | Galaxy S24 | Windows 11 | Excel | PowerPoint | Photoshop | Toyota Corolla | Ford Fiesta |
    Honda Civic | Mercedes Benz | Harley Davidson | Ferrari | Bugatti | Porsche Cayenne | Tesla Model 3 | Jira |
    Confluence | Slack | Zoom | Teams | Gmail | Outlook | Chrome | Firefox | Linux | Ubuntu | Kubernetes | Docker |
    Jenkins | Ansible | Terraform | Grafana | Alexa | Siri | Cortana | Kindle | Game Boy | Xbox | PlayStation 5 |
    Lego | Barbie | Nutella | Coca-Cola | Dr Pepper | Ben & Jerry's | Jack Daniel's | Johnnie Walker | Levi's |
    Calvin Klein | Dolce & Gabbana | Louis Vuitton | Hugo Boss | Ray-Ban | Dyson | Philips | Siemens | Canon |
    Nespresso | Paracetamol | Aspirin | Lipitor | Xanax | Ventolin | Prozac | Ibuprofen | Amoxicillin | Pfizer |
    Moderna | AstraZeneca | Visa | Mastercard | American Express | PayPal | Apple Pay | Google Maps | Uber Eats |
    Airbus A320 | Boeing 737 | Python | Java | Rust | Ruby on Rails | Django | Postgres | Oracle | Salesforce |
    Hershey | Cadbury | Twix | Wendy's | McDonald's | Burger King | Domino's | Papa John's | Victoria's Secret |
    Macy's | Bloomberg Terminal | Netflix | Spotify Premium | ChatGPT | Alexa Echo Dot | Roomba | Land Rover | Mini
    """
)
EPONYMS = phrases(
    """
    Parkinson's disease | Alzheimer's | Hodgkin lymphoma | Crohn's disease | Down syndrome | Tourette syndrome |
    Huntington's disease | Graves' disease | Cushing's syndrome | the Nobel Prize | the Pulitzer Prize |
    Newton's law | Ohm's law | the Turing test | a Rorschach test | the Richter scale | the Heimlich manoeuvre |
    Murphy's law | the Doppler effect | Pascal's triangle | Bayes' theorem | the Gaussian curve | Celsius |
    the Pythagorean theorem | a Petri dish | the Fahrenheit scale | Achilles tendon | the Eustachian tube |
    Valentine's Day | St. Patrick's Day | Martin Luther King Day | Christmas | Hanukkah | Ramadan | Diwali | Easter |
    Thanksgiving | Labor Day | the Lincoln Memorial | the Eiffel Tower | the Hoover Dam | the Kennedy Center |
    Washington State | Victoria Station | King's Cross | Charles de Gaulle airport | JFK | Heathrow | Lake Victoria |
    Mount Elbert | the Hudson River | the Gordon River | the Bermuda Triangle | the Marshall Islands | Jackson Hole
    """
)
GROUPS = phrases(
    """
    Americans | Germans | Chinese | French | Spanish | Italian | Portuguese | Dutch | Polish | Russian | Ukrainian |
    Arabic | Hindi | Japanese | Korean | Turkish | Greek | Catholics | Muslims | Buddhists | Republicans | Democrats |
    Europeans | Africans | Latin American | Scandinavian | Swiss | Welsh | Scottish | Irish | Danish | Finnish
    """
)
_COMPANY_ENDS = phrases(
    """
    Ltd | Ltd. | Inc | Inc. | LLC | GmbH | AG | S.A. | S.r.l. | B.V. | plc | Corp. | Group | & Sons | & Co. |
    Holdings | Partners | Consulting | Logistics | Bank | Insurance | Pharma | Foods | Motors | Airlines |
    Solutions | Technologies | Industries | Media | Records | Foundation | Institute | Hospital | Clinic | University |
    College | High School | Academy | Hotel | Bakery | Pizza | Cafe | Restaurant | Museum | Stadium | Church |
    Brothers | Bros. | Associates | Law Firm | Realty | Trust | Energy | Electric | Press | Library | Pharmacy
    """
)
_SECTORS = parts(
    "Global Advanced National First United Northern Pacific Atlantic Royal Alpine Digital Smart Green Blue Golden "
    "Central Premier Summit Horizon Phoenix Delta Apex Nova Vertex Stellar Quantum Liberty Eagle Harbor Metro"
)


def organisation(rand: Rand) -> str:
    chance = rand.random()
    end = rand.choice(_COMPANY_ENDS)
    if chance < 0.3:
        return rand.choice(_read()[3])
    if chance < 0.42:
        return f"{surname(rand)} {end}"
    if chance < 0.48:
        return f"{surname(rand)}{rand.choice((' & ', ' and ', '-', ', '))}{surname(rand)} {end}"
    if chance < 0.53:
        return f"{given(rand)}'s {rand.choice(('Kitchen', 'Bakery', 'Bar', 'Garage', 'Flowers', 'Diner', 'Pizza'))}"
    if chance < 0.57:
        return f"{full(rand)} {end}"
    if chance < 0.66:
        return rand.choice(
            (
                "University of {}",
                "Bank of {}",
                "{} City Council",
                "{} Airport",
                "FC {}",
                "{} Times",
                "{} General Hospital",
                "Museum of {}",
                "{} United",
                "Royal {} Orchestra",
            )
        ).format(city(rand))
    if chance < 0.8:
        return f"{rand.choice(_SECTORS)} {rand.choice(_SECTORS) + ' ' if rand.random() < 0.3 else ''}{end}"
    if chance < 0.88:
        return "".join(rand.choice("ABCDEFGIKLMNOPRSTUVW") for _ in range(rand.randint(2, 5)))
    return rand.choice(
        phrases(
            """
        Google | Microsoft | Amazon | Apple | Facebook | IBM | Intel | Samsung | Sony | Toyota | Volkswagen | BMW |
        Siemens | Bosch | SAP | Oracle | Cisco | Nokia | Ericsson | Unilever | Nestlé | Novartis | Roche | Shell | BP |
        Total | HSBC | Barclays | Goldman Sachs | JP Morgan | Morgan Stanley | Deutsche Bank | Allianz | AXA | FedEx |
        UPS | DHL | Walmart | Tesco | Carrefour | Ikea | Lidl | Aldi | Zara | H&M | Nike | Adidas | Marks & Spencer |
        Harvard | Oxford University | MIT | Stanford | the BBC | CNN | Reuters | the New York Times | UNICEF | WHO |
        NATO | the United Nations | the European Commission | the Red Cross | Greenpeace | Congress | Parliament |
        the Supreme Court | the Ministry of Health | NASA | the FBI | Interpol | Lufthansa | Delta | Ryanair | KLM
        """
        )
    )


MONTHS = parts(
    "January February March April May June July August September October November December"
)
DAYS = parts("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")


def date(rand: Rand) -> str:
    day, year = rand.randint(1, 28), rand.randint(1935, 2031)
    month = rand.choice(MONTHS)
    number = MONTHS.index(month) + 1
    return rand.choice(
        (
            f"{month} {day}, {year}",
            f"{day} {month} {year}",
            f"{day:02}/{number:02}/{year}",
            f"{year}-{number:02}-{day:02}",
            f"{day}.{number}.{year}",
            f"{month[:3]} {day}",
            f"{month} {year}",
            f"{day}th of {month}",
            f"{rand.choice(DAYS)}",
            f"{rand.choice(DAYS)}, {month} {day}",
            f"{number}/{day}/{year % 100:02}",
            month,
            str(year),
        )
    )


def digits(rand: Rand, count: int) -> str:
    return "".join(rand.choice("0123456789") for _ in range(count))


_PHONE_FORMS = phrases(
    """
    +99 99 9999 9999 | (999) 999-9999 | 999-999-9999 | 0999 999999 | +99 999 999 999 | 09 99 99 99 99 | 999.999.9999 |
    +999999999999 | +1-999-999-9999x999 | 09999-99999 | 9999999999 | 001-999-999-9999 ext. 99
    """
)
_CARD_FORMS = phrases("9999999999999999 | 9999 9999 9999 9999 | 9999-9999-9999-9999")


def _patterned(form: str, rand: Rand) -> str:
    """Fill a form: 9 is a digit, A a capital, h a hexadecimal digit; the rest stays."""
    return "".join(
        rand.choice("0123456789") if sign == "9"
        else rand.choice("ABCDEFGHJKLMNPRSTUVXYZ") if sign == "A"
        else rand.choice("0123456789abcdef") if sign == "h"
        else sign
        for sign in form
    )  # fmt: skip


def phone(rand: Rand) -> str:
    return _patterned(rand.choice(_PHONE_FORMS), rand)


def email(rand: Rand) -> str:
    one, other = unidecode(given(rand)).lower(), unidecode(surname(rand)).lower()
    name = re.sub(
        r"[^a-z.]", "", rand.choice((f"{one}.{other}", f"{one[:1]}{other}", one, f"{other}.{one}"))
    )
    return f"{name}{rand.choice(('', digits(rand, 2)))}@{rand.choice(('gmail.com', 'example.org', 'mail.net', 'acme.co.uk', 'firma.de', 'hotmail.com'))}"


_ID_FORMS = phrases(
    """
    AA 99 99 99 A | AAAAAA99A99A999A | 99999999A | AAA-A99A | A9999999 | AA999999 | AAAA 9999 9999 | 99-9999999 |
    999 999 9999 | 9999 999 999 | 999.999.999-99 | AAA 999 | AA-999-AA | A-AA 9999 | AA99 AAA | hhhh:hhhh:hhhh::hhhh |
    hh:hh:hh:hh:hh:hh | hhhhhhhhhhhh | hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh | 9999-9999-9999 | AAA9999999 | 999-AAA |
    A9999-99999-99999 | 99 99 99 999 999 99 | 999999-9999 | 999999/9999 | AAA/99/9999 | 9A99-AA9-AA99 | 99.999.999-A |
    99.99.99-999.99 | 9 99 99 99 999 999 | AAAAAA99 | AAAAAA2AXXX | 99-99-99 | 999 99 9999 | A9999999999999999 |
    AAAAA999999AA9AA | AAA99AAAA999999 | v9.99.9 | 9/99-9999 | AAA#9999 | 999/9999 | A99.9 | 99A | port 9999 | 99.9.9.999
    """
)


def identifier(rand: Rand) -> str:
    upper = "".join(rand.choice("ABCDEFGHKLMNPRSTXYZ") for _ in range(rand.randint(1, 3)))
    if rand.random() < 0.4:
        return _patterned(rand.choice(_ID_FORMS), rand)
    return rand.choice(
        (
            digits(rand, rand.randint(4, 12)),
            f"{upper}{digits(rand, 6)}",
            f"{upper}-{digits(rand, 4)}",
            f"{digits(rand, 3)}-{digits(rand, 2)}-{digits(rand, 4)}",
            f"#{digits(rand, 5)}",
        )
    )


MASKED = "\ufffc"
"""What the model sees of what is masked already."""


def mask(rand: Rand) -> str:
    if rand.random() < 0.5:
        return MASKED
    tail = "".join(rand.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))
    return rand.choice(
        (
            f"PERSON_{tail}",
            f"EMAIL_{tail}",
            "<PHONE_NUMBER>",
            "<STREET_ADDRESS>",
            "<CREDIT_CARD ****1234>",
            "<US_SSN>",
            f"PERSON_{tail}",
        )
    )


def card(rand: Rand) -> str:
    return _patterned(rand.choice(_CARD_FORMS), rand)


def iban(rand: Rand) -> str:
    return rand.choice(("DE", "GB", "FR", "NL", "ES")) + digits(rand, 20)


def url(rand: Rand) -> str:
    return f"https://www.{re.sub('[^a-z]', '', unidecode(surname(rand)).lower())}.{rand.choice(('com', 'org', 'de', 'io'))}/"


def job(rand: Rand) -> str:
    text = rand.choice(_read()[4])
    return text if rand.random() < 0.3 else text.lower()


def money(rand: Rand) -> str:
    return rand.choice(
        (
            f"${rand.randint(5, 9999)}",
            f"€{rand.randint(5, 9999)}.{digits(rand, 2)}",
            f"{rand.randint(1, 90)},000 USD",
            f"£{rand.randint(1, 900)}",
            f"{rand.randint(10, 5000)} euros",
        )
    )


SLOTS: dict[str, tuple[str, Callable[[Rand], str]]] = {
    "per": ("PERSON", person),
    "full": ("PERSON", full),
    "given": ("PERSON", given),
    "sur": ("PERSON", surname),
    "adr": ("STREET_ADDRESS", address),
    "road": ("STREET_ADDRESS", road),
    "city": ("LOCATION", city),
    "country": ("LOCATION", lambda rand: rand.choice(COUNTRIES)),
    "region": ("LOCATION", lambda rand: rand.choice(_REGIONS)),
    "street": ("LOCATION", street),
    "org": ("ORGANIZATION", organisation),
    "product": ("", lambda rand: rand.choice(PRODUCTS)),
    "eponym": ("", lambda rand: rand.choice(EPONYMS)),
    "group": ("", lambda rand: rand.choice(GROUPS)),
    "title": ("", lambda rand: rand.choice(TITLES)),
    "date": ("", date),
    "day": ("", lambda rand: rand.choice(DAYS)),
    "month": ("", lambda rand: rand.choice(MONTHS)),
    "time": (
        "",
        lambda rand: (
            f"{rand.randint(1, 12)}{rand.choice((':30', ':15', ':00', ''))} {rand.choice(('am', 'pm'))}"
        ),
    ),
    "num": ("", lambda rand: str(rand.randint(2, 400))),
    "year": ("", lambda rand: str(rand.randint(1900, 2030))),
    "phone": ("", phone),
    "email": ("", email),
    "id": ("", identifier),
    "mask": ("", mask),
    "card": ("", card),
    "iban": ("", iban),
    "url": ("", url),
    "job": ("", job),
    "money": ("", money),
    "zip": ("", postcode),
}


def plain_ascii(text: str) -> str:
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(letter)
    )
