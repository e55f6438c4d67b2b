"""Bytes to text, with nothing lost, and plain text to paragraphs.

Plain text does not go through unstructured: its classification reads every paragraph with a
tagger (see ``packaging/en_core_web_sm``) and takes seconds to import. The rules here are
linear in the text.
"""

from __future__ import annotations

import codecs
import re
from itertools import pairwise

from rag.ingest.failures import Unparsable
from rag.records import Element, ElementKind

LONGEST = 20_000
"""Characters in one element; a longer paragraph is cut between lines, sentences or words."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_DECLARED = re.compile(
    rb"""(?:charset\s*=\s*["']?|<\?xml[^>]{0,100}encoding\s*=\s*["'])([A-Za-z0-9._:-]{2,40})""",
    re.IGNORECASE,
)
_HIGH = bytes(range(128, 256))
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _single_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    # Windows-1252; its five unassigned bytes as Latin-1 has them.
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in bad), error.end


codecs.register_error("sluice-single-bytes", _single_bytes)


def decode(data: bytes) -> str:
    r"""Return the text of any encoding; line ends become ``\n``, NUL and lone surrogates go.

    Byte order mark first, then UTF-8, then what the document declares, then a guess for
    scripts other than Latin. What is left is UTF-8 or Windows-1252 or a mixture of both:
    valid UTF-8 is taken as that, any other byte as Windows-1252.
    """
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    return clean(text)


def clean(text: str) -> str:
    """Remove what no text has: NUL, and surrogates that would not encode."""
    text = text.replace("\0", "").removeprefix("\ufeff")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _decode(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if encoding == "utf-8":
                break
            return data.decode(encoding, "replace")
    wide = _utf16(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for encoding in (_declared(data), _guessed(data)):
        if encoding:
            try:
                return data.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    return data.decode("utf-8", "sluice-single-bytes")


def _utf16(data: bytes) -> str:
    """UTF-16 without a mark: of Latin text every other byte is NUL."""
    sample = data[:4096]
    if len(sample) < 8 or sample.count(0) < len(sample) // 4:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 8 * max(1, even):
        return "utf-16-le"
    return "utf-16-be" if even > 8 * max(1, odd) else ""


def _declared(data: bytes) -> str:
    match = _DECLARED.search(data[:4096])
    if not match:
        return ""
    try:
        found = codecs.lookup(match[1].decode("ascii"))
    except LookupError:
        return ""
    # A codec that is no character encoding (base64, zip) would unpack something.
    return found.name if getattr(found, "_is_text_encoding", False) else ""


def _guessed(data: bytes) -> str:
    sample = data[:32768]
    if len(sample) - len(sample.translate(None, _HIGH)) < 0.25 * len(sample):
        return ""  # Latin letters for the most part
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best is not None else ""


def check_is_text(text: str) -> None:
    """Raise unsupported when this is no text but some binary format."""
    sample = text[:65536]
    if len(_CONTROL.findall(sample)) > 0.02 * len(sample) + 2:
        raise Unparsable("unsupported")


_LIST = re.compile(r"\s*(?:[-*•‣▪◦·–]\s+|(?:\d{1,3}|[a-z])[.)]\s+)\S")
_NUMBERED_TITLE = re.compile(r"(?:\d+(?:\.\d+)*\.?|[IVXL]+\.|§\s*\d+)\s+\S")
LABEL = re.compile(r"[^\W\d_][\w /().&'-]{0,40}:\s")
"""A line that begins with a field's name: ``Date of birth: …``."""
_RULE = re.compile(r"\s*(?:[-=_*~#+]\s?){3,}\s*$")
_ENDS = (".", ",", ";", ":", "?", "!", "…")


def plain(text: str) -> list[Element]:
    """Return the paragraphs, lists and headings of a plain text."""
    elements: list[Element] = []
    section: tuple[str, ...] = ()
    for page, content in enumerate(text.split("\f"), 1):
        number = page if "\f" in text else None
        for block in re.split(r"\n[ \t]*\n\s*", content):
            lines = [line.rstrip() for line in block.split("\n")]
            lines = [line for line in lines if line and not _RULE.match(line)]
            if not lines:
                continue
            if _is_title(lines, block):
                section = (lines[0].strip(),)
                elements.append(Element("title", lines[0].strip(), number))
                lines = lines[1:]
            if lines:
                joined = _join(lines)
                kind: ElementKind = "list" if _LIST.match(lines[0]) else "text"
                elements += [Element(kind, part, number, section) for part in cut(joined)]
    if len(elements) > 1 and elements[-1].kind == "title":  # nothing under it: a signature
        last = elements.pop()
        elements.append(Element("text", last.text, last.page, elements[-1].section))
    return elements


def _is_title(lines: list[str], block: str) -> bool:
    first = lines[0].strip()
    if len(first) > 80 or first.endswith(_ENDS) or not first[:1].isalnum() or len(lines) > 1:
        # A line that is underlined is a heading of what follows.
        return len(first) <= 80 and bool(re.match(r"[^\n]*\S[^\n]*\n[=-]{3,}\s*(\n|$)", block))
    words = first.split()
    if len(words) > 10 or sum(letter.isalpha() for letter in first) < 0.6 * len(first) - 4:
        return False
    if _NUMBERED_TITLE.match(first):
        return True
    long = [word for word in words if len(word) > 3 and word[0].isalpha()]
    return bool(long) and first[0].isupper() and all(word[0].isupper() for word in long)


def _join(lines: list[str]) -> str:
    """Undo line wrapping; keep line ends that mean something (addresses, key: value lines)."""
    if len(lines) == 1:
        return lines[0].strip()
    width = max(map(len, lines))
    joined = lines[0].strip()
    for before, line in pairwise(lines):
        wrapped = (
            width >= 40
            and len(before) > 0.6 * width
            and before.isupper() == line.isupper()
            and not _LIST.match(line)
            and not LABEL.match(line)
        )
        joined += (" " if wrapped else "\n") + line.strip()
    return joined


_BORDERS = (re.compile(r"\n"), re.compile(r"(?<=[.!?])\s"), re.compile(r"\s"))


def cut(text: str, longest: int = LONGEST) -> list[str]:
    """Cut a text into parts of about `longest` characters, never inside a word."""
    parts = []
    start = 0
    while len(text) - start > longest:
        end = _border(text, start, start + longest)
        parts.append(text[start:end].strip())
        start = end
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _border(text: str, start: int, target: int) -> int:
    half = (start + target) // 2
    for border in _BORDERS:
        ends = [found.end() for found in border.finditer(text, half, target)]
        if ends:
            return ends[-1]
    following = _BORDERS[2].search(text, target)  # one word longer than the target stays whole
    return following.end() if following else len(text)
