"""The text of a file is what a reader sees of it."""

from __future__ import annotations

import io
import zipfile

import pytest

from localaws.knowledge.sidecar import Unusable
from localaws.knowledge.text import ending, suffix, text_of


def pdf(text: str) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, text)
    canvas.save()
    return buffer.getvalue()


def docx(*paragraphs: str) -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{one}</w:t></w:r></w:p>" for one in paragraphs)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>',
        )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "form", "text"),
    [
        ("Grüße".encode(), ".txt", "Grüße"),
        ("Grüße".encode("utf-16"), ".md", "Grüße"),
        ("Grüße".encode("cp1252"), ".txt", "Grüße"),
        (b'name,note\n"A, B",first\n\n,\n', ".csv", "name, note\nA, B, first"),
        (
            b"<head><title>x</title></head><p>One &amp; two</p><script>no()</script><p>three</p>",
            ".html",
            "One & two\n\nthree",
        ),
        (docx("First.", "Second."), ".docx", "First.\nSecond."),
        (pdf("A page says this."), ".pdf", "A page says this."),
    ],
)
def test_a_format_is_read(data: bytes, form: str, text: str) -> None:
    assert text_of(data, form).strip() == text


@pytest.mark.parametrize(
    ("data", "form"),
    [(b"x", ".xyz"), (b"x", ""), (b"not a zip", ".docx"), (b"%PDF-", ".pdf"), (b" \n", ".txt")],
)
def test_what_can_not_be_read_is_said_without_a_word_of_it(data: bytes, form: str) -> None:
    with pytest.raises(Unusable) as refused:
        text_of(data, form)
    assert "not a zip" not in str(refused.value)


def test_a_name_or_a_media_type_tells_the_format() -> None:
    assert suffix("s3://bucket/folder.d/File.TXT") == ".txt"
    assert suffix("s3://bucket/folder.d/file") == ""
    assert ending("text/html; charset=utf-8") == ".html"
    assert ending("image/png") == ""
