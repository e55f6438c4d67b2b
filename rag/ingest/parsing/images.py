"""Images and scanned pages to text, by OCR (rapidocr; its models come inside its package)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy
import rapidocr
from PIL import Image, ImageOps, ImageSequence, IptcImagePlugin

from rag.ingest.failures import Unparsable
from rag.ingest.parsing import Content, Job
from rag.ingest.parsing.layout import Line, blocks
from rag.ingest.parsing.properties import field, xmp
from rag.ingest.parsing.tables import table
from rag.ingest.parsing.text import clean, decode
from rag.records import Element

LONGEST_SIDE = 2000
"""Pixels; an A4 page at 170 dpi. The detector would shrink a larger image itself."""
PIXELS = 120_000_000
"""In one frame, unpacked. An A3 page at 600 dpi has 70 million."""
FRAMES = 500
_TAGS = {270: "description", 315: "author", 33432: "copyright", 40091: "title", 40092: "comments",
         40093: "author", 40094: "keywords", 40095: "subject"}  # fmt: skip
_CAMERA = {37510: "comments", 42032: "owner"}
_IPTC = {(2, 5): "title", (2, 25): "keywords", (2, 80): "author", (2, 105): "description",
         (2, 110): "author", (2, 116): "copyright", (2, 118): "contact", (2, 120): "description",
         (2, 122): "author"}  # fmt: skip
_SURE = 0.5
_PARTS = ("Det", "Cls", "Rec")


@cache
def _engine() -> Any:
    # OpenVINO reads a page in half of ONNX Runtime's time, with the same letters. Unpinned:
    # two processes that pin their threads sit on the same core.
    openvino = {f"{part}.engine_type": rapidocr.EngineType.OPENVINO for part in _PARTS}
    return rapidocr.RapidOCR(
        params={
            **openvino,
            "Global.log_level": "critical",
            "EngineConfig.openvino.inference_num_threads": min(2, os.cpu_count() or 1),
            "EngineConfig.openvino.enable_cpu_pinning": False,
        }
    )


def read(picture: Image.Image, page: int | None) -> list[Element]:
    """Return the text in a picture, in reading order."""
    picture = picture.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    result = _engine()(numpy.asarray(picture)[:, :, ::-1])
    if result.boxes is None or not result.txts:
        return []
    lines = []
    for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
        if score >= _SURE:
            xs, ys = [float(x) for x, _ in box], [float(y) for _, y in box]
            lines.append(Line(clean(text).strip(), min(xs), min(ys), max(xs), max(ys)))
    elements = []
    for block in blocks(lines):
        if block.rows:
            found = table(block.rows, page)
            elements += [found] if found else []
        else:
            elements.append(Element("text", block.text, page))
    return elements


def image(job: Job) -> Content:
    """Read a picture file; a frame of a TIFF is a page."""
    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        with Image.open(io.BytesIO(job.data)) as picture:
            if picture.width * picture.height > PIXELS:
                raise Unparsable("archive_bomb", limit=job.options.unpacked_bytes)
            elements = list(_facts(picture))
            if not job.options.ocr:
                raise Unparsable("ocr_off")
            frames = ImageSequence.Iterator(picture) if picture.format == "TIFF" else [picture]
            for page, frame in enumerate(frames, 1):
                if page > FRAMES:
                    raise Unparsable("too_large", limit=FRAMES)
                upright = ImageOps.exif_transpose(frame) or frame
                elements += read(upright, page)
    except Image.DecompressionBombError:
        raise Unparsable("archive_bomb", limit=job.options.unpacked_bytes) from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Unparsable("corrupt") from None
    return Content(elements)


def _facts(picture: Image.Image) -> Iterator[Element]:
    """Yield who made a picture and what it shows; not where, nor with which camera."""
    exif = picture.getexif()
    for tag, label in _TAGS.items():
        value = exif.get(tag)
        if isinstance(value, bytes):
            value = value.decode("utf-16-le", "ignore")
        yield from field(label, _letters(value))
    for tag, label in _CAMERA.items():
        value = exif.get_ifd(0x8769).get(tag)
        if isinstance(value, bytes):
            coding, text = value[:8], value[8:]
            known = {b"UNICODE\0": "utf-16", b"ASCII\0\0\0": "utf-8"}.get(coding)
            value = text.decode(known, "ignore") if known else value.decode("utf-8", "ignore")
        yield from field(label, _letters(value))
    yield from _press(picture)
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if packet:
        yield from xmp(packet.encode() if isinstance(packet, str) else bytes(packet))
    for label, value in getattr(picture, "text", {}).items():  # of a PNG
        if not label.startswith("XML"):
            yield from field(label.lower(), value)
    comment = picture.info.get("comment")  # of a JPEG or GIF
    if isinstance(comment, bytes):
        yield from field("comment", decode(comment))


def _letters(value: Any) -> Any:
    """A tag's text: the standard says ASCII, programs write UTF-8, Pillow reads Latin-1."""
    try:
        return value.encode("latin-1").decode() if isinstance(value, str) else value
    except UnicodeError:
        return value


def _press(picture: Any) -> Iterator[Element]:
    """Yield IPTC's fields, which press photographs carry."""
    try:
        found = IptcImagePlugin.getiptcinfo(picture) or {}
    except (OSError, SyntaxError, ValueError, IndexError, KeyError):
        return
    for key, label in _IPTC.items():
        values = found.get(key, [])
        for value in values if isinstance(values, list) else [values]:
            yield from field(label, decode(value))
