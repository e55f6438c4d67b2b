"""A corpus from source to index and back, with all parts real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from rag.corpus import Corpus
from rag.errors import ListingFailed, MassDeletion, NotIndexed
from tests.conftest import Project

STAFF = ["group:staff"]


def text(number: int) -> str:
    return (
        f"Procedure {number}. The pump in room {number} is checked by the night shift. "
        f"Filters of type F{number} are changed every {number + 2} weeks without exception."
    )


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    made = make_project()
    for number in range(6):
        made.write(f"procedures/p{number}.txt", text(number))
    return made


def test_a_folder_is_indexed_once(project: Project) -> None:
    first = project.sync()
    assert first.documents == {
        "new": 6, "changed": 0, "moved": 0, "acl": 0, "unchanged": 0, "deleted": 0, "quarantined": 0
    }  # fmt: skip
    assert first.parsed == 6
    assert first.chunks == first.embedded == 6

    second = project.sync()
    assert second.documents["unchanged"] == 6
    assert (second.parsed, second.embedded, second.chunks) == (0, 0, 6)
    hits = project.corpus.search("How often are filters of type F3 changed?", principals=STAFF)
    assert hits[0].document == "procedures/p3.txt"


def test_a_corpus_that_was_never_synced_says_so(project: Project) -> None:
    with pytest.raises(NotIndexed):
        project.corpus.ask("How often are filters changed?", principals=STAFF)


def test_only_what_changed_is_done(project: Project) -> None:
    project.sync()
    project.write("procedures/p1.txt", text(41))
    project.remove("procedures/p2.txt")
    report = project.sync()
    assert (report.documents["changed"], report.documents["deleted"]) == (1, 1)
    assert (report.parsed, report.embedded) == (1, 1)
    assert project.names() == {f"procedures/p{number}.txt" for number in (0, 1, 3, 4, 5)}


def test_a_renamed_document_is_neither_parsed_nor_embedded_again(project: Project) -> None:
    project.sync()
    (project.source / "procedures/p4.txt").rename(project.source / "renamed.txt")
    report = project.sync()
    assert report.documents["moved"] == 1
    assert report.documents["deleted"] == report.parsed == 0
    assert "renamed.txt" in project.names()
    assert "procedures/p4.txt" not in project.names()


def test_a_touched_document_is_not_parsed_again(project: Project) -> None:
    project.sync()
    os.utime(project.source / "procedures/p0.txt", (1, 1))
    report = project.sync()
    assert (report.documents["changed"], report.parsed, report.embedded) == (1, 0, 0)


def test_a_change_of_chunking_does_not_parse(project: Project) -> None:
    project.sync()
    project.settings("chunk: {max_tokens: 64}")
    report = project.sync()
    assert (report.documents["changed"], report.parsed) == (6, 0)


def test_new_rights_hold_without_embedding(project: Project) -> None:
    project.sync()
    project.write("procedures/p5.txt.acl.yaml", "allow: [group:board]")
    report = project.sync()
    assert report.documents["acl"] == 1
    assert (report.parsed, report.embedded) == (0, 0)
    assert "procedures/p5.txt" not in project.names(STAFF)
    assert project.names(["group:board"]) == {"procedures/p5.txt"}


def test_rights_are_taken_away_even_when_the_new_version_cannot_be_read(project: Project) -> None:
    project.sync()
    project.write("procedures/p5.txt", "")
    project.write("procedures/p5.txt.acl.yaml", "allow: [group:board]")
    report = project.sync()
    assert report.documents["quarantined"] == 1
    assert "procedures/p5.txt" not in project.names(STAFF)
    assert project.names(["group:board"]) == {"procedures/p5.txt"}, "the old version is served"


def test_documents_with_equal_text_are_two(project: Project) -> None:
    project.write("copy.txt", text(3))
    report = project.sync()
    assert (report.documents["new"], report.chunks) == (7, 7)
    assert report.embedded == 6
    project.remove("copy.txt")
    project.sync()
    assert "procedures/p3.txt" in project.names()


def test_a_bad_document_is_quarantined_and_retried_when_it_changes(project: Project) -> None:
    project.write("bad.pdf", b"%PDF-1.7 nothing more")
    assert project.sync().documents["quarantined"] == 1
    [waiting] = project.corpus.quarantine()
    assert (waiting.name, bool(waiting.reason), bool(waiting.action)) == ("bad.pdf", True, True)
    assert project.sync().parsed == 0, "not tried again while nothing changed"
    project.write("bad.pdf", text(9))
    assert project.sync().documents["quarantined"] == 0
    assert "bad.pdf" in project.names()


def test_an_empty_listing_deletes_nothing(project: Project) -> None:
    project.sync()
    shutil.rmtree(project.source)
    with pytest.raises(ListingFailed):
        project.sync()
    project.source.mkdir()
    with pytest.raises(ListingFailed):
        project.sync()
    assert len(project.names()) == 6


def test_a_mass_deletion_waits_for_the_operator(project: Project) -> None:
    project.settings("", "max_delete: {share: 0.3, count: 2}")
    project.sync()
    for number in range(4):
        project.remove(f"procedures/p{number}.txt")
    with pytest.raises(MassDeletion) as refused:
        project.sync()
    assert len(refused.value.documents) == 4
    assert len(project.names()) == 6
    assert project.sync(allow_mass_delete=True).documents["deleted"] == 4


def test_a_dry_run_changes_nothing(project: Project) -> None:
    report = project.sync(dry_run=True)
    assert report.documents["new"] == 6
    assert project.corpus.status().indexed.documents == 0


def test_verify_puts_a_damaged_index_right(project: Project) -> None:
    project.sync()
    target = next(iter(project.corpus._context.targets.values()))
    victim, other = sorted(target.inventory())[:2]
    target.apply([], [victim])
    target.set_acl({other: ("group:everybody",)})
    report = project.sync()
    assert report.repaired == {"missing": 1, "different": 1, "extra": 0}
    assert (report.parsed, report.embedded) == (0, 0)
    assert len(project.names()) == 6
    assert project.names(["group:everybody"]) == set()


def test_a_killed_sync_resumes_to_the_same_index(
    project: Project, make_project: Callable[..., Project]
) -> None:
    for number in range(6, 70):
        project.write(f"more/p{number}.txt", text(number))
    sync = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "sync", str(project.path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    artifacts = project.home / "corpora" / "notes" / "store" / "masked"
    deadline = time.monotonic() + 60
    while not (artifacts.exists() and len(list(artifacts.iterdir())) > 8):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(sync.pid, signal.SIGKILL)
    sync.wait()

    report = project.sync()
    assert report.chunks == 70
    assert report.parsed < 70, "what was masked before the kill is kept"
    whole = make_project(home=project.home.parent / "other", key_from=project.home)
    whole.source.rmdir()
    shutil.copytree(project.source, whole.source)
    whole.sync()
    assert whole.inventory() == project.inventory()


def test_one_run_at_a_time(project: Project) -> None:
    from rag.errors import CorpusBusy
    from rag.ledger import leases

    held = leases.hold(project.corpus._context.ledger, "notes", "another run")
    with held, pytest.raises(CorpusBusy):
        Corpus.open(project.path).sync()
