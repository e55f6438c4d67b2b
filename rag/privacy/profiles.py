"""The profiles: for each kind of identifier what is done with it, and from which score on.

What a mask shows of the original, least first: ``redact`` (``<US_SSN>``) and ``block`` nothing,
``pseudonym`` and ``shape`` who is the same, ``shift`` how long lies between, ``generalize`` the
year, the ZIP area, or that somebody is 90 or older, ``partial`` the last characters, ``keep`` all
(a kind that is kept is not looked for).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from rag.config import Action

Profile = Literal["default", "healthcare", "finance"]
THRESHOLD = 0.4


class Rule(NamedTuple):
    """What is done with a kind, and the least score (0 to 1) of a finding."""

    action: Action
    threshold: float = THRESHOLD


_REDACT, _KEEP = Rule("redact"), Rule("keep")

DEFAULT: Mapping[str, Rule] = {
    "PERSON": Rule("pseudonym"),
    "EMAIL_ADDRESS": Rule("pseudonym"),
    "PHONE_NUMBER": _REDACT,
    "STREET_ADDRESS": _REDACT,
    "DATE_OF_BIRTH": _REDACT,
    "IBAN_CODE": _REDACT,
    "CREDIT_CARD": _REDACT,
    "CARD_SECURITY": _REDACT,
    "BANK_ACCOUNT": _REDACT,
    "SWIFT_CODE": _REDACT,
    "ROUTING_NUMBER": _REDACT,
    "CRYPTO": _REDACT,
    "US_SSN": _REDACT,
    "US_ITIN": _REDACT,
    "PASSPORT": _REDACT,
    "DRIVER_LICENSE": _REDACT,
    "MEDICAL_LICENSE": _REDACT,
    "CERTIFICATE": _REDACT,
    "MEDICAL_RECORD": _REDACT,
    "HEALTH_PLAN": _REDACT,
    "UK_NHS": _REDACT,
    "UK_NINO": _REDACT,
    "ES_NIF": _REDACT,
    "IT_FISCAL_CODE": _REDACT,
    "PL_PESEL": _REDACT,
    "FI_PERSONAL_IDENTITY_CODE": _REDACT,
    "NATIONAL_ID": _REDACT,
    "ID_NUMBER": _REDACT,
    "DEVICE_ID": _REDACT,
    "VEHICLE_ID": _REDACT,
    "BIOMETRIC_ID": _REDACT,
    "IP_ADDRESS": _REDACT,
    "MAC_ADDRESS": _REDACT,
    "DATE_TIME": _KEEP,
    "AGE": _KEEP,
    "LOCATION": _KEEP,
    "ZIP_CODE": _KEEP,
    "URL": _KEEP,
}
"""Direct identifiers.

Organisations, cities, plain dates and addresses of web pages are left: a passage without them
answers nothing, and alone they name nobody.
"""

HEALTHCARE: Mapping[str, Rule] = {
    **DEFAULT,
    # By the letters of 45 CFR 164.514(b)(2)(i); what is not named here is as in the default
    # profile. A name's pseudonym is a keyed hash: without the key it is derived from nothing
    # that the reader has, as the guidance on (R) wants.
    "PERSON": Rule("pseudonym"),  # (A)
    "LOCATION": _REDACT,  # (B) all that is smaller than a state; streets are in the default
    "ZIP_CODE": Rule("generalize"),  # (B) three digits, or 000 where few people live
    "DATE_TIME": Rule("generalize"),  # (C) the year stays
    "DATE_OF_BIRTH": Rule("generalize"),  # (C) the year, unless it tells an age over 89
    "AGE": Rule("generalize"),  # (C) over 89: 90+
    "URL": _REDACT,  # (N)
    # (D) (E) PHONE_NUMBER, fax numbers among them  (F) EMAIL_ADDRESS  (G) US_SSN, UK_NINO …
    # (H) MEDICAL_RECORD, UK_NHS  (I) HEALTH_PLAN  (J) BANK_ACCOUNT, IBAN_CODE, CREDIT_CARD
    # (K) CERTIFICATE, DRIVER_LICENSE, MEDICAL_LICENSE, PASSPORT  (L) VEHICLE_ID
    # (M) DEVICE_ID, MAC_ADDRESS  (O) IP_ADDRESS  (P) BIOMETRIC_ID  (R) ID_NUMBER
    # (Q) Photographs: no image is indexed, only what is read in it.
}
"""HIPAA Safe Harbor: all eighteen kinds of identifiers."""

FINANCE: Mapping[str, Rule] = {
    **DEFAULT,
    "CREDIT_CARD": Rule("partial"),  # PCI DSS 3.4.1: at most the last four are shown
    "CARD_SECURITY": _REDACT,  # PCI DSS 3.3.1: never kept after authorisation
    "IBAN_CODE": Rule("pseudonym"),  # one account is one word, so that payments can be followed
    "BANK_ACCOUNT": Rule("pseudonym"),
    "SWIFT_CODE": _REDACT,
    "ROUTING_NUMBER": _REDACT,
}
"""Cards as PCI DSS 4.0 wants them, accounts as pseudonyms."""

PROFILES: Mapping[Profile, Mapping[str, Rule]] = {
    "default": DEFAULT,
    "healthcare": HEALTHCARE,
    "finance": FINANCE,
}
KINDS = frozenset(kind for profile in PROFILES.values() for kind in profile)

GENERALIZED = frozenset({"DATE_TIME", "DATE_OF_BIRTH", "AGE", "ZIP_CODE"})
"""Kinds that have something coarser to say."""
SHIFTED = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})
"""Kinds that are dates."""
UNSHAPED = (
    frozenset({"PERSON", "EMAIL_ADDRESS", "STREET_ADDRESS", "LOCATION", "AGE", "URL"}) | SHIFTED
)
"""Kinds whose shape is no number's."""


def unfit(profile: str, kind: str, action: str) -> str:
    """Say why an action does not fit a kind; empty when it does."""
    if action == "generalize" and kind not in GENERALIZED:
        return f"cannot be generalized; these can: {', '.join(sorted(GENERALIZED))}"
    if action == "shift" and kind not in SHIFTED:
        return f"cannot be shifted; these can: {', '.join(sorted(SHIFTED))}"
    if action == "shape" and kind in UNSHAPED:
        return "has no number's shape to keep; choose pseudonym"
    if action == "partial" and kind in {"PERSON", "EMAIL_ADDRESS"}:
        return "has no part that tells nothing; choose pseudonym"
    if profile == "finance" and kind == "CARD_SECURITY" and action not in {"redact", "block"}:
        return "is never kept in the finance profile (PCI DSS 3.3.1); choose redact or block"
    if profile == "finance" and kind == "CREDIT_CARD" and action == "keep":
        return "is never kept whole in the finance profile (PCI DSS 3.4.1); choose partial"
    return ""
