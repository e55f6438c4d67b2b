"""Bad documents become failures with a reason, and cost nobody else anything."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.config import Limits, Parse
from rag.ingest.failures import CODES, failure, named, restore
from rag.ingest.killable import scratch
from rag.ingest.parse import Parser, parse_bytes
from rag.ingest.parsing import wire
from rag.records import Element, Failure, ParsedDocument
from tests.ingest import documents

SLOW = b"[" + b"[1]," * 900_000 + b"[1]]"  # some seconds of work for the parser
SECRET = "Maria Keller 123-45-6789"


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(Parse(limits=Limits(seconds=20, characters=200_000, unpacked_bytes=2**26))) as it:
        yield it


def code(parser: Parser, data: bytes, name: str) -> str:
    found = parser.submit(data, name).result()
    assert isinstance(found, Failure), found
    assert found.step == "parse"
    return found.code


def test_hostile_documents_get_their_reasons(parser: Parser) -> None:
    bomb = documents.packed(
        {"[Content_Types].xml": "<Types/>", "word/document.xml": bytes(60 * 2**20)}
    )
    word = documents.docx()
    for data, name, expected in (
        (b"", "a.txt", "empty"),
        (b" \n\n\t ", "a.txt", "empty"),
        ("\ufeff".encode(), "a.txt", "empty"),
        (documents.pdf(1, password="x"), "a.pdf", "encrypted"),
        (word[: len(word) // 2], "a.docx", "corrupt"),
        (documents.pdf(1)[:200], "a.pdf", "corrupt"),
        (documents.picture()[:100], "a.png", "corrupt"),
        (bomb, "a.docx", "archive_bomb"),
        (b"text " * 60_000, "a.txt", "too_much_text"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(32)) * 20, "a.txt", "unsupported"),
        (documents.packed({"a.txt": "text"}), "a.zip", "unsupported"),
        (b"<html><body></body></html>", "a.html", "no_text"),
        (b"<a><b></a>", "a.xml", "corrupt"),
        (b"[" * 100_000, "a.json", "too_deep"),
    ):
        assert code(parser, data, name) == expected, name


def test_entities_in_xml_are_not_expanded(parser: Parser) -> None:
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>'
    )
    outside = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
    for data in (bomb, outside):
        assert code(parser, data, "a.xml") == "unsafe_xml"
    source = zipfile.ZipFile(io.BytesIO(documents.docx()))
    members = {name: source.read(name) for name in source.namelist()}
    members["word/document.xml"] = bomb
    assert code(parser, documents.packed(members), "a.docx") == "unsafe_xml"


def test_a_file_over_the_limit_is_not_parsed() -> None:
    found = parse_bytes(bytes(2000), "a.txt", Parse(limits=Limits(bytes=1000)))
    assert found == failure("too_large", limit=1000)


def test_a_slow_document_times_out_and_the_next_is_parsed() -> None:
    with Parser(Parse(limits=Limits(seconds=0.5))) as parser:
        first, second = parser.submit(SLOW, "a.json"), parser.submit(b"A text is here.", "a.txt")
        assert first.result() == failure("timeout", limit=0.5)
        assert isinstance(second.result(), ParsedDocument)


def test_a_document_that_eats_memory_fails_alone() -> None:
    # 9,000 x 9,000 pixels pack to 240 kB and unpack to 240 MB.
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (9000, 9000)).save(buffer, "PNG")
    with Parser(Parse(limits=Limits(memory_mb=256))) as parser:
        first = parser.submit(buffer.getvalue(), "a.png")
        second = parser.submit(b"A text is here.", "a.txt")
        assert first.result() == failure("out_of_memory", limit=256)
        assert isinstance(second.result(), ParsedDocument)


def test_killing_the_parser_in_the_middle_of_a_run_loses_nothing() -> None:
    data = [f"Text number {number} is here.".encode() for number in range(4000)]
    with Parser(Parse(), workers=2) as parser:
        pending = [parser.submit(each, "a.txt") for each in data]
        over = threading.Event()
        killed: list[int] = []

        def kill() -> None:
            """Whenever so many more are read: none is the victim twice, which would be its end."""
            for read in range(100, len(data), 400):
                while not pending[read].done():
                    if over.wait(0.01):
                        return
                for pid in parser.pids[:1]:
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = [each.result() for each in pending]
        over.set()
        thread.join()
    assert killed
    texts = [each.elements[0].text for each in found if isinstance(each, ParsedDocument)]
    assert texts == [each.decode() for each in data]


def test_a_document_that_kills_its_parser_twice_fails() -> None:
    with Parser(Parse(limits=Limits(seconds=30))) as parser:
        parser.submit(b'{"its": "reader is loaded"}', "a.json").result()
        pending = parser.submit(SLOW, "a.json")
        killed: set[int] = set()
        while not pending.done():
            for pid in set(parser.pids) - killed:
                time.sleep(0.05)
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            time.sleep(0.01)
        assert pending.result() == failure("parser_died")
        assert len(killed) == 2


def test_nothing_of_a_document_is_left_in_temporary_folders() -> None:
    before = _folders()
    with Parser(Parse(limits=Limits(seconds=20))) as parser:
        parser.submit(documents.RTF, "a.rtf").result()  # goes through pandoc and its files
        parser.submit(documents.mail(("a.docx", documents.docx())), "a.eml").result()
        assert _folders() - before
        for folder in _folders():
            assert not list(folder.iterdir())
    assert _folders() <= before


def _folders() -> set[Path]:
    return set(Path(scratch()).glob(f"sluice-parse-{os.getpid()}-*"))


def test_a_failure_never_quotes_the_document(parser: Parser) -> None:
    secret = SECRET.encode()
    for data, name in (
        (b"<a>" + secret, "a.xml"),
        (b"%PDF-1.7 " + secret, "a.pdf"),
        (b"PK\x03\x04" + secret, f"{SECRET}.docx"),
        (b"{\\rtf1 {{{{" + secret + b"\\bin99999999", "a.rtf"),
        (b"\x89PNG\r\n\x1a\n" + secret, "a.png"),
        (documents.packed({"word/document.xml": secret}), "a.docx"),
        (documents.packed({"xl/workbook.xml": secret}), "a.xlsx"),
        (documents.packed({"ppt/presentation.xml": secret}), "a.pptx"),
    ):
        found = parser.submit(data, name).result()
        if isinstance(found, Failure):
            assert "Maria" not in repr(found)


def test_a_failure_from_an_untrusted_process_has_its_own_sentences_only() -> None:
    for each, sentences in CODES.items():
        numbers = dict.fromkeys(re.findall(r"\{(\w+)", " ".join(sentences)), 1234567)
        made = failure(each, **numbers)
        assert restore(made.code, made.reason, made.action) == named(made, "")
    forged = replace(failure("timeout", limit=3), reason=f"Parsing took longer than {SECRET}.")
    with pytest.raises(wire.Malformed):
        wire.unpack(wire.pack(forged))


_text = st.text(max_size=30)


@given(_text, _text, st.lists(st.tuples(_text, st.none() | st.integers(1, 9), _text), max_size=4))
def test_results_cross_the_process_border_unchanged(
    title: str, name: str, elements: list[tuple[str, int | None, str]]
) -> None:
    made = ParsedDocument(
        "text/plain",
        title,
        tuple(
            Element("table", text, page, (text, label), ((text, label), (label, text)), label)
            for text, page, label in elements
        ),
        (named(failure("no_text"), name), ParsedDocument("text/csv", "", ())),
        name,
    )
    assert wire.unpack(wire.pack(made)) == made


_STARTS = [b"", b"%PDF-1.4\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf1 ",
           b"\xff\xfe", b"<html>", b"<?xml version='1.0'?>", b"From: a\nTo: b\n", b"GIF89a", b"BM",
           b"\x89PNG\r\n\x1a\n", b"II*\x00", b"[", b"{", b"---\n"]  # fmt: skip
_EXTENSIONS = ["txt", "md", "html", "docx", "pptx", "xlsx", "csv", "tsv", "eml", "msg", "pdf",
               "epub", "odt", "rtf", "json", "jsonl", "xml", "png", "jpg", "tiff", ""]  # fmt: skip


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.sampled_from(_STARTS), st.binary(max_size=400) | st.text(max_size=400).map(
    lambda text: text.encode("utf-8", "surrogatepass")), st.sampled_from(_EXTENSIONS))  # fmt: skip
@example(b"", b"\xff\xfe\x00\xd8", "txt")
@example(b"", b'a,"b\r\n\x00', "csv")
@example(b"", b"Content-Type: multipart/digest; boundary=a\n\n--a\n\nx\n--a--", "eml")
def test_random_bytes_under_any_extension_end_well(
    parser: Parser, start: bytes, rest: bytes, extension: str
) -> None:
    found = parser.submit(start + rest, f"a.{extension}").result(timeout=60)
    if isinstance(found, Failure):
        assert found.code not in ("parser_died", "timeout", "out_of_memory")
    else:
        for each in found.elements:
            each.text.encode()


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.data())
def test_damaged_documents_end_well(parser: Parser, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(_WHOLE))
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(max_size=8))
    keep = data.draw(st.booleans())
    broken = whole[:at] + damage + (whole[at + len(damage) :] if keep else b"")
    found = parser.submit(broken, "a").result(timeout=60)
    if isinstance(found, Failure):
        assert found.code not in ("parser_died", "timeout", "out_of_memory")


_WHOLE = [documents.docx(), documents.xlsx(), documents.pptx(), documents.pdf(1), documents.odt(),
          documents.epub(), documents.mail(("a.docx", documents.docx()))]  # fmt: skip
