"""What finds identifiers by shape, check digit or label: Presidio's registry, filled.

`shapes` has the patterns by subject. Each is linear in the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from presidio_analyzer import EntityRecognizer, RecognizerRegistry

from rag.privacy.address import AddressRecognizer
from rag.privacy.address.location import LocationRecognizer
from rag.privacy.shapes import (
    ages,
    bank,
    columns,
    contact,
    dates,
    devices,
    labels,
    national,
    network,
    phone,
)


def recognizers() -> list[EntityRecognizer]:
    """Return everything that finds identifiers by their shape."""
    return [
        *contact.recognizers(),
        phone.recognizer(),
        AddressRecognizer(),
        LocationRecognizer(),
        *bank.recognizers(),
        *network.recognizers(),
        national.recognizer(),
        *devices.recognizers(),
        *dates.recognizers(),
        ages.recognizer(),
        labels.recognizer(),
        columns.recognizer(),
    ]


NEED_DIGITS = frozenset(
    {"Phone", "National", "Labelled", "Born", "Date", "Iban", "Card", "Ip", "Vehicle"}
    | {"Device", "Zip", "Crypto"}
)
"""Recognizers by name whose findings have a digit in them or right beside."""

SAFE_HARBOR: Mapping[str, tuple[str, ...]] = {
    "A names": ("PERSON",),
    "B geographic subdivisions smaller than a state": ("STREET_ADDRESS", "LOCATION", "ZIP_CODE"),
    "C dates finer than a year, ages over 89": ("DATE_TIME", "DATE_OF_BIRTH", "AGE"),
    "D telephone numbers": ("PHONE_NUMBER",),
    "E fax numbers": ("PHONE_NUMBER",),
    "F electronic mail addresses": ("EMAIL_ADDRESS",),
    "G social security numbers": ("US_SSN", "US_ITIN", "NATIONAL_ID"),
    "H medical record numbers": ("MEDICAL_RECORD", "UK_NHS"),
    "I health plan beneficiary numbers": ("HEALTH_PLAN",),
    "J account numbers": ("BANK_ACCOUNT", "IBAN_CODE", "CREDIT_CARD", "ROUTING_NUMBER"),
    "K certificate and license numbers": ("CERTIFICATE", "DRIVER_LICENSE", "MEDICAL_LICENSE"),
    "L vehicle identifiers, license plates": ("VEHICLE_ID",),
    "M device identifiers and serial numbers": ("DEVICE_ID", "MAC_ADDRESS"),
    "N web addresses": ("URL",),
    "O IP addresses": ("IP_ADDRESS",),
    "P biometric identifiers": ("BIOMETRIC_ID",),
    "Q full-face photographs": (),
    "R any other unique identifying number": ("ID_NUMBER", "PASSPORT", "NATIONAL_ID", "CRYPTO"),
}
"""The identifiers of 45 CFR 164.514(b)(2)(i), and the kinds that cover each.

Pictures (Q) are never indexed or sent, only the text that is read out of them; a biometric
record (P) that is no text, neither: here the numbers are found that point to one.
"""


def registry(extra: Sequence[EntityRecognizer]) -> RecognizerRegistry:
    """Return Presidio's registry with the shapes above and the recognizers given."""
    return RecognizerRegistry(recognizers=[*recognizers(), *extra])
