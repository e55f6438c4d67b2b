"""Word, PowerPoint and Excel files."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from .archive import repack
from .manuscript import Manuscript
from .planted import Say

_WHEN = datetime(2024, 10, 1, 8, 0, 0)


def _properties(target: Any, source: Manuscript, say: Say) -> None:
    target.title = say(source.text("title"), "property")
    target.author = say(source.text("author"), "property")
    target.last_modified_by = say(source.text("editor"), "property")
    target.keywords = say(source.text("keywords"), "property")
    target.comments = say(source.text("description"), "property")
    target.created = target.modified = _WHEN


def blank() -> Any:
    """A new Word document without the nine tenths of its template that nothing here uses."""
    from docx import Document
    from docx.enum.style import WD_STYLE_TYPE

    document = Document()
    for style in list(document.styles):
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in ("Normal Table", "Table Grid"):
            style.delete()
    relations = document.part.rels
    for key in [key for key, rel in relations.items() if "WithEffects" in rel.reltype]:
        del relations[key]
    return document


def docx(source: Manuscript, say: Say) -> bytes:
    """A Word file with properties, header, footer, tables, and a margin comment if asked."""
    from docx.oxml.ns import qn

    document = blank()
    _properties(document.core_properties, source, say)
    section = document.sections[0]
    section.header.paragraphs[0].text = say(source.text("header"), "header")
    section.footer.paragraphs[0].text = say(source.text("footer"), "footer")
    last = None
    for block in source.blocks:
        if block.kind == "heading":
            document.add_heading(say(block.text, "text"), level=block.level)
        elif block.kind == "list":
            for item in block.items:
                document.add_paragraph(say(item, "text"), style="List Bullet")
        elif block.kind == "table":
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = say(text, "table")
        else:
            last = document.add_paragraph(say(block.text, "text"))
    if (comment := source.meta.get("comment")) and last is not None:
        added = document.add_comment(
            last.runs, say(comment["text"], "comment"), author=say(comment["author"], "comment")
        )
        added._comment_elm.set(qn("w:date"), "2024-10-01T08:00:00Z")
    return repack(_saved(document))


def pptx(source: Manuscript, say: Say) -> bytes:
    """Slides: a first-level heading starts one, notes go to the speaker's notes."""
    from pptx import Presentation
    from pptx.util import Inches, Pt

    deck = Presentation()
    _properties(deck.core_properties, source, say)
    slide: Any = None
    bullets: Any = None
    for block in source.blocks:
        if block.kind == "heading" and block.level == 1:
            slide = deck.slides.add_slide(deck.slide_layouts[1])
            slide.shapes.title.text = say(block.text, "text")
            bullets = slide.placeholders[1].text_frame
            footer = slide.shapes.add_textbox(Inches(0.5), Inches(7), Inches(9), Inches(0.4))
            footer.text_frame.text = say(source.text("footer"), "footer")
        elif block.kind == "table":
            frame = slide.shapes.add_table(
                len(block.rows), len(block.rows[0]), Inches(0.5), Inches(4), Inches(9), Inches(2)
            )
            for y, row in enumerate(block.rows):
                for x, text in enumerate(row):
                    frame.table.cell(y, x).text = say(text, "table")
        elif block.kind == "note":
            slide.notes_slide.notes_text_frame.text = say(block.text, "notes")
        else:
            for text in block.items or (block.text,):
                line = bullets.paragraphs[0] if not bullets.text else bullets.add_paragraph()
                line.text = say(text, "text")
                line.font.size = Pt(18)
    return repack(_saved(deck))


def xlsx(source: Manuscript, say: Say) -> bytes:
    """A workbook: a second-level heading starts a sheet; sheets named in `hidden` are hidden."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment

    book = Workbook()
    book.remove(book.active)
    book.properties.creator = say(source.text("author"), "property")
    book.properties.lastModifiedBy = say(source.text("editor"), "property")
    book.properties.title = say(source.text("title"), "property")
    book.properties.created = _WHEN
    hidden = source.meta.get("hidden", [])
    sheet: Any = None
    for block in source.blocks:
        if block.kind == "heading":
            sheet = book.create_sheet(block.text)
            sheet.sheet_state = "hidden" if block.text in hidden else "visible"
            sheet.oddFooter.center.text = say(source.text("footer"), "footer")
            where = "hidden_sheet" if block.text in hidden else "table"
        elif block.kind == "table":
            for row in block.rows:
                sheet.append([_number(say(cell, where)) for cell in row])
        else:
            sheet.append([say(block.text, where)])
    for place, comment in source.meta.get("comments", {}).items():
        name, _, cell = place.partition("!")
        book[name][cell].comment = Comment(
            say(comment["text"], "comment"), say(comment["author"], "comment")
        )
    return repack(_saved(book))


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
