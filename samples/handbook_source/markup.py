"""Formats that are written by hand: HTML, EPUB, OpenDocument text and RTF."""

from __future__ import annotations

from html import escape

from .archive import pack
from .manuscript import Block, Manuscript
from .planted import Say


def html(source: Manuscript, say: Say) -> bytes:
    """An HTML page with header, footer and an author in its head."""
    author = say(source.text("author"), "property")
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(say(source.text("title"), "property"))}</title>
<meta name="author" content="{escape(author)}">
</head>
<body>
<header>{escape(say(source.text("header"), "header"))}</header>
<main>
{_body(source.blocks, say)}
</main>
<footer>{escape(say(source.text("footer"), "footer"))}</footer>
</body>
</html>
"""
    return page.encode()


def _body(blocks: tuple[Block, ...], say: Say) -> str:
    parts = []
    for block in blocks:
        if block.kind == "heading":
            parts.append(f"<h{block.level}>{escape(say(block.text, 'text'))}</h{block.level}>")
        elif block.kind == "list":
            items = "".join(f"<li>{escape(say(item, 'text'))}</li>\n" for item in block.items)
            parts.append(f"<ul>\n{items}</ul>")
        elif block.kind == "table":
            rows: list[str] = []
            for row in block.rows:
                tag = "td" if rows else "th"
                cells = "".join(f"<{tag}>{escape(say(c, 'table'))}</{tag}>" for c in row)
                rows.append(f"<tr>{cells}</tr>")
            parts.append("<table>\n" + "\n".join(rows) + "\n</table>")
        else:
            parts.append(f"<p>{escape(say(block.text, 'text'))}</p>")
    return "\n".join(parts)


def epub(source: Manuscript, say: Say) -> bytes:
    """An EPUB 3 book; each first-level heading is a chapter."""
    title = escape(say(source.text("title"), "property"))
    author = escape(say(source.text("author"), "property"))
    chapters: list[list[Block]] = []
    for block in source.blocks:
        if block.kind == "heading" and block.level == 1:
            chapters.append([])
        chapters[-1].append(block)
    names = [f"chapter-{n}.xhtml" for n in range(1, len(chapters) + 1)]
    heads = [escape(say(chapter[0].text, "text")) for chapter in chapters]
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    xhtml = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>\n'
        for n, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(names)))
    links = "".join(
        f'<li><a href="{name}">{text}</a></li>\n' for name, text in zip(names, heads, strict=True)
    )
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": head
        + '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OEBPS/content.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>',
        "OEBPS/content.opf": head
        + '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">urn:sample:{source.path}</dc:identifier>\n'
        f"<dc:title>{title}</dc:title>\n<dc:creator>{author}</dc:creator>\n"
        "<dc:language>en</dc:language>\n"
        '<meta property="dcterms:modified">2024-10-01T08:00:00Z</meta>\n</metadata>\n'
        '<manifest>\n<item id="nav" href="nav.xhtml" properties="nav" '
        f'media-type="application/xhtml+xml"/>\n{items}</manifest>\n'
        f"<spine>{spine}</spine>\n</package>\n",
        "OEBPS/nav.xhtml": f"{head}{xhtml}<head><title>{title}</title></head><body>"
        f'<nav epub:type="toc"><ol>\n{links}</ol></nav></body></html>',
    }
    for name, text, chapter in zip(names, heads, chapters, strict=True):
        members[f"OEBPS/{name}"] = (
            f"{head}{xhtml}<head><title>{text}</title></head><body>\n"
            f"{_body(tuple(chapter), say)}\n</body></html>"
        )
    return pack({name: text.encode() for name, text in members.items()})


_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.2"'
)


def odt(source: Manuscript, say: Say) -> bytes:
    """An OpenDocument text with properties, header, footer and tables."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    parts = "\n".join(_odf(block, say) for block in source.blocks)
    title = escape(say(source.text("title"), "property"))
    author = escape(say(source.text("author"), "property"))
    editor = escape(say(source.text("editor"), "property"))
    header = escape(say(source.text("header"), "header"))
    footer = escape(say(source.text("footer"), "footer"))
    media = "application/vnd.oasis.opendocument.text"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in {
            "/": media,
            "content.xml": "text/xml",
            "styles.xml": "text/xml",
            "meta.xml": "text/xml",
        }.items()
    )
    members = {
        "mimetype": media,
        "content.xml": f"{head}<office:document-content {_ODF}><office:body><office:text>\n"
        f"{parts}\n</office:text></office:body></office:document-content>",
        "styles.xml": f"{head}<office:document-styles {_ODF}>"
        '<office:automatic-styles><style:page-layout style:name="p1"/></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Standard" '
        f'style:page-layout-name="p1"><style:header><text:p>{header}</text:p></style:header>'
        f"<style:footer><text:p>{footer}</text:p></style:footer></style:master-page>"
        "</office:master-styles></office:document-styles>",
        "meta.xml": f"{head}<office:document-meta {_ODF}><office:meta><dc:title>{title}</dc:title>"
        f"<meta:initial-creator>{author}</meta:initial-creator><dc:creator>{editor}</dc:creator>"
        "<dc:date>2024-10-01T08:00:00</dc:date></office:meta></office:document-meta>",
        "META-INF/manifest.xml": f'{head}<manifest:manifest manifest:version="1.2" '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f"{entries}</manifest:manifest>",
    }
    return pack({name: text.encode() for name, text in members.items()})


def _odf(block: Block, say: Say) -> str:
    if block.kind == "heading":
        text = escape(say(block.text, "text"))
        return f'<text:h text:outline-level="{block.level}">{text}</text:h>'
    if block.kind == "list":
        items = (f"<text:p>{escape(say(item, 'text'))}</text:p>" for item in block.items)
        inner = "".join(f"<text:list-item>{item}</text:list-item>" for item in items)
        return f"<text:list>{inner}</text:list>"
    if block.kind == "table":
        rows = ""
        for row in block.rows:
            cells = "".join(
                '<table:table-cell office:value-type="string">'
                f"<text:p>{escape(say(cell, 'table'))}</text:p></table:table-cell>"
                for cell in row
            )
            rows += f"<table:table-row>{cells}</table:table-row>"
        columns = f'<table:table-column table:number-columns-repeated="{len(block.rows[0])}"/>'
        return f'<table:table table:name="Table">{columns}{rows}</table:table>'
    return f"<text:p>{escape(say(block.text, 'text'))}</text:p>"


def rtf(source: Manuscript, say: Say) -> bytes:
    """An RTF file with properties, header, footer and tables; letters beyond ASCII as \\u."""
    title = _rtf(say(source.text("title"), "property"))
    author = _rtf(say(source.text("author"), "property"))
    header = _rtf(say(source.text("header"), "header"))
    footer = _rtf(say(source.text("footer"), "footer"))
    parts = [
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}",
        rf"{{\info{{\title {title}}}{{\author {author}}}}}",
        rf"{{\header\pard {header}\par}}",
        rf"{{\footer\pard {footer}\par}}",
    ]
    for block in source.blocks:
        if block.kind == "heading":
            size = {1: 36, 2: 28}.get(block.level, 24)
            parts.append(
                rf"{{\pard\outlinelevel{block.level - 1}\b\fs{size} "
                rf"{_rtf(say(block.text, 'text'))}\par}}"
            )
        elif block.kind == "list":
            parts += [rf"{{\pard \bullet  {_rtf(say(i, 'text'))}\par}}" for i in block.items]
        elif block.kind == "table":
            for row in block.rows:
                edges = "".join(rf"\cellx{2400 * (n + 1)}" for n in range(len(row)))
                cells = "".join(rf"\intbl {_rtf(say(cell, 'table'))}\cell" for cell in row)
                parts.append(rf"{{\trowd{edges}{cells}\row}}")
        else:
            parts.append(rf"{{\pard {_rtf(say(block.text, 'text'))}\par}}")
    return ("\n".join(parts) + "\n}\n").encode("ascii")


def _rtf(text: str) -> str:
    for sign in "\\{}":
        text = text.replace(sign, "\\" + sign)
    return "".join(c if ord(c) < 128 else rf"\u{ord(c)}?" for c in text)
