"""Persons in file names: ``gonzalez_maria-CV.pdf``, ``MariaGonzalezCV.docx``, ``mgonzalez.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from rag.privacy import spans
from rag.privacy.names.lexicon import GIVEN, SURNAME, flags_of, plain, sure
from rag.privacy.pseudonym import MASK
from rag.privacy.words import fold
from rag.records import Finding

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’])*")
_HUMPS = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_NAME = GIVEN | SURNAME
_HIS = 256  # a word of the document's own persons
_GAP = re.compile(r"[ _.\-+,]{1,2}|%20")


def persons_in(
    name: str, findings: Sequence[Finding], of_document: Callable[[str], bool]
) -> list[Finding]:
    """Add the persons of a file name to what detection found in it.

    A word is of a person when the document behind the name has a person so called, or when a
    listed given name and surname stand side by side, in any case.
    """
    parts: list[tuple[int, int, str]] = []
    for match in _WORD.finditer(name):
        edges = [
            match.start(),
            *(match.start() + hump.start() for hump in _HUMPS.finditer(match.group())),
            match.end(),
        ]
        for start, end in pairwise(edges):
            parts.append((start, end, fold(name[start:end])))
    last_dot = name.rfind(".")
    flags = []
    for start, _, folded in parts:
        if start == last_dot + 1 > 0 and len(folded) <= 5:
            flags.append(0)  # the extension
        elif len(folded) > 1 and (of_document(folded) or _joined(folded, of_document)):
            flags.append(_HIS)
        else:
            flags.append(flags_of(folded))
    person = [flag == _HIS for flag in flags]
    for index in range(len(parts) - 1):
        one, other = flags[index], flags[index + 1]
        beside = _GAP.fullmatch(name, parts[index][1], parts[index + 1][0]) or (
            parts[index][1] == parts[index + 1][0]
        )
        listed = one & _NAME and other & _NAME and (sure(one) or sure(other))
        if beside and listed and (one | other) & GIVEN and (one | other) & SURNAME:
            person[index] = person[index + 1] = True
    added: list[Finding] = []
    for index, (start, end, _) in enumerate(parts):
        if not person[index]:
            continue
        if (
            added
            and index
            and person[index - 1]
            and (parts[index - 1][1] == start or _GAP.fullmatch(name, parts[index - 1][1], start))
        ):
            added[-1] = Finding(added[-1].start, end, "PERSON", 0.8, "FileName")
        else:
            added.append(Finding(start, end, "PERSON", 0.8, "FileName"))
    if any(flag == _HIS for flag in flags):
        # The document's own names say best where a name begins and ends; but somebody else may
        # share one of them, and what is no ordinary word may be the rest of that name.
        others = [
            (start, end)
            for (start, end, _), his, flag in zip(parts, person, flags, strict=True)
            if not his and not plain(flag)
        ]
        findings = [
            finding
            for finding in findings
            if finding.entity != "PERSON"
            or not any(a.start < finding.end and finding.start < a.end for a in added)
            or any(finding.start <= start and end <= finding.end for start, end in others)
        ]
    holes = [match.span() for match in MASK.finditer(name)]
    return spans.resolve(spans.cut([*findings, *added], holes))


def _joined(folded: str, of_document: Callable[[str], bool]) -> bool:
    """Tell whether a word is two of the document's names in one, or an initial and a surname."""
    if not 4 <= len(folded) <= 40:
        return False
    if (of_document(folded[1:]) and len(folded) > 4) or (
        of_document(folded[:-1]) and len(folded) > 4
    ):
        return True
    return any(
        of_document(folded[:cut]) and of_document(folded[cut:]) for cut in range(2, len(folded) - 1)
    )
