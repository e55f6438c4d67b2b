"""Sensitive information in a text: named entities and shapes, as a guardrail's entity types."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from localaws.guardrails import shapes

if TYPE_CHECKING:
    from rag.privacy.detect import Detector

ENTITIES = {
    "PERSON": "NAME",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "STREET_ADDRESS": "ADDRESS",
    "IBAN_CODE": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "CREDIT_CARD": "CREDIT_DEBIT_CARD_NUMBER",
    "BANK_ACCOUNT": "US_BANK_ACCOUNT_NUMBER",
    "US_SSN": "US_SOCIAL_SECURITY_NUMBER",
    "US_ITIN": "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "PASSPORT": "US_PASSPORT_NUMBER",
    "DRIVER_LICENSE": "DRIVER_ID",
    "UK_NHS": "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NINO": "UK_NATIONAL_INSURANCE_NUMBER",
    "IP_ADDRESS": "IP_ADDRESS",
    "MAC_ADDRESS": "MAC_ADDRESS",
}
"""The detector's kinds that are entity types of a guardrail."""

_DETECTED = frozenset(ENTITIES.values())
_busy = threading.Lock()


@dataclass(frozen=True, slots=True)
class Match:
    """What was found in a text, and what is done with it.

    Attributes:
        start: First character in the text.
        end: One past the last.
        name: Entity type, or name of the guardrail's regex.
        action: BLOCK, ANONYMIZE or NONE, for the source at hand.
        regex: The pattern; empty for an entity type.
    """

    start: int
    end: int
    name: str
    action: str
    regex: str = ""


def find(texts: Sequence[str], policy: Mapping[str, Any], side: str) -> list[list[Match]]:
    """Return what the policy looks for in each text, in order and without overlaps.

    Args:
        policy: A guardrail's sensitiveInformationPolicy, as GetGuardrail shows it.
        side: ``input`` or ``output``: whose actions count.
    """
    entities = {
        entry["type"]: entry[f"{side}Action"]
        for entry in policy.get("piiEntities", ())
        if entry[f"{side}Enabled"]
    }
    regexes = [entry for entry in policy.get("regexes", ()) if entry[f"{side}Enabled"]]
    known = _named(texts, entities)
    results = []
    for text, spans in zip(texts, known, strict=True):
        matches = [Match(start, end, name, entities[name]) for start, end, name in spans]
        for entry in regexes:
            action, pattern = entry[f"{side}Action"], entry["pattern"]
            matches += [
                Match(*match.span(), entry["name"], action, pattern)
                for match in re.finditer(pattern, text)
                if match.group()
            ]
        results.append(_disjoint(matches))
    return results


def _named(texts: Sequence[str], wanted: Collection[str]) -> list[list[tuple[int, int, str]]]:
    spans = [
        [span for span in shapes.found(text) if span[2] in wanted] if wanted else []
        for text in texts
    ]
    if not _DETECTED.isdisjoint(wanted):
        for text_spans, findings in zip(spans, _detected(texts, "NAME" in wanted), strict=True):
            text_spans += [span for span in findings if span[2] in wanted]
    return spans


def _detected(texts: Sequence[str], names: bool) -> list[list[tuple[int, int, str]]]:
    from rag.privacy.detect import Passage, Segment

    with _busy:
        found = _detector().detect([Passage([Segment(text)]) for text in texts], model=names)
    results: list[list[tuple[int, int, str]]] = []
    for text, (findings,) in zip(texts, found, strict=True):
        results.append([])
        for finding in findings:
            value = text[finding.start : finding.end]
            start = finding.end - len(value.lstrip())
            end = start + len(value.strip())
            if finding.entity in ENTITIES and start < end:
                results[-1].append((start, end, ENTITIES[finding.entity]))
    return results


@lru_cache(maxsize=1)
def _detector() -> Detector:
    from rag.privacy.detect import Detector
    from rag.privacy.policy import DEFAULT_ACTIONS, Policy
    from rag.privacy.pseudonym import MASK

    def masks(text: str) -> list[tuple[int, int]]:
        return [match.span() for match in MASK.finditer(text)]

    return Detector(Policy(DEFAULT_ACTIONS, threshold=0.4), masks)


def _disjoint(matches: Iterable[Match]) -> list[Match]:
    """Keep the strictest, then the longest, of matches that overlap."""
    strict = {"BLOCK": 0, "ANONYMIZE": 1, "NONE": 2}
    ordered = sorted(matches, key=lambda m: (strict[m.action], m.start - m.end, m.start))
    taken = bytearray(max((match.end for match in ordered), default=0))
    kept: list[Match] = []
    for match in ordered:
        if 1 not in taken[match.start : match.end]:
            taken[match.start : match.end] = b"\1" * (match.end - match.start)
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)
