"""A corpus behind a guardrail: what passes, what waits, what is refused, and what it costs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from rag.aws import forget_clients
from rag.config import Aws
from rag.config import Guardrail as Settings
from rag.errors import ServiceFailed
from rag.ingest.guard import guard
from rag.privacy.gate import Masker
from rag.privacy.guardrail import Guardrail, GuardrailBlocked, guardrail
from rag.records import Element, Failure, MaskedDocument, ParsedDocument
from tests.conftest import Project
from tests.masked import masked
from tests.services.localaws import LocalAws

_numbers = itertools.count(1)
MESSAGES = {"blockedInputMessaging": "Not asked.", "blockedOutputsMessaging": "Not said."}
PII = [
    {"type": "LICENSE_PLATE", "action": "ANONYMIZE"},
    {"type": "NAME", "action": "BLOCK"},
    {"type": "EMAIL", "action": "BLOCK"},
]
WORDS = {"wordsConfig": [{"text": "project heron"}]}
STAFF = ["group:staff"]


@pytest.fixture
def rail(aws: LocalAws) -> Callable[..., str]:
    """Make a guardrail, ready to be changed; return its id."""
    forget_clients()

    def make(**policies: Any) -> str:
        client = aws.client("bedrock")
        policies = policies or {
            "sensitiveInformationPolicyConfig": {"piiEntitiesConfig": PII},
            "wordPolicyConfig": WORDS,
        }
        name = str(
            client.create_guardrail(name=f"corpus-{next(_numbers)}", **MESSAGES, **policies)[
                "guardrailId"
            ]
        )
        while client.get_guardrail(guardrailIdentifier=name)["status"] != "READY":
            time.sleep(0.05)
        return name

    return make


def settings(project: Project, rail: str, more: str = "", deadline: float = 60) -> None:
    project.settings(
        "privacy:\n  actions: {VEHICLE_ID: keep, ID_NUMBER: keep}\n"
        f"  guardrail: {{id: {rail}{more}}}\n"
        f"aws: {{region: us-east-1, deadline_seconds: {deadline}}}\n"
    )


def test_documents_are_indexed_as_the_guardrail_leaves_them(
    aws: LocalAws, rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    settings(project, rail())
    # Names and addresses would be blocked, were they not masked before they are sent.
    project.write(
        "visit.txt",
        "Visit of Margaret Whitfield, margaret.whitfield@example.org. Her license plate is "
        "8ABC123; she parks in row 12 beside the pump room.",
    )
    project.write("heron.txt", "Room 14 is kept for Project Heron until the pump arrives.")
    project.write("plate BD51 SMR.txt", "The filters of the pump were changed in week 12.")
    report = project.sync()

    hits = project.corpus.search("Who parks beside the pump room?", principals=STAFF)
    visit = next(hit for hit in hits if hit.document == "visit.txt")
    assert "license plate is {LICENSE_PLATE}; she parks" in visit.chunk.text
    assert "PERSON_" in visit.chunk.text
    assert project.names() == {"visit.txt", "plate {LICENSE_PLATE}.txt"}
    assert report.masked["guardrail:LICENSE_PLATE"] == 1
    (waiting,) = project.corpus.quarantine()
    assert waiting.code == "blocked_by_guardrail"
    assert "words: 1," in waiting.reason
    assert "heron" not in f"{waiting.name} {waiting.reason} {waiting.action}".lower()
    assert aws.calls("ApplyGuardrail") > 0


def test_while_the_guardrail_is_down_nothing_is_indexed_and_the_next_run_completes(
    aws: LocalAws, rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    settings(project, rail(), deadline=1)
    for number in range(3):
        project.write(f"note {number}.txt", f"The procedure of room {number} needs a pump.")
    with aws.faults({"fault": "status", "status": 503, "operation": "ApplyGuardrail"}):
        report = project.sync()
        assert not project.inventory()
        assert report.documents["quarantined"] == 3
        waiting = project.corpus.quarantine()
        assert {one.code for one in waiting} == {"guardrail_failed"}
        assert not any("note" in one.name for one in waiting)
        [named] = project.corpus.reveal(
            documents=[waiting[0].document_id], principals=["group:privacy"], purpose="mend it"
        )
        assert named.originals[0].startswith("note")
        with pytest.raises(ServiceFailed):
            project.corpus.search("Which room needs a pump?", principals=STAFF)

    settings(project, project_rail(project))
    project.sync()
    assert project.names() == {"note 0.txt", "note 1.txt", "note 2.txt"}
    assert not project.corpus.quarantine()


def project_rail(project: Project) -> str:
    guardrail = project.corpus.loaded.config.privacy.guardrail
    assert guardrail is not None
    return guardrail.id


def test_a_blocked_question_is_refused_with_the_kind_and_no_content(
    rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    settings(project, rail())
    for ask in (project.corpus.ask, project.corpus.search):
        with pytest.raises(GuardrailBlocked) as caught:
            ask("When does Project Heron begin in room 14?", principals=STAFF)  # type: ignore[operator]
        assert caught.value.kinds == ("words",)
        assert str(caught.value).startswith("The guardrail refuses this question: a word list.")
        assert "heron" not in str(caught.value).lower()
    passed = project.corpus.mask("Where is the car with license plate 8ABC123?")
    assert passed.text == "Where is the car with license plate {LICENSE_PLATE}?"


def test_an_answer_that_is_not_grounded_or_holds_what_is_blocked_is_withheld(
    aws: LocalAws, rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    first = rail()
    settings(project, first, ", on: [answers]")
    project.write("parking.txt", "Overtime is approved by the head of department, badge BDG-1234.")
    project.sync()
    question = "Who approves overtime?"

    def answered(**policies: Any) -> Any:
        settings(project, rail(**policies), ", on: [answers]")
        return project.corpus.ask(question, principals=STAFF)

    assert "BDG-1234" in project.corpus.ask(question, principals=STAFF).text

    badge = {"name": "badge", "pattern": r"BDG-\d{4}", "action": "ANONYMIZE"}
    masked = answered(sensitiveInformationPolicyConfig={"regexesConfig": [badge]})
    assert "BDG" not in f"{masked.text} {masked.citations}"
    assert "badge {badge}." in masked.text
    assert masked.citations

    words = {"wordsConfig": [{"text": "head of department"}]}
    withheld = answered(wordPolicyConfig=words)
    assert (withheld.abstained, withheld.citations) == (True, ())
    assert withheld.refusal.reason == "The guardrail withholds the answer: a word list."

    grounding = {"filtersConfig": [{"type": "GROUNDING", "threshold": 0.9}]}
    assert not answered(contextualGroundingPolicyConfig=grounding).abstained


def test_markers_of_citations_are_no_claims_and_stay_where_they_are(
    aws: LocalAws, rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    project.write("overtime.txt", "Overtime is approved by the head of department, badge BDG-4567.")
    badge = {"name": "badge", "pattern": r"BDG-\d{4}", "action": "ANONYMIZE"}
    chosen = rail(
        sensitiveInformationPolicyConfig={"regexesConfig": [badge]},
        contextualGroundingPolicyConfig={
            "filtersConfig": [{"type": "GROUNDING", "threshold": 0.9}]
        },
    )
    project.settings(
        "privacy:\n  actions: {ID_NUMBER: keep}\n"
        f"  guardrail: {{id: {chosen}, on: [answers]}}\n"
        "answer: {model: bedrock/amazon.nova-lite-v1:0}\n"
        "aws: {region: us-east-1}"
    )
    project.sync()
    answer = project.corpus.ask("Who approves overtime?", principals=STAFF)
    assert answer.text == "Overtime is approved by the head of department, badge {badge} [1]."
    assert "BDG" not in answer.citations[0].quote


def test_a_new_version_of_the_guardrail_reads_the_documents_anew(
    aws: LocalAws, rail: Callable[..., str], make_project: Callable[..., Project]
) -> None:
    project = make_project()
    name = rail()
    project.write("plate.txt", "The pump room is opened by badge BDG-1234 in week 12.")
    settings(project, name)
    project.sync()
    aws.forget_calls()
    project.sync()
    assert aws.calls("ApplyGuardrail") == 0

    badge = {"name": "badge", "pattern": r"BDG-\d{4}", "action": "ANONYMIZE"}
    client = aws.client("bedrock")
    client.update_guardrail(
        guardrailIdentifier=name,
        name="changed",
        **MESSAGES,
        sensitiveInformationPolicyConfig={"regexesConfig": [badge]},
    )
    while client.get_guardrail(guardrailIdentifier=name)["status"] != "READY":
        time.sleep(0.05)
    version = client.create_guardrail_version(guardrailIdentifier=name)["version"]
    settings(project, name, f', version: "{version}"')
    project.sync()
    (hit,) = project.corpus.search("Who opens the pump room?", principals=STAFF)
    assert "badge {badge} in week 12" in hit.chunk.text


# A document's parts


@pytest.fixture
def gate(gate_with: Callable[..., Masker]) -> Masker:
    """A gate that leaves cars to the guardrail."""
    return gate_with(actions={"VEHICLE_ID": "keep", "ID_NUMBER": "keep"})


@pytest.fixture
def net(rail: Callable[..., str]) -> Guardrail:
    return guardrail(Settings(id=rail()), Aws(region="us-east-1", deadline_seconds=60))


def masked_document(gate: Masker, document: ParsedDocument) -> MaskedDocument:
    (made,) = gate.mask_documents([document])
    assert isinstance(made, MaskedDocument)
    return made


TABLE = Element(
    "table",
    "",
    section=("Parking",),
    rows=(("owner", "car"), ("Margaret Whitfield", "license plate 8ABC123"), ("Row 12", "none")),
)


def test_every_string_of_a_document_is_read_and_keeps_its_place(
    gate: Masker, net: Guardrail
) -> None:
    inner = ParsedDocument(
        "text/plain", "", (Element("text", "BD51 SMR was towed."),), name="BD51 SMR.txt"
    )
    broken = Failure("parse", "corrupt", "Damaged.", "Restore it.", name="BD51 SMR.pdf")
    document = masked_document(
        gate,
        ParsedDocument(
            "message/rfc822",
            "On BD51 SMR",
            (
                Element("title", "Parking", section=("Parking",)),
                TABLE,
                Element("field", "BD51 SMR", label="Subject", section=("Parking",)),
            ),
            (inner, broken),
        ),
    )
    ((read, name),) = (
        (one.document, one.name) for one in guard(net, [document], [masked("plates/BD51 SMR.eml")])
    )
    assert name == "plates/{LICENSE_PLATE}.eml"
    assert isinstance(read, MaskedDocument)
    assert read.title == "On {LICENSE_PLATE}"
    heading, table, field = read.elements
    assert heading.section == table.section == field.section == ("Parking",)
    assert table.rows[1][1] == "license plate {LICENSE_PLATE}"
    assert table.rows[1][0].startswith("PERSON_")
    assert table.rows[2] == document.elements[1].rows[2]
    assert table.text == "\n".join(" | ".join(row) for row in table.rows)
    assert (field.label, field.text) == ("Subject", "{LICENSE_PLATE}")
    attached, failed = read.attachments
    assert isinstance(attached, MaskedDocument)
    assert attached.elements[0].text == "{LICENSE_PLATE} was towed."
    assert attached.name == "{LICENSE_PLATE}.txt"
    assert isinstance(failed, Failure)
    assert failed.name == "{LICENSE_PLATE}.pdf"
    assert read.masked["guardrail:LICENSE_PLATE"] == 3
    assert attached.masked["guardrail:LICENSE_PLATE"] == 2
    assert read.name_tokens == document.name_tokens


def test_a_batch_of_documents_takes_few_calls_and_one_blocked_does_not_stop_the_others(
    aws: LocalAws, gate: Masker, net: Guardrail
) -> None:
    texts = [f"Room {n} needs a pump. " * 30 for n in range(20)]
    texts[7] += "It is for Project Heron."
    documents = [
        masked_document(gate, ParsedDocument("text/plain", "", (Element("text", text),)))
        for text in texts
    ]
    aws.forget_calls()
    read = guard(net, [*documents, None], [masked("note.txt")] * 21)
    kinds = [one.document.code if isinstance(one.document, Failure) else "" for one in read]
    assert kinds == [""] * 7 + ["blocked_by_guardrail"] + [""] * 13
    assert read[7].name is None
    assert (read[20].document, read[20].name) == (None, "note.txt")
    assert aws.calls("ApplyGuardrail") == 3  # all, then the one that holds it, then the rest
