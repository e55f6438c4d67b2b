"""PDF files: text in one or two columns, a password, or nothing but a scanned image."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .manuscript import Block, Manuscript
from .planted import Say

_GAP = "  "
"""Between words in scans: text recognition joins words at a single narrow space."""


def fonts() -> Path:
    """The folder of DejaVu fonts: they have the letters of every name in the handbook."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def pdf(source: Manuscript, say: Say) -> bytes:
    """A PDF with header, footer and page numbers.

    Streams are not deflated (zlib's output differs between builds). `columns` in the source asks
    for two columns, `password` for encryption, `scan` for pages that are images only.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.lib.units import mm
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    if source.meta.get("scan"):
        return _scanned(source, say)
    _register_fonts()
    width, height = A4
    columns = int(source.meta.get("columns", 1))
    inner, gap = width - 40 * mm, 8 * mm
    column = (inner - gap * (columns - 1)) / columns
    frames = [
        Frame(20 * mm + n * (column + gap), 22 * mm, column, height - 44 * mm, 0, 0, 0, 0)
        for n in range(columns)
    ]
    header = say(source.text("header"), "header")
    footer = say(source.text("footer"), "footer")

    def furnish(canvas: Any, _: Any) -> None:
        canvas.setFont("DejaVu", 8)
        canvas.drawString(20 * mm, height - 14 * mm, header)
        canvas.drawString(20 * mm, 12 * mm, footer)
        canvas.drawRightString(width - 20 * mm, 12 * mm, f"Page {canvas.getPageNumber()}")

    password = source.text("password")
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer,
        pagesize=A4,
        pageCompression=0,
        invariant=1,
        title=say(source.text("title"), "property"),
        author=say(source.text("author"), "property"),
        subject=say(source.text("description"), "property"),
        encrypt=StandardEncryption(password, strength=128) if password else None,
        pageTemplates=[PageTemplate(frames=frames, onPage=furnish)],
    )
    template.build([part for block in source.blocks for part in _flow(block, say, column)])
    return buffer.getvalue()


def _flow(block: Block, say: Say, width: float) -> list[Any]:
    from reportlab.lib import colors
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, Spacer, Table, TableStyle

    body = ParagraphStyle("body", fontName="DejaVu", fontSize=9.5, leading=13, spaceAfter=6)
    cell = ParagraphStyle("cell", parent=body, fontSize=8.5, leading=11, spaceAfter=0)
    if block.kind == "heading":
        size = {1: 16, 2: 12}.get(block.level, 10.5)
        style = ParagraphStyle(
            "heading", parent=body, fontName="DejaVu-Bold", fontSize=size, leading=size * 1.3
        )
        return [Paragraph(_escape(say(block.text, "text")), style)]
    if block.kind == "list":
        item = ParagraphStyle("item", parent=body, leftIndent=12, bulletIndent=2, spaceAfter=3)
        return [Paragraph(_escape(say(i, "text")), item, bulletText="•") for i in block.items]
    if block.kind == "table":
        rows = [[Paragraph(_escape(say(c, "table")), cell) for c in row] for row in block.rows]
        grid = TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
        widths = [width / len(block.rows[0])] * len(block.rows[0])
        return [Table(rows, colWidths=widths, repeatRows=1, style=grid), Spacer(1, 8)]
    return [Paragraph(_escape(say(block.text, "text")), body)]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, file in {"DejaVu": "DejaVuSans.ttf", "DejaVu-Bold": "DejaVuSans-Bold.ttf"}.items():
        pdfmetrics.registerFont(TTFont(name, str(fonts() / file)))


def png(source: Manuscript, say: Say) -> bytes:
    """A scanned page: dark letters and wide gaps on paper grey, turned by a third of a degree."""
    buffer = io.BytesIO()
    _page(source, say).save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def _scanned(source: Manuscript, say: Say) -> bytes:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    page = io.BytesIO()
    image = _page(source, say)
    image.convert("L").save(page, format="JPEG", quality=60)
    buffer = io.BytesIO()
    size = (image.width * 0.48, image.height * 0.48)  # 150 dots an inch
    canvas = Canvas(buffer, pagesize=size, pageCompression=0, invariant=1)
    canvas.setTitle(say(source.text("title"), "property"))
    canvas.setAuthor(say(source.text("author"), "property"))
    page.seek(0)
    canvas.drawImage(ImageReader(page), 0, 0, *size)
    canvas.save()
    return buffer.getvalue()


def _page(source: Manuscript, say: Say) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    width, margin, y = 1000, 70, 80
    lines: list[tuple[str, str, int]] = []
    for block in source.blocks:
        bold = block.kind == "heading"
        size, face = (40, "DejaVuSans-Bold") if bold else (28, "DejaVuSans")
        font = ImageFont.truetype(str(fonts() / f"{face}.ttf"), size)
        for text in block.items or (block.text,):
            measure: Callable[[str], float] = font.getlength
            wide = say(text, "image").replace(" ", _GAP)
            wrapped = _wrap(wide, width - 2 * margin, measure)
            lines += [(line, face, size) for line in wrapped] + [("", face, 14)]
    image = Image.new("L", (width, 2 * y + sum(int(s * 1.5) for _, _, s in lines)), 248)
    draw = ImageDraw.Draw(image)
    for line, face, size in lines:
        font = ImageFont.truetype(str(fonts() / f"{face}.ttf"), size)
        draw.text((margin, y), line, font=font, fill=24)
        y += int(size * 1.5)
    turned = image.rotate(0.35, resample=Image.Resampling.BILINEAR, fillcolor=248)
    return turned.quantize(8) if source.format == "png" else turned


def _wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]}{_GAP}{word}".strip()
        if measure(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
