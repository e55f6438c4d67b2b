"""Findings that overlap become one: the widest, because half a masked name is a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rag.records import Finding

_STRONG = (
    "IBAN_CODE",
    "EMAIL_ADDRESS",
    "CREDIT_CARD",
    "US_SSN",
    "STREET_ADDRESS",
    "DATE_OF_BIRTH",
    "MEDICAL_RECORD",
    "UK_NHS",
    "UK_NINO",
    "PASSPORT",
    "BANK_ACCOUNT",
    "NATIONAL_ID",
    "US_ITIN",
    "ES_NIF",
    "IT_FISCAL_CODE",
    "PL_PESEL",
    "FI_PERSONAL_IDENTITY_CODE",
    "DRIVER_LICENSE",
    "ROUTING_NUMBER",
    "HEALTH_PLAN",
    "MEDICAL_LICENSE",
    "CERTIFICATE",
    "VEHICLE_ID",
    "DEVICE_ID",
    "BIOMETRIC_ID",
    "PHONE_NUMBER",
)
_RANK = {entity: len(_STRONG) - place for place, entity in enumerate(_STRONG)}


def _alike(entity: str) -> int:
    return 0


def resolve(findings: Iterable[Finding], safety: Callable[[str], int] = _alike) -> list[Finding]:
    """Return disjoint findings in order that cover everything the given ones cover.

    Each group of overlapping findings becomes one over their union. Its kind is that of the
    member whose action leaves least of the original; among those alike, of the longest (a street
    named after a person is a street); a tie goes to the kind with a checksum or a grammar, then
    to the higher score. Sorting dominates: n log n.

    Args:
        safety: How little the action of a kind leaves; one that blocks comes first.
    """
    ordered = sorted(findings, key=lambda finding: (finding.start, -finding.end))
    merged: list[Finding] = []
    group: list[Finding] = []
    reach = -1
    for finding in ordered:
        if group and finding.start >= reach:
            merged.append(_union(group, reach, safety))
            group = []
        reach = max(reach, finding.end) if group else finding.end
        group.append(finding)
    if group:
        merged.append(_union(group, reach, safety))
    return merged


def _union(group: Sequence[Finding], end: int, safety: Callable[[str], int]) -> Finding:
    if len(group) == 1:
        return group[0]
    best = max(
        group,
        key=lambda finding: (
            safety(finding.entity),
            finding.end - finding.start,
            _RANK.get(finding.entity, 0),
            finding.score,
        ),
    )
    return Finding(group[0].start, end, best.entity, max(f.score for f in group), best.recognizer)


def cut(findings: Iterable[Finding], holes: Sequence[tuple[int, int]]) -> list[Finding]:
    """Take the holes (sorted, disjoint ranges that are masks already) out of findings."""
    if not holes:
        return list(findings)
    from bisect import bisect_right

    starts = [start for start, _ in holes]
    kept: list[Finding] = []
    for finding in findings:
        place = finding.start
        index = max(bisect_right(starts, finding.start) - 1, 0)
        while index < len(holes) and holes[index][0] < finding.end:
            first, last = holes[index]
            if last > place:
                if first > place:
                    kept.append(_part(finding, place, first))
                place = last
            index += 1
        if place < finding.end:
            kept.append(_part(finding, place, finding.end))
    return kept


def _part(finding: Finding, start: int, end: int) -> Finding:
    return Finding(start, end, finding.entity, finding.score, finding.recognizer)
