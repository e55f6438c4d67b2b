"""What a model sees of images and documents: their size in tokens, their text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape

from localaws.operations import AwsError

PIXELS_A_TOKEN = 750
"""Anthropic's documented rule: width times height by 750."""

_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)


def image_tokens(content: bytes) -> int:
    """Return the tokens of an image.

    Raises:
        AwsError: It is none.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        raise AwsError("ValidationException", "Could not process image") from None
    return max(1, width * height // PIXELS_A_TOKEN)


def document_text(content: bytes, form: str) -> str:
    """Return a document's text; of ``doc`` and ``xls``, which nothing here reads, none.

    Args:
        form: As Converse names it: ``pdf``, ``csv``, ``docx``, ``xlsx``, ``html``, ``txt``, ``md``.

    Raises:
        AwsError: It is no such document.
    """
    reader = _READERS.get(form)
    if reader is None:
        return "" if form in ("doc", "xls") else content.decode("utf-8", "replace")
    try:
        return reader(content)
    except Exception:  # whatever a parser stumbles over
        raise AwsError(
            "ValidationException", f"The {form} document could not be read. Check it and try again."
        ) from None


def _html(content: bytes) -> str:
    return unescape(_TAG.sub(" ", content.decode("utf-8", "replace")))


def _pdf(content: bytes) -> str:
    from pypdf import PdfReader

    return "\n\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def _docx(content: bytes) -> str:
    from docx import Document

    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)


def _xlsx(content: bytes) -> str:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    rows = (row for sheet in book for row in sheet.iter_rows(values_only=True))
    return "\n".join(" | ".join("" if c is None else str(c) for c in row) for row in rows)


_READERS: dict[str, Callable[[bytes], str]] = {
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
}
