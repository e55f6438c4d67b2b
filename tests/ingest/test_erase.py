"""A person is erased: nothing left anywhere, others untouched, and it can be shown."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import lancedb
import pytest

from rag.certificate import check
from rag.cli import run
from rag.errors import SluiceError
from rag.ingest.leftovers import pattern, scan
from rag.ledger import audit, documents, quarantine
from rag.ledger.vault import sources
from rag.masked import Masked
from rag.privacy.erased import stands_for
from tests.conftest import Project
from tests.killed import killed_at
from tests.leaks.needles import Sought
from tests.leaks.scan import Scanner
from tests.services.knowledge import knowledge, knowledge_server, make_base
from tests.services.localaws import LocalAws
from tests.services.opensearch import OpenSearch, opensearch, opensearch_url
from tests.services.s3 import s3_endpoint

__all__ = ["knowledge", "knowledge_server", "opensearch", "opensearch_url", "s3_endpoint"]

STAFF = ("group:staff",)
NAME, EMAIL = "Dr. Odile Varnhagen", "odile.varnhagen@example.org"
SPELT = ("VARNHAGEN, Odile", "odile varnhagen")
MAIL = """\
From: Tomasz Wrona <tomasz.wrona@example.org>
To: Odile Varnhagen <odile.varnhagen@example.org>
Subject: Claim of Odile Varnhagen
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

The pump in the cellar of Dr. Varnhagen is repaired.
--x
Content-Type: text/plain; name="varnhagen-odile.txt"
Content-Disposition: attachment; filename="varnhagen-odile.txt"

The report on Odile Varnhagen says that the claim is settled.
--x--
"""


def filled(project: Project) -> Project:
    project.write("letter.txt", f"The claim of {NAME} was received. Write to: {EMAIL}")
    project.write("table.csv", "Name,Room\nVARNHAGEN Odile,12\nTomasz Wrona,13\n")
    project.write("mail.eml", MAIL)
    project.write("varnhagen-odile.txt", "The claim of Odile Varnhagen for the pump is settled.")
    project.write("wrona.txt", "Tomasz Wrona repaired the pump; Ilse Brandt paid the claim.")
    project.write("rules.txt", "A claim is settled within two weeks.")
    project.sync()
    return project


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return filled(make_project())


def pseudonym(project: Project, text: str = NAME, entity: str = "PERSON") -> Masked:
    return stands_for(project.corpus._context.key, entity, text)


def left(project: Project) -> list[str]:
    """Where the person's pseudonyms are, in whatever form, in all that was written."""
    of = [pseudonym(project), pseudonym(project, EMAIL, "EMAIL_ADDRESS")]
    # A code by itself, too: it is the same in an index of words.
    sought = [*(Sought(one) for one in of), *(Sought(one.partition("_")[2]) for one in of)]
    return [str(one) for one in Scanner(sought).scan([project.home])]


def others(project: Project) -> dict[str, Any]:
    """All that is kept of the documents that do not name the person."""
    context = project.corpus._context
    with context.ledger.read() as db:
        entries = {one.document_id: one for one in documents.entries(db, "notes")}
        kept = sources.held(db, "notes")
        wrona = context.vault.originals(db, pseudonym(project, "Tomasz Wrona"))
    stay = {
        one for one, key in kept.items() if context.unseal(key)[0] in ("wrona.txt", "rules.txt")
    }
    table = lancedb.connect(project.home / "corpora/notes").open_table("chunks_384")
    store = project.home / "corpora/notes/store/masked"
    return {
        "entries": [entries[one] for one in sorted(stay)],
        "sources": [kept[one] for one in sorted(stay)],
        "rows": sorted(
            (row for row in table.to_arrow().to_pylist() if row["document_id"] in stay),
            key=lambda row: row["id"],
        ),
        "artifacts": {
            path.name: path.read_bytes()
            for path in store.iterdir()
            if path.name.partition("-")[0] in {entries[one].content_id for one in stay}
        },
        "vault": wrona,
    }


def texts(project: Project, question: str = "the claim for the pump in the cellar") -> str:
    hits = project.corpus.search(question, principals=STAFF, k=50)
    return "\n".join(f"{hit.document}: {hit.chunk.embedded_text}" for hit in hits)


def test_nothing_is_left_of_an_erased_person_and_others_are_untouched(project: Project) -> None:
    who = pseudonym(project)
    assert who in texts(project)
    # Proof that it would be found.
    assert len({place.rpartition(" in ")[2].split(":")[0] for place in left(project)}) > 5
    before = others(project)
    assert len(before["entries"]) == len(before["artifacts"]) == 2
    assert before["rows"]

    erased = project.corpus.erase([*SPELT], emails=[EMAIL])

    assert left(project) == []
    assert others(project) == before
    assert len(erased.named.about) == 4
    shown = texts(project)
    assert "<PERSON>" in shown
    assert who not in shown
    assert "is repaired" in shown  # the documents are still there
    context = project.corpus._context
    with context.ledger.read() as db:
        assert context.vault.originals(db, who) == []
        known = {context.unseal(one)[0] for one in sources.held(db, "notes").values()}
    assert known == {"letter.txt", "table.csv", "mail.eml", "wrona.txt", "rules.txt"}


def test_an_erased_person_stays_erased(project: Project) -> None:
    project.corpus.erase([NAME], emails=[EMAIL])
    project.write("new.txt", f"A second claim of {NAME} waits. Write to: {EMAIL}")
    (project.source / "letter.txt").rename(project.source / "odile_varnhagen_letter.txt")
    project.sync()
    assert left(project) == []
    project.sync(full_refresh=True)
    assert left(project) == []
    shown = texts(project)
    assert "A second claim of Dr. <PERSON> waits. Write to: <EMAIL_ADDRESS>" in shown
    assert "<PERSON>_letter.txt" in shown
    assert project.corpus.mask("Where is the claim of Odile Varnhagen?").text == (
        "Where is the claim of <PERSON>?"
    )
    assert not any(project.sync().repaired.values())


def test_documents_about_a_person_are_removed_and_kept_out(project: Project) -> None:
    before = others(project)
    erased = project.corpus.erase([NAME], documents="remove")
    assert left(project) == [
        place for place in left(project) if pseudonym(project, EMAIL, "EMAIL_ADDRESS")[6:] in place
    ]
    assert len(project.inventory()) == 2
    assert erased.certificate is not None
    assert {one["after"] for one in erased.certificate["documents"]} == {None}
    for _ in range(2):
        report = project.sync()
        assert (report.documents["new"], report.documents["deleted"]) == (0, 0)
    assert others(project) == before
    kept_out = project.corpus.status().kept_out
    assert (kept_out.documents, kept_out.listed) == (4, 4)
    project.remove("letter.txt")
    project.sync()
    assert project.corpus.status().kept_out.listed == 3


def test_namesakes_are_told_apart_by_their_dates_of_birth(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    project.write("one.txt", "Odile Varnhagen, date of birth 2 January 1970, waits for the pump.")
    project.write("two.txt", "Odile Varnhagen, date of birth 1991-05-30, owns the cellar.")
    project.write("three.txt", "Odile Varnhagen settled the claim.")
    project.sync()
    asked = {"born": "1970-01-02"}
    planned = project.corpus.erase([NAME], **asked, dry_run=True).named
    assert [len(planned.about), len(planned.namesakes), len(planned.undecided)] == [1, 1, 1]
    project.corpus.erase([NAME], **asked)
    who = pseudonym(project)

    def named() -> set[str]:
        shown = texts(project, "Varnhagen pump cellar claim waits owns settled")
        return {line.partition(":")[0] for line in shown.splitlines() if who in line}

    assert named() == {"two.txt", "three.txt"}
    project.sync(full_refresh=True)
    assert named() == {"two.txt", "three.txt"}
    context = project.corpus._context
    with context.ledger.read() as db:
        assert context.vault.originals(db, who) == ["Odile Varnhagen"]
    project.corpus.erase([NAME])
    assert named() == set()


def test_an_erasure_that_is_killed_again_and_again_goes_on(project: Project) -> None:
    before = others(project)
    done: list[Any] = []
    for call in range(60, 100_000, 140):
        with killed_at(call, ("rag.ingest", "rag.ledger", "rag.targets")):
            done.append(project.corpus.erase([NAME], emails=[EMAIL]))
        if done:
            break
    assert call > 1000  # it was killed many times
    assert left(project) == []
    assert others(project) == before
    certificate = done[0].certificate
    assert len(certificate["documents"]) == 5  # one is an attachment
    by_place = {one["place"]: one for one in certificate["places"]}
    assert by_place["vault"]["data_keys_destroyed"] == 2
    assert by_place["embedding cache"]["vectors_deleted"] > 0


def test_the_certificate_shows_what_was_done_and_cannot_be_changed(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "certificate.json"
    command = ["erase", str(project.path), "--person", NAME, "--email", EMAIL]
    assert run([*command, "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert len(planned["documents"]["about"]) == 4
    assert left(project)
    assert run([*command, "--yes", "--certificate", str(path)]) == 0
    assert run(["erase", "--verify", str(path)]) == 0
    shown = capsys.readouterr().out
    certificate = json.loads(path.read_text())
    assert certificate["signed_by"]["fingerprint"] in shown
    assert {one["id"] for one in planned["documents"]["about"]} <= {
        one["id"] for one in certificate["documents"]
    }
    written = path.read_bytes()
    unsaid = Scanner(
        Sought(text)
        for text in ("Varnhagen", "Odile", EMAIL, pseudonym(project), "letter.txt", "table.csv")
    )
    assert list(unsaid.scan_bytes("certificate", written)) == []
    for field in certificate:
        for changed in ({**certificate, field: "x"}, _without(certificate, field)):
            with pytest.raises(SluiceError, match="changed"):
                check(changed)
    path.write_text(json.dumps({**certificate, "undecided": 7}))
    assert run(["erase", "--verify", str(path)]) == 2
    context = project.corpus._context
    with context.ledger.read() as db:
        verified = audit.verify(db, certificate["audit"][-1]["hash"])
        records = {one.seq: one.hash for one in audit.records(db)}
    assert verified.broken is None
    assert all(records[one["seq"]] == one["hash"] for one in certificate["audit"])


def _without(certificate: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in certificate.items() if name != field}


def test_an_erasure_reaches_every_target(
    make_project: Callable[..., Project],
    knowledge: LocalAws,
    opensearch: OpenSearch,
) -> None:
    project = make_project()
    base = make_base(knowledge.client("bedrock-agent"), None)
    index = {"kind": "opensearch", "url": opensearch.url, "index": "erased", "replicas": 0}
    targets = json.dumps([index, base.settings()])
    project.settings(f"targets: {targets}\naws: {{region: us-east-1}}")
    filled(project)
    project.corpus.reindex()  # the index before it is kept, with the person in it
    client = opensearch.client()
    assert len(client.indices.get(index="erased-*")) == 2
    code = pseudonym(project).partition("_")[2]

    def rows() -> str:
        client.indices.refresh(index="erased-*")
        found = client.search(index="erased-*", body={"query": {"match_all": {}}, "size": 100})
        return json.dumps(found["hits"]["hits"])

    def handed() -> str:
        found = project.corpus.search(
            "claim pump cellar report", principals=STAFF, k=50, target="knowledge_base"
        )
        return "\n".join(f"{hit.document} {hit.chunk.embedded_text}" for hit in found)

    assert code in rows()
    assert code in handed()
    held = {name: len(one.inventory()) for name, one in _targets(project).items()}
    erased = project.corpus.erase([NAME], emails=[EMAIL])
    assert code not in rows()
    assert code not in handed()
    assert "claim" in handed()
    assert {name: len(one.inventory()) for name, one in _targets(project).items()} == held
    assert erased.certificate is not None
    assert [one["place"] for one in erased.certificate["places"]][:2] == [
        "target opensearch",
        "target knowledge_base",
    ]
    assert left(project) == []
    assert not any(project.sync().repaired.values())


def _targets(project: Project) -> dict[str, Any]:
    return dict(project.corpus._context.targets)


# Its own scanner


def test_what_is_left_is_found_in_every_form(tmp_path: Path) -> None:
    word = "PERSON_k7q2mz5a"
    forms = [
        f"the {word}.".encode(),
        f"the {word}.".encode("utf-16"),
        *(base64.b64encode(b"x" * lead + word.encode() + b" waits") for lead in range(3)),
        "".join(f"%{byte:02X}" for byte in word.encode()).encode(),
        b"personk7q2mz5a0",
    ]
    assert all(pattern([word]).search(form) for form in forms)
    import zstandard

    (tmp_path / "a.zst").write_bytes(zstandard.compress(forms[0] * 100))
    (tmp_path / f"{word}.txt").write_text("empty")
    with closing(sqlite3.connect(tmp_path / "b.sqlite")) as db:
        db.execute("CREATE TABLE notes (text)")
        db.execute("INSERT INTO notes VALUES (?)", [word])
        db.commit()
    table = lancedb.connect(tmp_path).create_table("c", [{"text": word}])
    table.delete("true")
    (tmp_path / "d.txt").write_bytes(b"." * (2**22 - 5) + forms[0])
    (tmp_path / "clean.txt").write_text("PERSON_k7q2mz5 and the rest")
    found = set(scan([word], [tmp_path]).places)
    assert {"a.zst", f"{word}.txt (a name)", "b.sqlite", "c.lance", "d.txt"} <= found
    assert "clean.txt" not in found


# The vault fails closed


def test_while_the_vault_cannot_be_written_documents_wait(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    project.write("letter.txt", f"The claim of {NAME} was received.")
    ledger = project.corpus._context.ledger
    with closing(sqlite3.connect(project.home / "ledger.sqlite")) as db:
        db.execute("ALTER TABLE vault_entries RENAME TO away")
        assert project.sync().documents["quarantined"] == 1
        with ledger.read() as reading:
            [waiting] = quarantine.entries(reading, "notes")
        assert (waiting.code, waiting.transient) == ("vault_failed", True)
        assert not project.inventory()
        assert not list((project.home / "corpora/notes/store/masked").glob("*"))
        db.execute("ALTER TABLE away RENAME TO vault_entries")
    assert project.sync().documents["quarantined"] == 0
    assert len(project.inventory()) == 1
