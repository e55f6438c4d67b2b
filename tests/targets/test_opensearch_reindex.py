"""A corpus moves from the embedded model to one of Bedrock, and back, while it is searched."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.cli import run
from rag.corpus import Corpus
from rag.errors import ConfigError, IndexDiffers, TargetFailed
from rag.ingest import reindex as reindexing
from tests.conftest import Project
from tests.services.localaws import LocalAws, aws, localaws
from tests.services.opensearch import OpenSearch

__all__ = ["aws", "localaws"]

MINILM = "embed: {model: embedded/minilm}"
TITAN = "embed: {model: bedrock/amazon.titan-embed-text-v2:0, dimensions: 256}"
STAFF = ["group:staff"]
SUBJECTS = ("pump", "filter", "overtime", "parking", "laundry", "archive", "ladder", "canteen")


@dataclass
class Moving:
    """A synced corpus on the shared node."""

    project: Project
    server: OpenSearch
    queries: Path
    qrels: Path
    failures: list[BaseException] = field(default_factory=list)

    def model(self, embed: str) -> Corpus:
        """The corpus with another model in its file, as somebody opens it then."""
        where = f"url: '{self.server.url}', index: {self.server.index}, replicas: 0"
        self.project.settings(f"{embed}\ntargets: [{{kind: opensearch, {where}}}]")
        return self.project.corpus

    def indexes(self) -> list[str]:
        return sorted(self.server.client().indices.get(index=f"{self.server.index}-*"))

    def served(self) -> str:
        (name,) = self.server.client().indices.get(index=self.server.index)
        return str(name).removeprefix(f"{self.server.index}-")

    def judged(self) -> dict[str, Any]:
        return {"queries": self.queries, "qrels": self.qrels}


@pytest.fixture
def moving(
    make_project: Callable[..., Project], opensearch: OpenSearch, aws: LocalAws, tmp_path: Path
) -> Moving:
    project = make_project()
    for subject in SUBJECTS:
        project.write(
            f"{subject}.txt", f"Rules\n\nThe {subject} is checked in room 7 every week.\n"
        )
    made = Moving(project, opensearch, tmp_path / "queries.jsonl", tmp_path / "qrels.tsv")
    made.queries.write_text(
        "".join(json.dumps({"_id": one, "text": f"the {one}"}) + "\n" for one in SUBJECTS)
    )
    made.qrels.write_text("".join(f"{one}\t{one}\t1\n" for one in SUBJECTS))
    made.model(MINILM).sync()
    return made


@contextmanager
def searched(*clients: Corpus) -> Iterator[list[int]]:
    """Search with each client in a loop until the block ends; how many hits each search had."""
    found: list[int] = []
    done = threading.Event()
    failures: list[BaseException] = []

    def ask(client: Corpus) -> None:
        try:
            while not done.is_set():
                found.append(len(client.search("checked in room 7", principals=STAFF, k=20)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_reindex_to_another_model_is_not_noticed_by_who_searches_meanwhile(
    moving: Moving,
) -> None:
    before = moving.model(MINILM)
    after = moving.model(TITAN)
    with searched(before, after) as found:
        report = after.reindex(**moving.judged())
        seen = len(found)
        while len(found) < seen + 6:  # and for a while after it
            threading.Event().wait(0.01)
        back = after.rollback()
    assert set(found) == {len(SUBJECTS)}
    assert (report.served, report.documents, report.read_again) == (True, len(SUBJECTS), 0)
    assert report.old is not None
    assert report.new is not None
    assert report.new.ndcg_at_10 >= report.old.ndcg_at_10 - 0.02
    assert (back.documents, back.to_redo) == (len(SUBJECTS), 0)


def test_after_a_reindex_and_after_a_rollback_a_sync_finds_nothing_to_do(moving: Moving) -> None:
    report = moving.model(TITAN).reindex()
    assert (report.old_model, report.new_model) == (
        "embedded/minilm",
        "bedrock/amazon.titan-embed-text-v2:0",
    )
    assert moving.served() == "000002"
    again = moving.project.sync()
    assert again.documents["unchanged"] == len(SUBJECTS)
    assert again.repaired == {}
    moving.project.corpus.rollback()
    assert moving.served() == "000001"
    moving.model(MINILM)
    again = moving.project.sync()
    assert again.documents["unchanged"] == len(SUBJECTS)
    assert again.repaired == {}


def test_a_gate_that_fails_leaves_the_old_index_serving(moving: Moving) -> None:
    corpus = moving.model(TITAN)
    moving.qrels.write_text("".join(f"{one}\tabsent\t1\n" for one in SUBJECTS))
    report = corpus.reindex(**moving.judged(), floor=0.5)
    assert not report.served
    assert report.new is not None
    assert report.new.ndcg_at_10 == 0.0
    assert moving.indexes() == [f"{moving.server.index}-000001"]
    assert len(corpus.search("room 7", principals=STAFF, k=20)) == len(SUBJECTS)


def test_the_command_exits_with_1_and_the_figures_when_the_gate_fails(
    moving: Moving, capsys: pytest.CaptureFixture[str]
) -> None:
    moving.model(TITAN)
    path = str(moving.project.path)
    judged = ["--queries", str(moving.queries), "--qrels", str(moving.qrels)]
    moving.qrels.write_text("pump\tabsent\t1\n")
    assert run(["reindex", path, "--json", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["served"] is False
    assert run(["reindex", path, "--json", "--floor", "0.5", *judged]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["served"], said["new"]["ndcg_at_10"]) == (False, 0.0)
    assert run(["reindex", path, "--json", "--gate", "0.1", *judged]) == 0
    assert json.loads(capsys.readouterr().out)["served"] is True
    assert run(["rollback", path]) == 0
    assert "embedded/minilm is served again" in capsys.readouterr().out
    assert run(["rollback", path]) == 2


def test_a_sync_with_another_model_than_the_indexs_is_stopped(moving: Moving) -> None:
    moving.model(TITAN)
    with pytest.raises(ConfigError, match="was embedded with embedded/minilm") as caught:
        moving.project.sync()
    assert "sluice reindex notes" in caught.value.hint
    assert len(moving.project.names()) == len(SUBJECTS)


def test_documents_without_a_masked_form_are_read_from_the_source_again(moving: Moving) -> None:
    for path in moving.project.home.rglob("masked/*.zst"):
        path.unlink()
    moving.project.remove("pump.txt")
    report = moving.model(TITAN).reindex()
    assert (report.read_again, report.gone) == (len(SUBJECTS) - 1, 1)
    assert moving.project.names() == {f"{one}.txt" for one in SUBJECTS if one != "pump"}


def test_a_document_that_cannot_be_made_again_keeps_the_old_index(moving: Moving) -> None:
    for path in moving.project.home.rglob("masked/*.zst"):
        path.unlink()
    moving.project.write("pump.txt", b"%PDF-1.4 broken")
    with pytest.raises(IndexDiffers, match="1 documents"):
        moving.model(TITAN).reindex()
    assert moving.indexes() == [f"{moving.server.index}-000001"]
    assert len(moving.project.names()) == len(SUBJECTS)


def test_what_was_deleted_or_hidden_since_is_not_brought_back_by_a_rollback(
    moving: Moving,
) -> None:
    moving.model(TITAN).reindex()
    moving.project.remove("pump.txt")
    moving.project.write("filter.txt.acl.yaml", "allow: ['group:hr']")
    moving.project.write("ladder.txt", "Rules\n\nThe ladder is new in room 7.\n")
    moving.project.sync()
    report = moving.project.corpus.rollback()
    assert (report.documents, report.to_redo) == (len(SUBJECTS) - 1, 1)
    left = {f"{one}.txt" for one in SUBJECTS if one not in ("pump", "filter")}
    assert moving.project.names() == left
    moving.model(MINILM)
    assert moving.project.sync().documents["changed"] == 1
    hits = moving.project.corpus.search("new ladder", principals=STAFF, k=1)
    assert "new" in hits[0].chunk.text


def test_a_reindex_that_was_killed_leaves_nothing_that_the_next_one_minds(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    corpus = moving.model(TITAN)
    with monkeypatch.context() as patched:
        patched.setattr(reindexing, "_verify", killed)
        patched.setattr("rag.targets.opensearch.OpenSearchIndex.drop", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            corpus.reindex()
    assert len(moving.indexes()) == 2
    assert moving.served() == "000001"
    assert corpus.reindex().served
    assert moving.indexes()[0] == f"{moving.server.index}-000001"
    assert len(moving.indexes()) == 2


def test_only_one_index_is_kept_to_go_back_to(moving: Moving) -> None:
    for embed in (TITAN, MINILM, TITAN):
        moving.model(embed).reindex()
    assert [name[-6:] for name in moving.indexes()] == ["000003", "000004"]
    moving.project.corpus.rollback()
    with pytest.raises(TargetFailed, match="no older index"):
        moving.project.corpus.rollback()


def test_a_corpus_without_an_opensearch_target_says_so(project: Project) -> None:
    with pytest.raises(ConfigError, match="kind opensearch"):
        project.corpus.reindex()


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()
