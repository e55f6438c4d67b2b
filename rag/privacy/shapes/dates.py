"""Dates finer than a year, and the dates that somebody was born on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.privacy.shapes.shape import Found, Shape
from rag.privacy.words import word_set

# English, German, French, Spanish, Italian, Portuguese, Dutch;
# Polish, Swedish, Danish, Norwegian, Finnish, Czech, Slovak;
# Hungarian, Romanian, Croatian, Turkish, Russian, Ukrainian, Greek.
_MONTHS = word_set(
    """
    january february march april may june july august september october november december jan
    feb mar apr jun jul aug sep sept oct nov dec januar jänner jaenner februar feber märz
    maerz mrz mai juni juli oktober okt dezember dez janvier février fevrier mars avril juin
    juillet août aout septembre octobre novembre décembre decembre janv févr fevr avr juil déc
    enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre
    diciembre ene abr ago dic gennaio febbraio aprile maggio giugno luglio settembre ottobre
    dicembre gen mag giu lug set ott janeiro fevereiro março marco maio junho julho setembro
    outubro novembro dezembro fev mai out januari februari maart mei augustus mrt
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia września wrzesnia października
    pazdziernika listopada grudnia styczeń luty marzec kwiecień maj czerwiec lipiec sierpień
    wrzesień październik listopad grudzień augusti marts tammikuuta helmikuuta maaliskuuta
    huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta
    joulukuuta ledna února unora března dubna května kvetna června července srpna září zari
    října rijna listopadu prosince januára februára apríla mája júna júla augusta septembra
    októbra decembra
    január február március április május június július augusztus október ianuarie februarie
    martie aprilie iunie iulie septembrie octombrie noiembrie decembrie siječnja veljače
    ožujka travnja svibnja lipnja srpnja kolovoza rujna prosinca ocak şubat mart nisan mayıs
    haziran temmuz ağustos eylül ekim kasım aralık января февраля марта апреля мая июня июля
    августа сентября октября ноября декабря січня лютого березня квітня травня червня липня
    серпня вересня жовтня листопада грудня ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου
    ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου
    """
)
_MONTH = r"[^\W\d_]{3,14}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[6-9]|20|21)\d{2}"
_SHORT_YEAR = rf"(?:{_YEAR}|['’]?\d{{2}}(?!\d))"
_TH = r"(?:\.|st|nd|rd|th|er|º|ª|°|-?го|e)?"

_SPELT = (
    # 12 March 1975; the 3rd of May; 5 de mayo de 1971; 3.-5. Mai 2021; 12-Mar-1975
    re.compile(
        rf"(?<![\w.,/$€£]){_DAY}{_TH}(?: ?(?:[\-–]|to|and|und|bis|au|al|a) ?{_DAY}{_TH})?"
        rf"(?:[\s\-./]{{1,2}}(?:of |de |d['’])?|(?=[A-Z]))(?P<month>{_MONTH})\.?"
        rf"(?P<year>(?:,? {{1,2}}|[\-./]| de | del | do )(?:{_YEAR}|['’]?\d{{2}})(?![\w]|[.,:]\d))?"
    ),
    # March 12, 1975; May 3-5; March the 12th
    re.compile(
        rf"(?<!\w)(?P<month>{_MONTH})\.?[ \-]{{0,2}}(?:the )?{_DAY}(?:st|nd|rd|th)?"
        rf"(?: ?[\-–] ?{_DAY}(?:st|nd|rd|th)?)?(?![\w]|[.,:/]\d|%)"
        rf"(?P<year>,? {{1,2}}{_YEAR}(?!\w)|,? ['’]\d{{2}}(?!\w)|-{_YEAR}(?!\w))?"
    ),
    # March 1975, March of 1975
    re.compile(
        rf"(?<!\w)(?P<month>{_MONTH})\.?,?[ \-/](?:of |de |del |do )?(?P<year>{_YEAR})(?!\w)"
    ),
    # 1975 March 12, 1975. március 12.
    re.compile(
        rf"(?<![\w.,/])(?P<year>{_YEAR})[. \-/]{{1,2}}(?P<month>{_MONTH})\.?[ \-/]{_DAY}(?!\w)"
    ),
)
_NUMERIC = re.compile(
    # 14/02/1961, 03.11.48, 12-5-2024, with spaces as "14 / 02 / 1961"
    rf"(?<![\w/.\-,$€£])(?:{_DAY}( ?[/.\-] ?){_NUMBER}\1{_SHORT_YEAR}|"
    rf"{_NUMBER}( ?[/.\-] ?){_DAY}\2{_SHORT_YEAR}"
    # 1983-07-09, 1983/7/9, 1983.07.09, with a time behind
    rf"|{_YEAR}([/.\-]){_NUMBER}\3{_DAY}(?:(?=T\d)|(?![\w])))(?![\w/\-]|\.\d|(?<!\d)\w)"
    rf"|(?<![\w/.\-,$€£]){_YEAR}([/.\-]){_NUMBER}\4{_DAY}T"
    rf"|(?<![\w/.\-]){_YEAR}-(?:0[1-9]|1[0-2])(?![\w\-/.])|(?<![\w/.\-])(?:0[1-9]|"
    rf"1[0-2])[/.]{_YEAR}(?![\w/])"
    rf"|(?<!\w)(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?=T\d)|(?![\w]|[.,]\d))"
    rf"|\d{{4}} ?年 ?\d{{1,2}} ?月(?: ?\d{{1,2}} ?日)?|\d{{1,2}} ?月 ?\d{{1,2}} ?日"
    rf"|\d{{4}}년 ?\d{{1,2}}월(?: ?\d{{1,2}}일)?"
)
_PARTIAL = re.compile(
    # Day and month alone: only behind a word that asks for a date, or a weekday.
    rf"(?<![^\W_])(?:on|by|since|until|till|before|after|from|dated?|due|seen|admitted|"
    rf"discharged|am|vom|bis|seit|le|du|el|"
    rf"il|dnia|d\.|mon|tue|wed|thu|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|"
    rf"dienstag|"
    rf"mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|"
    rf"dimanche)"
    rf"[,.:]? (?P<value>{_DAY}[/.]{_NUMBER}\.?|{_NUMBER}/{_DAY})(?![\w/%]|[.,:\-]\d)",
    re.IGNORECASE,
)
_LOWER_WORDS = frozenset(
    {
        "may",
        "march",
        "mar",
        "mars",
        "set",
        "out",
        "dec",
        "mai",
        "gen",
        "marco",
        "luty",
        "ago",
        "dic",
        "nov",
    }
)

_BORN = re.compile(
    r"(?<![^\W_])(?:born|d\.?o\.?b\b\.?|b\.(?= ?\d)|b[ií]rth(?:[ \-_]?(?:date|day)s?)?|b-?day|"
    r"date[ _]?of[ _]?b[ií]rth|"
    r"geb\b\.?|geboren|geburtsdatum|geburtstag|n[ée]e?\b|nac[íi]\b|date de naissance|naissance|"
    r"nacid[oa]|fecha de nacimiento|"
    r"nacimiento|nat[oa]\b|data di nascita|nascita|data de nascimento|nascimento|nascid[oa]|"
    r"urodz\w{1,6}|ur\.|"
    r"data urodzenia|geboortedatum|geboren op|f[öo]delsedatum|f[øo]dselsdato|f[öø]dt?\b|"
    r"synt(?:ynyt|ym[äa]aika)|"
    r"do[gğ]um tarihi|дата рождения|родил\w{1,4}|narozen\w?|datum narozen[íi]|"
    r"n[áa]\w{0,3}roden\w{0,2}|sz[üu]let\w{1,6}|"
    r"data na[sș]terii|n[ăa]scut[ăa]?|ημερομηνία γέννησης|γεννήθηκε|"
    r"生年月日|出生(?:日期)?|생년월일|"
    r"d\.?d\.?n\b|dn(?=:)|f(?:ec(?:ha)?)?\.? ?(?:de )?nac\b\.?|nasc\.|geb\.? ?-?dat\w{0,2}|"
    r"cumplea[ñn]os|anniversaire)"
    r"|(?<!\S)[*＊](?= ?\d)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[^\n\d]{0,30}\n?[^\n\d]{0,10}")
_AFTER = re.compile(
    # "1990-12-01 (DOB)"; a row that goes on with a social security number
    r"[ ,]{0,2}\(?(?:dob|d\.o\.b|birth(?:day|date)?|geb)\b"
    r"|\s?[;|,\t]\s?\d{3}[ \-]?\d{2}[ \-]?\d{4}(?![\d\-])",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    # "Ann Lee (12.03.1975)", "Lee; Ann; 1975-03-12; ...": beside a name, of one who is grown up
    r"[^\W\d_]\.?(?: \(|\s?[;|\t]\s?)(?P<value>\d{1,2}[./\-]\d{1,2}[./\-](?:19\d\d|200[0-6])|"
    r"(?:19\d\d|200[0-6])-\d\d-\d\d|\d{1,2}[ \-][^\W\d_]{3,9}[ \-](?:19\d\d|200[0-6]))"
    r"(?=\)|\s?[;|\t\n]|$)"
)
_ROW = re.compile(r"\d\s?[;|,\t]\s?\d{3}[ \-]?\d{2}[ \-]?\d{4}(?![\d\-])")
_LOOSE = re.compile(
    r"\d{1,2}[./\- ]{1,2}\d{1,2}[./\- ]{1,2}\d{2,4}(?![\d])|"
    r"\d{4}[./\- ]\d{1,2}[./\- ]\d{1,2}(?!\d)|\d{8}(?!\d)|\d{6}(?!\d)"
)


def dates(text: str) -> Iterator[Found]:
    """Yield every date with a day or a month; a year alone is none (45 CFR 164.514(b)(2)(i)(C))."""
    for start, end in _dates(text):
        yield Found(start, end, "DATE_TIME", 0.7)


def _dates(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _SPELT:
        for match in pattern.finditer(text):
            month = match["month"]
            if month.lower() not in _MONTHS:
                continue
            # "he may 3 times" and "they march 5 miles" are no dates.
            if month not in _LOWER_WORDS or match["year"] or " of " in match.group():
                yield match.span()
    for match in _NUMERIC.finditer(text):
        end = match.end() - (match.group().endswith("T"))
        yield match.start(), end
    for match in _PARTIAL.finditer(text):
        yield match.span("value")


def is_birth_label(text: str) -> bool:
    """Tell whether the head of a column asks for a date of birth."""
    return bool(_BORN.match(text))


def is_date(text: str) -> bool:
    """Tell whether a cell is a date."""
    return bool(_LOOSE.fullmatch(text)) or any(end - start >= 6 for start, end in _dates(text))


def births(text: str) -> Iterator[Found]:
    """Yield dates of birth: dates behind a word that says so, or in front of one."""
    known: list[tuple[int, int]] | None = None
    for label in _BORN.finditer(text):
        gap = _BETWEEN.match(text, label.end())
        reach = gap.end() if gap else label.end()
        if known is None:
            known = sorted(_dates(text))
        near = [span for span in known if label.end() <= span[0] <= reach]
        if near:
            yield Found(*max(near, key=lambda span: (-span[0], span[1])), "DATE_OF_BIRTH", 0.8)
            continue
        loose = _LOOSE.match(text, reach)
        if loose:
            yield Found(*loose.span(), "DATE_OF_BIRTH", 0.7)
    for match in _BESIDE.finditer(text):
        yield Found(*match.span("value"), "DATE_OF_BIRTH", 0.5)
    lower = text.lower()
    after = "dob" in lower or "birth" in lower or "geb" in lower
    if known is None and (after or _ROW.search(text)):
        known = sorted(_dates(text))
    for start, end in known or ():
        if _AFTER.match(text, end):
            yield Found(start, end, "DATE_OF_BIRTH", 0.7)


def recognizers() -> list[Shape]:
    """Return the recognizers of dates, and of dates of birth."""
    return [
        Shape("Date", ["DATE_TIME"], dates, scanned=True),
        Shape("Born", ["DATE_OF_BIRTH"], births, scanned=True),
    ]
