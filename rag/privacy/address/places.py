"""The gazetteer: cities, regions, counties and countries, and the codes of regions."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import cache
from pathlib import Path

CITY, REGION, COUNTRY, COUNTY = 1, 2, 4, 8
_SECTIONS = {"[city]": CITY, "[region]": REGION, "[country]": COUNTRY, "[county]": COUNTY}
_FILE = Path(__file__).parents[1] / "lists" / "places.txt.gz"
LONGEST = 8
"""Most words of a place that is looked up."""

_CODES = {
    "US": "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV "
    "NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT VT VA WA WV WI WY AA AE AP AS GU MP VI FM "
    "MH PW",
    "CA": "AB BC MB NB NL NS NT NU ON PE QC SK YT",
    "AU": "NSW VIC QLD SA WA TAS ACT NT",
    "BR": "AC AL AP AM BA CE DF ES GO MA MT MS MG PA PB PR PE PI RJ RN RS RO RR SC SP SE TO",
    "MX": "AGS BC BCS CAMP CHIS CHIH COAH COL CDMX DF DGO GTO GRO HGO JAL MEX MICH MOR NAY NL OAX "
    "PUE QRO QROO SLP SIN SON TAB TAMPS TLAX VER YUC ZAC",
    "CH": "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH",
}
_VARIANTS = """
lietuva|latvija|eesti|suomi|sverige|norge|danmark|island|polska|cesko|ceska republika|slovensko
magyarorszag|romania|българия|hrvatska|srbija|slovenija|shqiperia|ελλαδα|ελλασ|hellas|россия|украіна
україна|беларусь|rossiya|ukraina|osterreich|oesterreich|schweiz|suisse|svizzera|belgie|belgique
belgien|nederland|letzebuerg|luxemburg|frankreich|francia|italien|italie|spanien|espagne|grossbritannien
england uk|niederlande|pays bas|polen|pologne|tschechien|ungarn|griechenland|grece|turkei|turquie
mexico|perou|bresil|brasilien|maroc|tunisie|algerie|senegal|cameroun|cote divoire|egypte|liban
misr|bharat|nippon|nihon|zhongguo|pilipinas|bundesrepublik deutschland|federal republic of germany
republic of the philippines|republic of the union of myanmar|state of kuwait|state of qatar
usa|us|u s a|u s|united states of america|the united states|the united states of america|america
estados unidos|eeuu|ee uu|vereinigte staaten|etats unis|stati uniti|uk|u k|united kingdom
great britain|gb|england|scotland|wales|northern ireland|britain|holland|the netherlands|uae|u a e
emirates|ksa|kingdom of saudi arabia|czech republic|czechia|ivory coast|korea|south korea
republic of korea|russia|russian federation|viet nam|turkiye|turkey|brasil|deutschland|espana|italia
prc|p r china|pr china|peoples republic of china|hong kong|hongkong|hong kong sar|macau|macao|taiwan
r o c|roc|eire|republic of ireland|rsa|south africa|drc|congo|burma|myanmar|syria|laos|moldova|iran
palestine|vatican|bolivia|venezuela|tanzania|macedonia|north macedonia|cape verde|swaziland|eswatini
east timor|timor leste|bosnia|bosnia herzegovina|republic of india|republic of china|slovak republic
republic of south africa|republic of singapore|french republic|gibraltar|isle of man|jersey|guernsey
"""
_NO_COUNTRIES = frozenset(["abs", "cad", "cin", "kap", "man", "oma", "sri", "sui"])


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for country, line in _CODES.items():
        for code in line.split():
            codes.setdefault(code, country)
    return codes


def region_code(word: str) -> str:
    """Return the country whose region has this code ("IL" → "US"), or an empty text."""
    return _codes().get(word, "")


@cache
def _tables() -> tuple[dict[str, int], dict[str, int]]:
    """Return what is known of each folded place, and the most words after a first word."""
    places: dict[str, int] = {}
    bit = 0
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines.read().split("\n"):
            if line in _SECTIONS:
                bit = _SECTIONS[line]
            elif bit and line:
                places[line] = places.get(line, 0) | bit
    for name in _NO_COUNTRIES:
        places.pop(name, None)
    for line in _VARIANTS.split("\n"):
        for name in filter(None, line.split("|")):
            places[name] = places.get(name, 0) | COUNTRY
    first: dict[str, int] = {}
    for place in places:
        if " " in place:
            words = place.split(" ")
            if len(words) > first.get(words[0], 1):
                first[words[0]] = len(words)
    return places, first


def known(folded: str) -> int:
    """Return what a folded phrase (words joined by one space) is, as bits."""
    return _tables()[0].get(folded, 0)


def match(words: Sequence[str]) -> tuple[int, int]:
    """Return how many of the folded words in front are a place, the longest, and its bits."""
    places, first = _tables()
    if not words:
        return 0, 0
    most = min(first.get(words[0], 1), len(words), LONGEST)
    for count in range(most, 0, -1):
        bits = places.get(" ".join(words[:count]), 0)
        if bits:
            return count, bits
    return 0, 0
