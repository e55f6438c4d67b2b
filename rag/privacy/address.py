"""Street addresses by grammar: numbers, kinds of streets in many languages, postcodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from presidio_analyzer import LocalRecognizer, RecognizerResult

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

# Bounded, and never two ways to read the same run: a text of hyphens must not cost more.
_CAP = r"[^\W\d_a-zß-öø-ÿ][\w.'’]{0,24}(?:-[\w.'’]{1,24}){0,2}"
_BIT = r"[^\W\d_a-zß-öø-ÿ][\w.'’]{0,24}"
_STATE = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|PR|RI|S[CD]|"
    "T[NX]|UT|V[AT]|W[AIVY]"
)
_UK = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_CANADA = r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ \-]?\d[A-Z]\d"
_UNIT = (
    r"(?:(?:,\s?|\s)(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Bldg|Building|"
    r"#)\.?\s?#?\w{1,6}\b)?"
)
_TAIL = (
    rf"(?:(?:,\s?|\s?\n|\s){_CAP}(?: {_CAP}){{0,2}},?\s(?:{_STATE}),?\s\d{{5}}(?:-\d{{4}})?\b"
    rf"|(?:,\s?|\s?\n)(?:{_CAP}(?: {_CAP}){{0,2}}(?:,\s?|\s?\n|\s))?(?:{_UK}|{_CANADA})\b)?"
)
_KINDS = (
    "Street|St|Avenue|Ave|Av|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|"
    "Place|Pl|Terrace|Ter|"
    "Crescent|Cres|Square|Sq|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Gardens|Gdns|Grove|Mews|Trail|Trl|"
    "Alley|Plaza|Quay|Wharf|Broadway|Expressway|Esplanade|Parade|Bypass|Turnpike|Causeway"
)
_ODD_KINDS = (
    "Close|Row|Hill|Walk|Loop|Run|Path|Pike|Crossing|Point|Ridge|View|Green|Park|Rise|Yard|Manor|"
    "Meadows?|Heights|Mill|Bridge|Common|Glen|Hollow|Island|Junction|Lake|Landing|"
    "Oval|Pass|Springs?|"
    "Station|Summit|Track|Trace|Valley|Village|Ville|Vista|Wells?|Woods?|Fields?|Ford|Forest|Forge|"
    "Fork|Gateway|Harbor|Haven|Inlet|Isle|Key|Knoll|Orchard|Port|Prairie|Ranch|River|Shoal|Shore|"
    "Stream|Throughway|Tunnel|Underpass|Union|Viaduct|Burg|Camp|Canyon|Cape|Center|Cliff|Club|"
    "Corner|Course|Cove|Creek|Crest|Dale|Dam|Divide|Estates?|Extension|Falls|Ferry|Flat|Garden"
)
_ODD_LOWER = "gate|field|croft|hurst|side|wood|dale|more"
_NUMBER = r"(?<![\w.,/\-$€£#])\d{1,6}(?:[\-/]\d{1,4})?[A-Za-z]?,?"
_CITY = (
    rf"(?:[,\n]?\s?(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:\s?[A-Z]{{2}})?\s{_CAP}"
    rf"(?:[ \-](?:(?:am|an der|im|ob der|sur|de|del|la)\b|{_CAP})){{0,3}})?"
)
_HOUSE = r"\d{1,4}(?:\s?[a-zA-Z]\b)?(?:\s?[\-–/]\s?\d{1,4}[a-zA-Z]?)?\b"
_SMALL = (
    r"(?:de|du|des|la|le|les|del|della|delle|dei|degli|dello|dell['’]|di|do|da|dos|"
    r"das|los|las|el|e|y|et|in|l['’]|d['’])"
)

_PATTERNS = [
    # 12B Northfield Avenue, Apt 4, Springfield, IL 62704
    (
        rf"{_NUMBER}\s(?:(?:[NSEW]{{1,2}}|North|South|East|West)\.?\s)?(?:{_CAP}|\d{{1,3}}(?:st|"
        rf"nd|rd|th))\s(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th)|the|of)\s){{0,3}}"
        rf"(?:{_KINDS})\b\.?(?:\s(?:[NSEW]{{1,2}}|North|South|East|West)\b)?{_UNIT}{_TAIL}",
        0.75,
    ),
    (
        rf"{_NUMBER}\s(?:{_CAP}\s){{1,2}}(?:{_ODD_KINDS})\b(?=,|\n|\s(?:Apt|Suite|Unit|"
        rf"Flat)|\.?$){_UNIT}{_TAIL}",
        0.6,
    ),
    (rf"{_NUMBER}\s{_CAP}(?:{_ODD_LOWER})\b(?=,|\n){_UNIT}{_TAIL}", 0.5),
    (rf"{_NUMBER}\sBroadway\b{_UNIT}{_TAIL}", 0.7),
    # Springfield, IL 62704
    (rf"(?<![\w\-]){_CAP}(?: {_CAP}){{0,2}}, (?:{_STATE}),? \d{{5}}(?:-\d{{4}})?\b", 0.6),
    (rf"(?<![\w\-]){_UK}(?![\w\-])", 0.5),
    # Lindenstraße 12a, 10969 Berlin; Prinsengracht 263, 1016 GV Amsterdam
    (
        r"(?<![\w\-])[^\W\d_a-z][\w\-]{0,40}?"
        r"(?:stra(?:ß|ss)e|str\.|[Ss]traat|weg|platz|allee|gasse|ring|damm|ufer|chaussee|"
        r"steig|stieg|"
        r"hof|markt|graben|berg|laan|gracht|plein|kade|dijk|gatan|vägen|gata|veien|vegen|vej|gade|"
        rf"katu|tie|kuja|allé)\s(?:Nr\.?\s)?{_HOUSE}{_CITY}",
        0.6,
    ),
    (
        rf"\b(?:Am|An der|Auf dem|Auf der|Im|In der|Unter den|Zum|Zur|Alte[rn]?|Neue[rn]?|"
        rf"Lange|Große|Kleine|Obere|Untere|Hohe)\s{_CAP}(?:\s{_CAP})?\s{_HOUSE}{_CITY}",
        0.5,
    ),
    (
        rf"(?<![\w\-])(?:{_BIT}[ \-]){{1,3}}(?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|Gasse|"
        rf"Ring|Damm|Ufer)\s{_HOUSE}{_CITY}",
        0.6,
    ),
    # 14 bis, rue de la République, 69002 Lyon
    (
        rf"(?<![\w.,])\d{{1,4}}(?:\s?(?:bis|ter|quater|[A-D])\b)?,?\s(?:[Rr]ue|[Aa]venue|"
        rf"[Aa]v\.|[Bb]oulevard|[Bb](?:oulevar)?d\.?|[Pp]lace|[Cc]hemin|[Aa]llée|"
        rf"[Ii]mpasse|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare|[Pp]assage|[Ff]aubourg|[Ss]entier|"
        rf"[Rr]uelle)\s(?:{_SMALL}\s?|{_BIT}[ \-]){{0,5}}{_BIT}{_CITY}",
        0.7,
    ),
    # Calle de Alcalá, 45, 3º B, 28014 Madrid; Via Garibaldi 7, 20121 Milano
    (
        rf"\b(?:Calle|C/|Cl\.|Avenida|Avda\.?|Avd\.|Av\.|Plaza|Paseo|Pº|Carrera|Camino|"
        rf"Ronda|Glorieta|Cuesta|Pasaje|Via|Viale|V\.le|Piazza|Piazzale|P\.za|Corso|C\.so|"
        rf"Largo|Vicolo|"
        rf"Strada|Contrada|Borgo|Rua|R\.|Travessa|Praça|Estrada|Alameda|Carrer|Passeig|"
        rf"Urbanización)\s(?:{_SMALL}\s|{_BIT}[ \-]){{0,5}}{_BIT},?\s?"
        rf"(?:n[.º°]?\s?|núm\.?\s?)?{_HOUSE}(?:,\s?\d{{1,2}}[ºª°]\s?\w{{0,4}})?{_CITY}",
        0.65,
    ),
    # ul. Piotrkowska 104/5, 90-926 Łódź
    (
        rf"\b(?:ul\.|al\.|pl\.|os\.|[Uu]lica|[Uu]licy|[Aa]leja|[Aa]lei|[Pp]lac|[Oo]siedle|"
        rf"nám\.|náměstí|tř\.)\s?(?:{_CAP}\s|\d{{1,2}}\s){{1,3}}{_HOUSE}"
        rf"(?:\s?m\.\s?\d{{1,3}})?(?:,?\s\d{{2,3}}[\- ]\d{{2,3}}\s{_CAP})?",
        0.7,
    ),
    (rf"(?<!\w)\d{{2}}-\d{{3}}\s{_CAP}", 0.5),
    (
        rf"\b(?:ул\.|улица|пр\.|просп\.|проспект|пер\.|наб\.|вул\.|ulitsa)\s?(?:[\w\-]+\s?)"
        rf"{{1,3}},?\s?(?:д\.|дом|буд\.)?\s?{_HOUSE}(?:,?\s?кв\.\s?\d+)?",
        0.7,
    ),
    (
        rf"(?<![\w\-])(?:{_CAP}\s){{1,3}}(?:Caddesi|Cad\.|Sokak|Sokağı|Sok\.|Mahallesi|"
        rf"Mah\.|Bulvarı)(?:\s?(?:No|no)[:.]?)?\s?{_HOUSE}",
        0.7,
    ),
    (rf"(?<![\w\-])(?:{_CAP}\s){{1,3}}(?:utca|út|tér|körút|ulice|ulica)\s{_HOUSE}", 0.6),
    (
        r"\b(?:P\.?\s?O\.?\s?Box|Postfach|Boîte Postale|BP|Apartado(?: de Correos)?|Casella "
        r"Postale|Postbus)\s\d[\d ]{1,8}\d\b",
        0.6,
    ),
]


class AddressRecognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Where somebody lives: street and number, with unit, postcode and city beside them.

    A city alone is not personal; a British postcode is (some fifteen houses).
    """

    def __init__(self) -> None:
        self._compiled = [(re.compile(shape), score) for shape, score in _PATTERNS]
        super().__init__(supported_entities=["STREET_ADDRESS"], name="Address")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        return [
            RecognizerResult(
                "STREET_ADDRESS", match.start(), match.start() + len(match.group().rstrip()), score
            )
            for shape, score in self._compiled
            for match in shape.finditer(text)
        ]
