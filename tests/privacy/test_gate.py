"""The gate as documents pass through it: every field, fail closed, policies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from rag.config import Privacy
from rag.ingest.failures import failure
from rag.privacy import Blocked
from rag.privacy.gate import Masker
from rag.privacy.pseudonym import Pseudonyms, identity
from rag.records import Element, Failure, MaskedDocument, MaskedText, ParsedDocument
from tests.privacy.conftest import KEY

NAME = "Wilhelmina Vanterpool"
SECRETS = (
    "wilhelmina",
    "vanterpool",
    "900-41",
    "555-0173",
    "4111 1111",
    "11/05/1962",
    "0071882",
    "14 Larkspur",
)


def letter() -> ParsedDocument:
    table = (
        ("Patient", "Born", "Phone", "Card", "Notes"),
        (NAME, "11/05/1962", "555-0173", "4111 1111 1111 1111", "stable"),
    )
    attachment = ParsedDocument(
        "text/plain",
        "About Wilhelmina",
        (Element("text", "VANTERPOOL was seen, and wilhelmina.vanterpool replied."),),
        name="wvanterpool_scan.txt",
    )
    return ParsedDocument(
        media_type="message/rfc822",
        title=f"Referral of {NAME}",
        elements=(
            Element("field", f"{NAME} <w.vanterpool@post.example>", label="From"),
            Element("field", "Vanterpool, Wilhelmina", label="last modified by"),
            Element("title", "VANTERPOOL: HISTORY"),
            Element(
                "text",
                "SSN 900-41-2231, MRN: 0071882, home: 14 Larkspur Avenue. Mrs Vanterpool called.",
                page=2,
                section=("Patients", f"Case of {NAME}"),
            ),
            Element("table", "ignored | raw", rows=table, section=("Patients",)),
            Element("header", "W. Vanterpool - confidential"),
            Element("list", "see wilhelmina_vanterpool.docx"),
        ),
        attachments=(attachment, replace(failure("corrupt"), name="Vanterpool Wilhelmina.pdf")),
    )


def everything(document: MaskedDocument | Failure) -> str:
    return repr(document)


def test_no_field_of_a_document_passes_unmasked(gate: Masker) -> None:
    (masked,) = gate.mask_documents([letter()])
    assert isinstance(masked, MaskedDocument)
    text = everything(masked).lower()
    for secret in SECRETS:
        assert secret.lower() not in text


def test_what_is_not_personal_stays(gate: Masker) -> None:
    (masked,) = gate.mask_documents([letter()])
    assert isinstance(masked, MaskedDocument)
    assert masked.media_type == "message/rfc822"
    assert masked.title.startswith("Referral of PERSON_")
    assert [element.kind for element in masked.elements] == [e.kind for e in letter().elements]
    assert masked.elements[3].page == 2
    assert masked.elements[3].section[0] == "Patients"
    assert masked.elements[0].label == "From"


def test_a_table_reads_as_its_masked_cells(gate: Masker) -> None:
    (masked,) = gate.mask_documents([letter()])
    assert isinstance(masked, MaskedDocument)
    table = masked.elements[4]
    assert table.rows[0] == ("Patient", "Born", "Phone", "Card", "Notes")
    assert table.rows[1][0].startswith("PERSON_")
    assert table.rows[1][1:] == ("<DATE_OF_BIRTH>", "<PHONE_NUMBER>", "<CREDIT_CARD>", "stable")
    assert table.text == "\n".join(" | ".join(row) for row in table.rows)


def test_counts_and_name_tokens_say_what_was_masked(gate: Masker) -> None:
    from rag.keys import Sealer
    from tests.privacy.conftest import KEY

    (masked,) = gate.mask_documents([letter()])
    assert isinstance(masked, MaskedDocument)
    assert masked.masked["PERSON"] >= 7
    assert masked.masked["CREDIT_CARD"] == 1
    assert Sealer(KEY).tag("vanterpool") in masked.name_tokens
    assert Sealer(KEY).tag("patients") not in masked.name_tokens


def test_a_document_says_what_shorter_names_are_masked_as(
    gate: Masker, gate_with: Callable[..., Masker]
) -> None:
    text = "Dr. Adaeze Okafor signed the letter. Okafor left early; Dr. Lindqvist stayed."
    document = ParsedDocument("text/plain", "Notes", (Element(kind="paragraph", text=text),))
    (masked,) = gate.mask_documents([document])
    assert isinstance(masked, MaskedDocument)
    made = Pseudonyms(KEY)
    whole = made.person(identity("Adaeze Okafor"))
    assert set(masked.aliases) == {
        (made.person(identity(one)), whole) for one in ("Adaeze", "Okafor")
    }
    (masked,) = gate_with(actions={"PERSON": "redact"}).mask_documents([document])
    assert isinstance(masked, MaskedDocument)
    assert not masked.aliases


@pytest.mark.parametrize(
    "name",
    [
        "w/wvanterpool.txt",
        "w/Vanterpool.txt",
        "w/vanterpoolwilhelmina.pdf",
        "VANTERPOOL-2020.doc",
        "scan vanterpool 3.png",
    ],
)
def test_a_file_named_after_a_person_of_its_text_is_masked(gate: Masker, name: str) -> None:
    (masked,) = gate.mask_documents([letter()])
    assert isinstance(masked, MaskedDocument)
    assert "vanterpool" not in gate.mask_name(name, masked.name_tokens).lower()


def test_a_plain_file_name_stays(gate: Masker) -> None:
    for name in (
        "it/backup-policy_v2.1.md",
        "Travel Expenses 2023.xlsx",
        "s3://docs/ward-7/rota.csv",
    ):
        assert gate.mask_name(name) == name


def test_identifiers_in_a_file_name_are_masked(gate: Masker) -> None:
    masked = gate.mask_name("claims/219-09-9999_anna.k@post.example.pdf")
    assert "219-09" not in masked
    assert "anna" not in masked


def test_a_blocked_kind_stops_document_and_question(gate_with) -> None:  # type: ignore[no-untyped-def]
    gate = gate_with(actions={"US_SSN": "block"})
    (stopped,) = gate.mask_documents([letter()])
    assert isinstance(stopped, Failure)
    assert stopped.code == "blocked_by_policy"
    assert "900" not in repr(stopped)
    with pytest.raises(Blocked) as caught:
        gate.mask_text("Is 219-09-9999 hers?")
    assert caught.value.entities == ("US_SSN",)
    assert "219" not in str(caught.value)
    results = gate.mask_texts(["Is 219-09-9999 hers?", "Yes."])
    assert isinstance(results[0], Blocked)
    assert isinstance(results[1], MaskedText)


def test_actions_do_what_they_say(gate_with) -> None:  # type: ignore[no-untyped-def]
    gate = gate_with(
        actions={
            "CREDIT_CARD": "partial",
            "PERSON": "partial",
            "IP_ADDRESS": "keep",
            "PHONE_NUMBER": "pseudonym",
        }
    )
    text = gate.mask_text(
        "Ottoline Brackenbury paid with 4111 1111 1111 1111 from 10.0.0.9, +49 151 23456789."
    ).text
    assert "<CREDIT_CARD ****1111>" in text
    assert "<PERSON>" in text
    assert "10.0.0.9" in text
    assert "PHONE_NUMBER_" in text
    assert gate.mask_text(text).text == text


def test_a_failing_detector_lets_nothing_through(
    gate_with, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    from rag.privacy import DetectorFailed

    gate = gate_with(threshold=0.41)
    recognizer = next(r for r in gate._detector.recognizers if r.name == "Names")
    hurt = letter()
    healthy = ParsedDocument("text/plain", "Fine", (Element("text", "All is well."),))

    def fail(text: str, *_: object) -> list[object]:
        if "Vanterpool" in text:
            raise RuntimeError(f"cannot read {text}")
        return []

    monkeypatch.setattr(recognizer, "analyze", fail)
    stopped, passed = gate.mask_documents([hurt, healthy])
    assert isinstance(stopped, Failure)
    assert stopped.code == "detector_failed"
    assert "anterpool" not in repr(stopped)
    assert isinstance(passed, MaskedDocument)
    with pytest.raises(DetectorFailed) as caught:
        gate.mask_text("Is Vanterpool in?")
    assert "anterpool" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_fingerprint_follows_policy_and_key() -> None:
    from rag.privacy.gate import _fingerprint
    from rag.privacy.policy import resolve

    plain = resolve(Privacy())
    prints = {
        _fingerprint([plain], b"1" * 32),
        _fingerprint([plain], b"2" * 32),
        _fingerprint([resolve(Privacy(threshold=0.5))], b"1" * 32),
        _fingerprint([resolve(Privacy(actions={"US_SSN": "block"}))], b"1" * 32),
        _fingerprint([resolve(Privacy(allow=("Acme",)))], b"1" * 32),
    }
    assert len(prints) == 5
    assert _fingerprint([plain], b"1" * 32) in prints


_OFFLINE = """
import socket
def refuse(*args, **kwargs):
    raise SystemExit("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse
from rag.config import Privacy
from rag.privacy.gate import Masker
from rag.privacy.policy import resolve
gate = Masker(resolve(Privacy()), b"1" * 32)
print(gate.mask_text("Mail ottoline@brackenbury.co.uk or see https://brackenbury.co.uk now.").text)
"""


def test_masking_opens_no_connection_and_writes_no_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import os
    from pathlib import Path

    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-B", "-c", _OFFLINE],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "EMAIL_" in done.stdout
    assert list(tmp_path.rglob("*")) == []


def test_importing_the_room_is_light() -> None:
    code = (
        "import sys, rag.privacy; print(sorted({'spacy', 'presidio_analyzer', 'numpy'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
