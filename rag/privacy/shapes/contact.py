"""Mail addresses, addresses of web pages, and postcodes on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.privacy.shapes.shape import Found, Shape

if TYPE_CHECKING:
    from tldextract import TLDExtract

_AT = re.compile(r"@|%40|＠|\s?[\[({<]\s?(?:at|AT|@|arroba)\s?[\])}>]\s?")
_DOT = r"(?:\.|\s?[\[({]\s?(?:dot|DOT|punkt|\.)\s?[\])}]\s?)"
_LOCAL = frozenset("-.+!#$%&'*/=?^`{|}~_")
_DOMAIN = re.compile(
    rf"\[[\d.:A-Fa-fIPv]{{7,45}}\]|[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{0,6}}"
    r"(?:@[\w.\-]{1,63}){0,3}(?<![\-_.])"
)
_QUOTED = re.compile(rf"\"[^\"\n@]{{1,64}}\"@[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{1,6}}")
_SPACED = re.compile(
    # "anna @ example . org", "anna.berg at example dot com"
    r"(?<![\w.+\-])[\w.+\-]{1,64} @ ?[\w\-]{1,63}(?: ?\. ?[\w\-]{2,63}){1,4}(?!\w)"
    r"|(?<![\w.+\-])[\w.+\-]{1,64}@ [\w\-]{1,63}(?:\.[\w\-]{2,63}){1,4}(?!\w)"
    r"|(?<![\w.+\-])[\w+\-]{1,32}(?:(?:\.| dot | underscore | dash )[\w+\-]{1,32}){0,3} (?:at|AT) "
    r"[\w\-]{1,63}(?:\.[\w\-]{1,63}){0,2}(?: (?:dot|DOT) [\w\-]{2,63}){1,4}(?!\w)"
)
_RELEASE = re.compile(r"v?\d+(?:\.\d+){0,3}$|(?:latest|next|beta)$")
_LINK = re.compile(
    r"(?<![\w@])(?:[a-z][a-z0-9+.\-]{1,12}://[^\s<>\"'`|\\^{}\ufffc]{2,500}"
    r"|(?:www\.)?(?:[a-z0-9][a-z0-9\-]{0,61}\.){1,6}[a-z]{2,24}(?::\d{2,5})?(?![\w@])"
    r"(?:/[^\s<>\"'`|\\^{}\ufffc]{0,400})?)",
    re.IGNORECASE,
)
_ZIP = re.compile(
    r"(?<![\w\-])(?:zip(?: ?code)?s?|postcodes?|postal codes?|plz|postleitzahl|code postal|"
    r"c[óo]digo postal|cap|kod pocztowy)(?: is)?\s{0,2}[:#=]?\s{0,2}"
    r"(?P<value>\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|"
    r"\d{2}-\d{3}|\d{4} ?[A-Z]{2}|\d{3,6})(?![\w\-])",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"\b(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|PR|RI|"
    r"S[CD]|T[NX]|UT|V[AT]|W[AIVY]),? (?P<value>\d{5}(?:-\d{4})?)(?![\w\-]|\.\d)"
    r"|(?<![\w\-.,$])(?P<four>\d{5}-\d{4})(?![\w\-])"
    r"|(?<![\w\-])(?P<uk>[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2})(?![\w\-])"
    r"|(?<![\w\-])(?P<canada>[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d)(?![\w\-])"
)


def mails(text: str) -> Iterator[Found]:
    """Yield mail addresses, also with the at and the dots spelt."""
    if '"@' in text:
        for match in _QUOTED.finditer(text):
            yield Found(*match.span(), "EMAIL_ADDRESS", 0.9)
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        start = _local(text, at.start())
        if domain and start < at.start() and not _RELEASE.match(domain.group()):
            yield Found(start, domain.end(), "EMAIL_ADDRESS", 0.9)
    if " @" in text or "@ " in text or " dot " in text.lower():
        for match in _SPACED.finditer(text):
            yield Found(*match.span(), "EMAIL_ADDRESS", 0.7)


def _local(text: str, at: int) -> int:
    """Return where the part in front of an at begins: at most 64 characters (RFC 5321)."""
    start = at
    while start and at - start < 64 and (text[start - 1].isalnum() or text[start - 1] in _LOCAL):
        start -= 1
    while start < at and text[start] in _LOCAL and text[start] != "_":
        start += 1
    return start


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    from tldextract import TLDExtract

    # The list that came with the package: nothing is fetched.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def links(text: str) -> Iterator[Found]:
    """Yield addresses of web pages: with a scheme, or a domain under a public suffix."""
    for match in _LINK.finditer(text):
        link = match.group().rstrip(".,;:!?)]'\"")
        if "://" not in link and not _suffixes()(link.lower()).suffix:
            continue
        if "://" not in link and _file(link):
            continue
        yield Found(match.start(), match.start() + len(link), "URL", 0.8)


def _file(link: str) -> bool:
    """Tell whether what looks like a domain is a file's name (readme.md is in Moldova, too)."""
    ending = link.lower().rpartition(".")[2]
    return (
        not link.lower().startswith("www.")
        and ending
        in {"md", "py", "sh", "rs", "pl", "cc", "so", "zip", "mov", "ps", "in", "is", "ai", "app"}
        and "/" not in link
    )


def zips(text: str) -> Iterator[Found]:
    """Yield postcodes by their label, their state in front, or a shape that nothing else has."""
    for match in _ZIP.finditer(text):
        yield Found(*match.span("value"), "ZIP_CODE", 0.7)
    for match in _STATE.finditer(text):
        yield Found(*match.span(match.lastgroup or 0), "ZIP_CODE", 0.6)


def recognizers() -> list[Shape]:
    """Return the recognizers of mail addresses, links and postcodes."""
    return [
        Shape("Mail", ["EMAIL_ADDRESS"], mails),
        Shape("Url", ["URL"], links),
        Shape("Zip", ["ZIP_CODE"], zips),
    ]
