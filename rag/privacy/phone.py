"""Phone numbers by their shape, with libphonenumber as the judge of doubtful ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from presidio_analyzer import LocalRecognizer, RecognizerResult

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

_CANDIDATE = re.compile(
    r"(?<![\w.,/@#\-])(?:\+|\(\+?|00)?\d(?:[ \u00a0.\-/]{0,2}[()]{0,2}[ ]?\d){6,16}(?:\s?(?:x|"
    r"ext\.?|Ext\.?|ext|DW)\s?\d{1,6})?(?![\w]|[.,]\d)"
)
_LABEL = re.compile(
    r"(?:phone|tele(?:fon|phone|fono|fax)?|tel\b|mobil\w{0,4}|mob\b|cell\w{0,6}|fax|"
    r"call|dial|ring|text|sms|whatsapp|"
    r"pager|contact|reach|handy|rufnummer|durchwahl|t[ée]l[ée]?phone|portable|m[oó]vil|cellulare|"
    r"komórk\w{0,3}|numer|puhelin|gsm|тел|телефон|☎|📞|電話|\b[tfmp](?:\s?:|\.))",
    re.IGNORECASE,
)
_NORTH_AMERICA = re.compile(
    r"(?:\+?1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[ .\-/])\d{3}[ .\-]\d{4}(?:\D.*)?$"
)
_DATED = re.compile(
    r"(?:19|20)\d{2}([.\-/ ])[01]?\d\1[0-3]?\d\b|[0-3]?\d([.\-/ ])[01]?\d\2(?:19|20)"
    r"\d{2}\b|(?:19|20)\d{2} ?[\-/] ?(?:19|20)\d{2}$"
)
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_REGIONS = ("GB", "DE", "FR", "ES", "IT", "PL", "NL", "BE", "AT", "CH", "SE", "IN", "BR", "TR")


class PhoneShapes(LocalRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Numbers that are written as phone numbers are, in any country."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PHONE_NUMBER"], name="Phone")

    def load(self) -> None:
        """Nothing to load: libphonenumber brings its tables by itself, one region at a time."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        found = []
        for match in _CANDIDATE.finditer(text):
            score = self._score(text, match)
            if score:
                found.append(RecognizerResult("PHONE_NUMBER", match.start(), match.end(), score))
        found.extend(
            RecognizerResult("PHONE_NUMBER", match.start(1), match.end(1), 0.6)
            for match in _SHORT.finditer(text)
        )
        return found

    def _score(self, text: str, match: re.Match[str]) -> float:
        number = match.group()
        if (
            _DATED.search(number)
            or _DOTTED.fullmatch(number)
            or number.count("(") != number.count(")")
        ):
            return 0.0
        digits = sum(map(str.isdigit, number))
        bare = number.isdigit()
        if number.startswith(("+", "(+")) and digits >= 7:
            return 0.8
        if number.startswith("00") and digits >= 10:
            return 0.6
        if _LABEL.search(text, max(match.start() - 32, 0), match.start()):
            return 0.7
        if _NORTH_AMERICA.match(number):
            return 0.6
        if number.startswith(("0", "(0")) and 9 <= digits <= 12 and not bare:
            return 0.5
        if 9 <= digits <= 12 and (not bare or number.startswith("0")):
            return 0.45 if _valid(number) else 0.0
        return 0.0


_SHORT = re.compile(
    r"(?:\b(?:ext|extension|durchwahl|pager|bleep|tel|phone|fax|call)\b\.?\s?[:#]?\s?)"
    r"(\d{3}[\-. ]?\d{2,4})(?![\w\-]|[.,]\d)",
    re.IGNORECASE,
)


def _valid(number: str) -> bool:
    import phonenumbers

    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number_for_region(phonenumbers.parse(number, region), region):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False
