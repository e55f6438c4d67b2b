"""Addresses of machines: IP of both versions, MAC."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from rag.privacy.shapes.shape import Found, Shape

_FOUR = re.compile(
    r"(?<![\w.])(?P<ip>(?:\d{1,3}(?:\.|\[\.\]|\(\.\))){3}\d{1,3})(?:/\d{1,2}(?![\w/])|"
    r":\d{1,5}(?![\w:.]))?"
    r"(?![\w]|\.\d)"
)
_SIX = re.compile(
    r"(?<![\w:.])(?P<bracket>\[)?(?P<ip>(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|"
    r"[0-9A-Fa-f]{0,4}))(?:%\w{1,16})?(?(bracket)\](?::\d{1,5})?)(?:/\d{1,3})?(?![\w:])"
)
_RELEASE = re.compile(
    r"(?<![^\W_])(?:version|ver|v|release|build|firmware|rev(?:ision)?|section|chapter|clause|"
    r"paragraph|"
    r"figure|table|article|driver|kernel|patch|update|§|oid|item|step|appendix)s?\.?[ :#=]{0,2}$",
    re.IGNORECASE,
)
_MAC = re.compile(
    r"(?<![\w:\-])(?:(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}|"
    r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}|"
    r"(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2})(?![\w:\-])"
)


def addresses(text: str) -> Iterator[Found]:
    """Yield IP addresses with the port or the prefix length behind them."""
    for match in _FOUR.finditer(text):
        plain = match["ip"].replace("[", "").replace("]", "").replace("(", "").replace(")", "")
        plain = ".".join(part.lstrip("0") or "0" for part in plain.split("."))
        if _address(plain) and not _RELEASE.search(text, max(match.start() - 16, 0), match.start()):
            yield Found(*match.span(), "IP_ADDRESS", 0.7)
    if "::" in text or text.count(":") >= 7:
        for match in _SIX.finditer(text):
            if _address(match["ip"]):
                yield Found(*match.span(), "IP_ADDRESS", 0.7)


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return bool(text.strip(":0"))


def macs(text: str) -> Iterator[Found]:
    """Yield MAC and EUI-64 addresses."""
    for match in _MAC.finditer(text):
        yield Found(*match.span(), "MAC_ADDRESS", 0.8)


def recognizers() -> list[Shape]:
    """Return the recognizers of addresses of machines."""
    return [Shape("Ip", ["IP_ADDRESS"], addresses), Shape("Mac", ["MAC_ADDRESS"], macs)]
