"""Vehicles and devices by their shape: VIN, IMEI, the unique device identifier of an implant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.privacy.shapes.around import label_before
from rag.privacy.shapes.checks import luhn, vin
from rag.privacy.shapes.shape import Found, Shape

_VIN = re.compile(r"(?<![\w\-])(?=[A-Z0-9]{0,16}\d)[A-HJ-NPR-Z0-9]{17}(?![\w\-])")
_PLATE = re.compile(
    # Britain since 2001, Germany, India: outlines that little else has.
    r"(?<![\w\-])(?:[A-Z]{2}\d{2} [A-Z]{3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|"
    r"[A-Z]{2}[ \-]\d{1,2}[ \-][A-Z]{1,3}[ \-]\d{4})(?![\w\-])"
)
_CAR = re.compile(
    r"(?<![^\W_])(?:car|van|truck|lorry|vehicle|plate|registration|reg|driv\w{1,4}|parked|auto|"
    r"wagen|pkw|"
    r"kfz|kennzeichen|motorbike|motorcycle|taxi|suv|sedan|bus)(?![^\W_])",
    re.IGNORECASE,
)
_IMEI = re.compile(r"(?<![\w\-])\d{2}-?\d{6}-?\d{6}-?\d(?![\w\-])")
_UDI = re.compile(
    r"\(01\)\d{14}(?:\((?:10|11|17|21)\)[A-Za-z0-9\-]{1,20}){0,4}|"
    r"\+[A-Z]\d{3}[A-Z0-9]{6,24}/[$A-Z0-9/+]{6,40}"
)
_UUID = re.compile(
    r"(?<![^\W_])(?:device|install(?:ation)?|udid|idfa|gaid|aaid|advertising|android|phone|handset|"
    r"hardware|machine)[ _\-]?(?:id|uuid|"
    r"identifier)?\W{0,4}(?:is )?(?P<value>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|"
    r"[0-9A-Fa-f]{16,40})(?![\w\-])",
    re.IGNORECASE,
)


def vehicles(text: str) -> Iterator[Found]:
    """Yield vehicle identification numbers that check, and plates near a word of cars."""
    for match in _VIN.finditer(text):
        if vin(match.group()):
            yield Found(*match.span(), "VEHICLE_ID", 0.8)
    for match in _PLATE.finditer(text):
        if _CAR.search(text, max(match.start() - 48, 0), match.start()):
            yield Found(*match.span(), "VEHICLE_ID", 0.6)


def devices(text: str) -> Iterator[Found]:
    """Yield IMEI that check, device identifiers of implants, and labelled UUIDs."""
    for match in _IMEI.finditer(text):
        if luhn(match.group()) and _device(text, match):
            yield Found(*match.span(), "DEVICE_ID", 0.8)
    for match in _UDI.finditer(text):
        yield Found(*match.span(), "DEVICE_ID", 0.8)
    for match in _UUID.finditer(text):
        yield Found(*match.span("value"), "DEVICE_ID", 0.7)


def _device(text: str, match: re.Match[str]) -> bool:
    near = text[max(match.start() - 40, 0) : match.start()].lower()
    named = "-" in match.group() or "imei" in near or "device" in near or "phone" in near
    return named and label_before(text, match.start()) != "business"


def recognizers() -> list[Shape]:
    """Return the recognizers of vehicles and devices."""
    return [Shape("Vehicle", ["VEHICLE_ID"], vehicles), Shape("Device", ["DEVICE_ID"], devices)]
