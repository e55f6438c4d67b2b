"""The forms of everything that masking leaves behind.

- ``PERSON_k7q2mz5a``, ``EMAIL_…``: a pseudonym. Its code always has a digit, so that a word that
  somebody wrote after an underscore is hardly ever taken for one.
- ``<US_SSN>``: redacted; ``<CREDIT_CARD ****1111>``: all but the last.
- ``<DATE_TIME 2019>``, ``<AGE 90+>``, ``<ZIP_CODE 021>``: generalized.
- ``<PHONE_NUMBER +44 20 7946 0958 k7q2>``: a surrogate, whose last word is a keyed check of the
  others. Without the right check it is text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.privacy.profiles import KINDS, SHIFTED

SHORT = {"EMAIL_ADDRESS": "EMAIL"}
"""What a pseudonym of a kind begins with, where that is not the kind's name."""

_CODE = r"(?=[a-z]{0,7}[2-7])[a-z2-7]{8}(?![a-z2-7])"
PERSON = re.compile(rf"PERSON_{_CODE}")
"""A person's pseudonym."""

_GENERAL = (
    rf"<(?:{'|'.join(sorted(SHIFTED))}) (?:1[5-9]|2[01])\d\d>"
    r"|<(?:AGE|DATE_OF_BIRTH) 90\+>|<ZIP_CODE \d{3}>"
)
_PART = r"(?: \*{4}[0-9A-Za-z]{2,4})?"
_VALUE, _CHECK = r"[0-9A-Za-z+\-./()# ]{1,64}", r"[a-z2-7]{4}"
_ANY = r"[A-Z][A-Z0-9_]{1,40}"


def _alternatives(kinds: Iterable[str]) -> str:
    return "|".join(sorted(kinds, key=lambda kind: (-len(kind), kind)))


def plain_masks(kinds: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of masks of these kinds that need no check: nothing hides in them."""
    kinds = frozenset(kinds)
    short = _alternatives(SHORT.get(kind, kind) for kind in kinds)
    whole = _alternatives(kinds)
    open_ended = _alternatives(kinds - {"PERSON", "EMAIL_ADDRESS"})
    return re.compile(rf"(?:{short})_{_CODE}|<(?:{whole})>|<(?:{open_ended}){_PART}>|{_GENERAL}")


def surrogates(kinds: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of surrogates of these kinds, to be checked with the key.

    Groups: the kind, its value, the check.
    """
    return re.compile(rf"<({_alternatives(kinds)}) ({_VALUE}) ({_CHECK})>")


# What every mask begins with comes first: a fifth of the time.
MASK = re.compile(
    rf"(?=[A-Z<])(?:"
    rf"(?:{_alternatives(SHORT.get(kind, kind) for kind in KINDS)})_[a-z2-7]{{8}}(?![a-z2-7])"
    rf"|(?<![A-Z0-9_]){_ANY}_{_CODE}"
    rf"|<{_ANY}(?: \*{{4}}[0-9A-Za-z]{{2,4}}| 90\+| \d{{3,4}}| {_VALUE} {_CHECK})?>)"
)
"""Any mask of any kind, also of users' own, in text that has passed the gate.

Raw text may hold what only looks like one: there, see `rag.privacy.surrogates.Masks`.
"""
