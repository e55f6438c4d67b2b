"""The sample documents: made again they are the same, and they hold what their list says."""

from __future__ import annotations

import email
import email.policy
import html
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from email.message import MIMEPart
from pathlib import Path

import pytest
import yaml

SAMPLES = Path(__file__).parents[2] / "samples"
HANDBOOK = SAMPLES / "handbook"
PLANTED: list[dict[str, str]] = json.loads((SAMPLES / "planted.json").read_text(encoding="utf-8"))
DOCUMENTS = sorted(
    file.relative_to(HANDBOOK).as_posix()
    for file in HANDBOOK.rglob("*")
    if file.is_file() and not file.name.endswith(".acl.yaml")
)
READABLE = [name for name in DOCUMENTS if name != "hostile/truncated-report.docx"]


def test_made_again_the_handbook_is_the_same_to_the_byte(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(SAMPLES / "make_handbook.py"), str(tmp_path)], check=True, timeout=120
    )
    assert (tmp_path / "planted.json").read_bytes() == (SAMPLES / "planted.json").read_bytes()
    made = {f.relative_to(tmp_path / "handbook") for f in (tmp_path / "handbook").rglob("*.*")}
    kept = {f.relative_to(HANDBOOK) for f in HANDBOOK.rglob("*.*")}
    assert made == kept
    differing = [
        name.as_posix()
        for name in sorted(made)
        if (tmp_path / "handbook" / name).read_bytes() != (HANDBOOK / name).read_bytes()
    ]
    assert differing == []


def test_there_are_enough_documents_in_enough_formats() -> None:
    sane = [name for name in DOCUMENTS if not name.startswith("hostile/")]
    formats = Counter(name.rpartition(".")[2] for name in sane)
    assert len(DOCUMENTS) >= 45
    assert len(sane) >= 40
    expected = "txt md html docx pptx xlsx csv eml pdf png epub odt rtf json xml"
    assert set(expected.split()) == set(formats)


def test_the_folder_is_small_but_for_the_long_log() -> None:
    sizes = {name: (HANDBOOK / name).stat().st_size for name in DOCUMENTS}
    assert sizes.pop("hostile/cold-chain-log.txt") >= 30_000_000
    assert sum(sizes.values()) < 3_000_000


@pytest.mark.parametrize("document", sorted({p["document"] for p in PLANTED}))
def test_what_is_planted_in_a_document_can_be_read_there(document: str) -> None:
    planted = [p for p in PLANTED if p["document"] == document]
    assert document in DOCUMENTS
    in_names = [p["text"] for p in planted if p["where"] == "filename"]
    assert [text for text in in_names if text not in document] == []
    if document not in READABLE:
        return
    text = _squeezed(_text(document, (HANDBOOK / document).read_bytes()))
    written = [p["text"] for p in planted if p["where"] not in ("filename", "image")]
    assert [each for each in written if _squeezed(each) not in text] == []


def test_identifiers_are_planted_in_every_kind_and_place() -> None:
    assert {p["entity"] for p in PLANTED} == {
        "PERSON",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "IBAN_CODE",
        "CREDIT_CARD",
        "US_SSN",
        "IP_ADDRESS",
        "STREET_ADDRESS",
        "MEDICAL_RECORD",
        "DATE_OF_BIRTH",
    }
    places = "text table header footer property filename attachment attachment_name image comment"
    assert set(places.split()) | {"hidden_sheet", "notes"} == {p["where"] for p in PLANTED}


def test_account_and_card_numbers_have_valid_check_digits() -> None:
    for planted in PLANTED:
        text = planted["text"].replace(" ", "")
        if planted["entity"] == "IBAN_CODE":
            turned = "".join(str(int(letter, 36)) for letter in text[4:] + text[:4])
            assert int(turned) % 97 == 1, planted
        if planted["entity"] == "CREDIT_CARD":
            digits = [int(digit) for digit in reversed(text)]
            doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
            assert (sum(digits[::2]) + sum(doubled)) % 10 == 0, planted


def test_social_security_numbers_stand_in_one_document_only() -> None:
    holders = {p["document"] for p in PLANTED if p["entity"] == "US_SSN"}
    assert holders == {"hr/us-payroll-onboarding.txt"}
    number = re.compile(r"\b\d{3}-\d{2}-\d{4}\b")
    found = {n for n in READABLE if number.search(_text(n, (HANDBOOK / n).read_bytes()))}
    assert found == holders


def test_sidecars_stand_beside_a_document_and_name_principals() -> None:
    sidecars = sorted(HANDBOOK.rglob("*.acl.yaml"))
    assert sidecars
    for sidecar in sidecars:
        assert Path(str(sidecar).removesuffix(".acl.yaml")).is_file()
        for principal in yaml.safe_load(sidecar.read_text(encoding="utf-8"))["allow"]:
            assert re.fullmatch(r"(user|group):\S+", principal)
    for name in DOCUMENTS:
        private = name.startswith(("hr/", "patients/", "bank/board/"))
        assert (HANDBOOK / f"{name}.acl.yaml").is_file() == private, name


def test_a_question_is_answered_by_words_of_its_document() -> None:
    questions = json.loads((SAMPLES / "questions.json").read_text(encoding="utf-8"))
    for question in questions:
        if question["expects"] and not question["expects"].endswith(".png"):
            data = (HANDBOOK / question["expects"]).read_bytes()
            assert _squeezed(question["phrase"]) in _squeezed(_text(question["expects"], data))
    refused = [q for q in questions if q["expects"] is None]
    assert len(questions) >= 16
    assert len(refused) >= 4
    pairs = Counter(q["pair"] for q in questions if "pair" in q)
    assert len(pairs) == 2
    assert set(pairs.values()) == {2}


def test_every_hostile_kind_is_what_its_name_hides() -> None:
    data = {n.removeprefix("hostile/"): (HANDBOOK / n).read_bytes() for n in DOCUMENTS}
    assert data["empty.txt"] == b""
    assert _text("blank.docx", data["blank.docx"]).strip() == ""
    assert b"/Encrypt" in data["locked-contract.pdf"]
    assert not zipfile.is_zipfile(io.BytesIO(data["truncated-report.docx"]))
    assert data["truncated-report.docx"].startswith(b"PK")
    assert zipfile.is_zipfile(io.BytesIO(data["meeting-notes.txt"]))
    assert data["floor-plan.pdf"].startswith(b"\x89PNG")
    bomb = data["annual-report.docx"]
    unpacked = sum(info.file_size for info in zipfile.ZipFile(io.BytesIO(bomb)).infolist())
    assert len(bomb) < 2_000_000
    assert unpacked > 2**30
    with pytest.raises(UnicodeDecodeError):
        data["mixed-encoding.txt"].decode("utf-8")
    assert data["export-utf16.csv"].startswith(b"\xff\xfe")
    assert len({line.count(b",") for line in data["ragged.csv"].splitlines()}) > 3
    for name in ("visitor-parking.html", "vendor-notes.md"):
        assert b"ignore previous instructions" in data[name].lower()
    assert b"<script>" in data["portal.html"]
    assert data["nested-mail.eml"].count(b"Content-Type: message/rfc822") == 5
    assert data["billion-laughs.xml"].count(b"<!ENTITY") == 10
    assert b'SYSTEM "file:///' in data["external-entity.xml"]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _text(name: str, data: bytes) -> str:
    """What can be read in a file of the handbook, by means other than the product's parsers."""
    if zipfile.is_zipfile(io.BytesIO(data)) and not name.endswith("annual-report.docx"):
        return _zipped(name, data)
    kind = name.rpartition(".")[2]
    if kind == "eml":
        return _mail(email.message_from_bytes(data, policy=email.policy.default))
    if kind == "pdf" and data.startswith(b"%PDF"):
        return _pdf(data)
    if kind == "rtf":
        return re.sub(r"\\u(\d+)\?", lambda match: chr(int(match[1])), data.decode("ascii"))
    if name.endswith("mixed-encoding.txt"):
        lines = enumerate(data.splitlines())
        return "\n".join(line.decode(("cp1252", "utf-8")[n % 2]) for n, line in lines)
    return data.decode("utf-16" if data.startswith(b"\xff\xfe") else "utf-8", "replace")


def _zipped(name: str, data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [n for n in archive.namelist() if n.endswith((".xml", ".xhtml", ".opf"))]
        if name.endswith("blank.docx"):
            parts = ["word/document.xml"]
        texts = [archive.read(part).decode("utf-8") for part in parts]
    # Attributes hold authors of comments; tags go only where nothing but blanks is expected.
    joined = "\n".join(texts)
    return html.unescape(re.sub(r"<[^>]*>", "", joined) if name.endswith("blank.docx") else joined)


def _mail(message: MIMEPart) -> str:
    parts = [f"{key}: {value}" for key, value in message.items()]
    for part in message.iter_parts() if message.is_multipart() else []:
        if part.get_content_type() == "message/rfc822":
            parts.append(_mail(part.get_content()))
        elif file := part.get_filename():
            parts += [file, _text(file, part.get_content() if _binary(part) else _plain(part))]
        else:
            parts.append(part.get_content())
    return "\n".join([*parts, "" if message.is_multipart() else message.get_content()])


def _binary(part: MIMEPart) -> bool:
    return part.get_content_maintype() != "text"


def _plain(part: MIMEPart) -> bytes:
    return str(part.get_content()).encode()


def _pdf(data: bytes) -> str:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data), password="heron-lane" if b"/Encrypt" in data else None)
    properties = [str(value) for value in (reader.metadata or {}).values()]
    return "\n".join([*properties, *(page.extract_text() for page in reader.pages)])
