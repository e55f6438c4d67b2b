"""The knowledge base as a target, in both its ways, over real servers.

Claims over `any_base` are also tested on MiniStack, another project's local AWS. What it lacks,
and why the others are not: its listing of documents has another shape than AWS's, so that nobody
can tell what it holds; its jobs are over at once and never take a document out; it keeps no text
of what is handed over by API; and it refuses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from rag import days
from rag.config import Recency, Search
from rag.errors import ConfigError, DocumentsRefused, TargetFailed
from rag.retrieve.filters import parse
from rag.retrieve.query import Query, Where
from rag.retrieve.search import search
from rag.targets import Stored
from rag.targets.knowledge_base import KnowledgeBase
from tests.masked import masked
from tests.services.knowledge import (
    Base,
    any_base,
    base,
    corpus,
    knowledge,
    knowledge_server,
    make_base,
    s3_base,
    slow_base,
)
from tests.services.localaws import LocalAws
from tests.services.ministack import ministack
from tests.services.s3 import s3_bucket, s3_endpoint
from tests.targets.documents import make

__all__ = [
    "any_base",
    "base",
    "knowledge",
    "knowledge_server",
    "ministack",
    "s3_base",
    "s3_bucket",
    "s3_endpoint",
    "slow_base",
]

STAFF = ("group:staff",)


def opened(base: Base, **settings: Any) -> KnowledgeBase:
    """A target as another process would open it."""
    return KnowledgeBase(base.target(**settings), corpus())


def settled(target: KnowledgeBase) -> dict[str, str]:
    """Wait for what the service has to do; return what it refused."""
    until = time.monotonic() + 30
    job = target.begin()
    while job is not None:
        while (refused := target.outcome(job)) is None:
            assert time.monotonic() < until
            time.sleep(0.02)
        if refused:
            return dict(refused)
        job = target.begin()
    return {}


def found(target: KnowledgeBase, *asker: str, text: str = "word", **where: Any) -> list[str]:
    hits = search(target, masked(text), None, asker or STAFF, k=100, where=Where(**where))
    return sorted(hit.chunk.id for hit in hits)


def test_what_is_written_is_held_and_found(base: Base) -> None:
    target = opened(base)
    target.apply([make("a", "first word", "second word"), make("b", "third word")], [])
    assert settled(target) == {}
    again = opened(base)
    assert again.begin() is None
    assert again.inventory() == {
        "a": Stored("1", STAFF, ("a-1-0", "a-1-1")),
        "b": Stored("1", STAFF, ("b-1-0",)),
    }
    assert found(again) == ["a-1-0", "a-1-1", "b-1-0"]
    assert (again.stats().documents, again.stats().chunks) == (2, 3)


def test_a_hit_is_the_passage_that_was_written(any_base: Base) -> None:
    base = any_base
    document = make(
        "a", "the only word", kind="table", media_type="application/pdf", modified=20260131
    )
    target = opened(base)
    target.apply([document], [])
    settled(target)
    [hit] = search(target, masked("word"), None, STAFF)
    assert hit.chunk == document.chunks[0]
    assert (hit.document, hit.title, hit.acl) == ("a.txt", "Title", STAFF)
    assert hit.modified == 20260131
    assert set(hit.legs) == {"hybrid"}
    [leg] = opened(base, search="semantic").legs(Query(masked("word"), None, STAFF), 5)
    assert leg == "vector"


def test_a_new_version_takes_the_place_of_the_old_one(base: Base) -> None:
    target = opened(base)
    target.apply([make("a", "old word", "old second word"), make("b", "other word")], [])
    settled(target)
    target.apply([make("a", "new word", version="2")], [])
    settled(target)
    assert target.inventory() == {
        "a": Stored("2", STAFF, ("a-2-0",)),
        "b": Stored("1", STAFF, ("b-1-0",)),
    }
    assert found(target) == ["a-2-0", "b-1-0"]


def test_deleted_documents_are_gone_and_one_without_chunks_is_deleted(base: Base) -> None:
    target = opened(base)
    target.apply([make(name, f"word {name}") for name in "abc"], [])
    settled(target)
    target.apply([make("b")], ["a", "never"])
    settled(target)
    assert list(target.inventory()) == ["c"]
    assert found(target) == ["c-1-0"]
    assert len(base.statuses()) == 1


def test_rights_hold_in_the_service(any_base: Base) -> None:
    target = opened(any_base)
    many = tuple(f"group:g{number}" for number in range(9))
    target.apply(
        [
            make("a", "word a", acl=("group:staff", "user:ana")),
            make("b", "word b", acl=("user:ben",)),
            make("c", "word c", acl=()),
            make("d", "word d", acl=many),
        ],
        [],
    )
    settled(target)
    assert found(target, "user:ana") == ["a-1-0"]
    assert found(target, "user:ben") == ["b-1-0"]
    assert found(target, "group:staff", "user:ben") == ["a-1-0", "b-1-0"]
    assert found(target, "user:an") == []
    assert target.legs(Query(masked("word"), None, ()), 10) == {}
    # More principals than one filter takes: several calls, one list.
    crowd = [f"group:x{number}" for number in range(40)]
    assert found(target, *crowd, "group:g8", "user:ana") == ["a-1-0", "d-1-0"]
    assert found(target, *crowd, "user:ana", "group:g1", names=("a.txt",)) == ["a-1-0"]


def test_a_search_can_be_narrowed(any_base: Base) -> None:
    target = opened(any_base)
    target.apply(
        [
            make("a", "word a", media_type="application/pdf"),
            make("b", "word b", kind="table"),
            make("c", "word c", modified=days.number(datetime.now(UTC).date())),
            make("d", "word d", modified=20250131),
        ],
        [],
    )
    settled(target)
    for narrow, wanted in (("> 2025-12-31", "c"), ("< 2025-12-31", "d"), ("!= 2025-01-31", "abc")):
        where = parse(f"modified {narrow}")
        hits = search(target, masked("word"), None, STAFF, k=100, where=where)
        assert sorted(hit.chunk.id[0] for hit in hits) == list(wanted)
    by_age = Search(recency=Recency(half_life_days=30, weight=9))
    first, *_ = search(target, masked("word"), None, STAFF, settings=by_age)
    assert first.chunk.document_id == "c"
    assert found(target, documents=("a", "c")) == ["a-1-0", "c-1-0"]
    assert found(target, names=("b.txt",)) == ["b-1-0"]
    assert found(target, media_types=("application/pdf",)) == ["a-1-0"]
    assert found(target, kinds=("table",)) == ["b-1-0"]
    assert found(target, kinds=("text",), documents=("a", "b")) == ["a-1-0"]


def test_new_rights_hold_without_new_text(any_base: Base) -> None:
    target = opened(any_base)
    target.apply([make("a", "word a", "word two"), make("b", "word b")], [])
    settled(target)
    target.set_acl({"a": ("user:ana",), "never": STAFF}, {"a": "1x"})
    settled(target)
    assert found(target) == ["b-1-0"]
    assert found(target, "user:ana") == ["a-1-0", "a-1-1"]
    target.set_acl({"a": ("user:ana", "group:staff"), "b": ()})
    settled(target)
    assert found(target) == ["a-1-0", "a-1-1"]
    [hit] = search(target, masked("word two"), None, ("user:ana",), k=1)
    assert hit.chunk == make("a", "word a", "word two").chunks[1]


def test_it_tells_rights_and_digests_as_they_were_last_given(base: Base) -> None:
    target = opened(base)
    target.apply([make("a", "word a", "word two"), make("b", "word b", acl=())], [])
    settled(target)
    target.set_acl({"a": ("user:ana",), "never": STAFF}, {"a": "1x"})
    settled(target)
    assert target.inventory() == {
        "a": Stored("1x", ("user:ana",), ("a-1-0", "a-1-1")),
        "b": Stored("1", (), ("b-1-0",)),
    }
    target.set_acl({"a": STAFF})
    settled(target)
    assert target.inventory()["a"] == Stored("1x", STAFF, ("a-1-0", "a-1-1"))


def test_doing_it_again_changes_nothing(base: Base) -> None:
    target = opened(base)
    target.apply([make("a", "word a"), make("b", "word b")], [])
    settled(target)
    before = target.inventory()
    target.apply([make("a", "word a"), make("b", "word b")], [])
    settled(target)
    assert target.inventory() == before
    assert len(base.statuses()) == 2


def test_what_was_begun_by_a_killed_process_is_finished_by_the_next(base: Base) -> None:
    opened(base).apply([make("a", "word a")], [])
    first = opened(base).begin()
    after = opened(base)
    assert after.begin() in (first, None), "the same job, or it is over"
    assert first is not None or base.bucket is None, "a job is owed until its outcome is heard"
    assert settled(after) == {}
    assert found(after) == ["a-1-0"]


def test_more_documents_than_a_call_takes(base: Base) -> None:
    target = opened(base)
    target.apply([make(f"d{number}", f"word {number}") for number in range(25)], [])
    settled(target)
    assert len(target.inventory()) == 25
    assert len(found(target)) == 25
    target.apply([], [f"d{number}" for number in range(23)])
    settled(target)
    assert sorted(target.inventory()) == ["d23", "d24"]


def test_what_the_service_refuses_is_told_with_its_reason(base: Base, knowledge: LocalAws) -> None:
    target = opened(base)
    crowd = tuple(f"group:{number}" for number in range(11))
    if base.bucket is None:
        with pytest.raises(DocumentsRefused) as told:
            target.apply([make("a", "word a", acl=crowd), make("b", "word b")], [])
        refused: Mapping[str, str] = told.value.reasons
        assert settled(target) == {}
    else:
        target.apply([make("a", "word a", acl=crowd), make("b", "word b")], [])
        refused = settled(target)
    assert set(refused) == {"a"}
    [reason] = refused.values()
    assert 10 < len(reason) <= 300
    assert "\n" not in reason
    assert "s3://" not in reason
    assert found(target, *crowd, *STAFF) == ["b-1-0"]
    # Whoever is told takes out what is left of it.
    target.apply([], ["a"])
    assert settled(target) == {}
    assert list(target.inventory()) == ["b"]


def test_a_document_comes_once_in_a_call(base: Base) -> None:
    with pytest.raises(ValueError, match="twice"):
        opened(base).apply([make("a", "word"), make("a", "word")], [])


def test_a_managed_knowledge_base_keeps_rights_of_its_own_too(knowledge: LocalAws) -> None:
    base = make_base(
        knowledge.client("bedrock-agent"),
        None,
        {
            "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
            "managedKnowledgeBaseConnectorConfiguration": {
                "connectorParameters": {"version": "1", "type": "CUSTOM", "aclEnabled": True}
            },
        },
        knowledgeBaseConfiguration={
            "type": "MANAGED",
            "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"},
        },
    )
    target = opened(base, user_context=True)
    target.apply(
        [
            make("a", "word a", acl=("user:ana",)),
            make("b", "word b", acl=("user:ben", "user:ana")),
            make("c", "word c", acl=("user:ana", "group:staff")),
        ],
        [],
    )
    # Its own rights know no groups: what a group may read it takes for nobody's, and says so.
    refused = settled(target)
    assert set(refused) == {"c"}
    assert "access control list" in refused["c"]
    target.apply([], ["c"])
    settled(target)
    assert found(target, "user:ana", "group:staff") == ["a-1-0", "b-1-0"]
    assert found(target, "user:ben") == ["b-1-0"]
    assert found(target, "group:staff") == [], "who names no user finds nothing"
    target.set_acl({"a": ("user:ben",)}, {"a": "2"})
    settled(target)
    assert found(target, "user:ana") == ["b-1-0"]
    assert found(target, "user:ben") == ["a-1-0", "b-1-0"]
    [document] = [name for name in base.statuses() if name.startswith("a/")]
    runtime = knowledge.client("bedrock-agent-runtime")
    access = {
        user: runtime.check_ingested_document_acl(
            knowledgeBaseId=base.id,
            dataSourceId=base.data_source,
            documentId=document,
            userContext={"userId": user},
        )["hasAccess"]
        for user in ("ana", "ben")
    }
    assert access == {"ana": False, "ben": True}


# Over a bucket


def keys(base: Base) -> set[str]:
    assert base.bucket is not None
    pages = base.bucket.client.get_paginator("list_objects_v2").paginate(Bucket=base.bucket.name)
    return {one["Key"] for page in pages for one in page.get("Contents", ())}


def test_each_passage_is_a_file_and_unchanged_ones_are_not_written_again(
    s3_base: Base,
) -> None:
    assert s3_base.bucket is not None
    target = opened(s3_base)
    target.apply([make("a", "word a", "word two")], [])
    settled(target)
    assert {key for key in keys(s3_base) if key.startswith("corpus/")} == {
        f"corpus/a/0000{number}-a-1-{number}.txt{ending}"
        for number in (0, 1)
        for ending in ("", ".metadata.json")
    }
    text = s3_base.bucket.client.get_object(
        Bucket=s3_base.bucket.name, Key="corpus/a/00000-a-1-0.txt"
    )
    assert text["Body"].read() == b"Heading\nword a"
    target.set_acl({"a": ("user:ana",)}, {"a": "2"})
    settled(target)
    later = s3_base.bucket.client.head_object(
        Bucket=s3_base.bucket.name, Key="corpus/a/00000-a-1-0.txt"
    )
    assert later["LastModified"] == text["LastModified"]
    [job, _] = s3_base.jobs()
    assert job["statistics"]["numberOfMetadataDocumentsModified"] == 2
    assert job["statistics"]["numberOfModifiedDocumentsIndexed"] == 0


def test_a_job_of_somebody_else_is_waited_for(s3_base: Base) -> None:
    target = opened(s3_base)
    target.apply([make("a", "word a")], [])
    other = s3_base.agent.start_ingestion_job(
        knowledgeBaseId=s3_base.id, dataSourceId=s3_base.data_source
    )["ingestionJob"]["ingestionJobId"]
    job = target.begin()
    assert job is not None
    assert job.reference["ingestion_job_id"] != other
    assert settled(target) == {}
    assert [one["status"] for one in s3_base.jobs()] == ["COMPLETE", "COMPLETE"]


def test_a_document_that_somebody_took_out_is_missed_and_brought_back(s3_base: Base) -> None:
    target = opened(s3_base)
    target.apply([make("a", "word a", "word two"), make("b", "word b")], [])
    settled(target)
    gone = next(uri for uri in s3_base.statuses() if "/a/00001" in uri)
    s3_base.agent.delete_knowledge_base_documents(
        knowledgeBaseId=s3_base.id,
        dataSourceId=s3_base.data_source,
        documentIdentifiers=[{"dataSourceType": "S3", "s3": {"uri": gone}}],
    )
    until = time.monotonic() + 10
    while len(s3_base.statuses()) == 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert target.inventory()["a"] == Stored("", (), ("a-1-0",))
    target.apply([make("a", "word a", "word two")], [])
    settled(target)
    assert target.inventory()["a"] == Stored("1", STAFF, ("a-1-0", "a-1-1"))


def test_metadata_that_is_too_long_is_refused_and_names_are_cut(s3_base: Base) -> None:
    crowd = tuple(f"group:{'x' * 200}{number}" for number in range(60))
    target = opened(s3_base)
    with pytest.raises(DocumentsRefused) as told:
        target.apply([make("a", "word a", acl=crowd), make("b" * 40, "word b")], [])
    assert "60 principals" in told.value.reasons["a"]
    settled(target)
    assert list(target.inventory()) == ["b" * 40]
    with pytest.raises(DocumentsRefused):
        target.set_acl({"b" * 40: crowd})
    settled(target)
    assert target.inventory() == {}, "its old rights may be too wide"


def test_what_a_killed_change_of_rights_left_half_done_is_seen(s3_base: Base) -> None:
    """Even when the rights are what they were again, so that nobody would change them back."""
    assert s3_base.bucket is not None
    target = opened(s3_base)
    target.apply([make("a", "word a", "word two")], [])
    settled(target)
    bodies = {
        key: s3_base.bucket.client.get_object(Bucket=s3_base.bucket.name, Key=key)["Body"].read()
        for key in keys(s3_base)
    }
    target.set_acl({"a": ("user:ana",)}, {"a": "2"})
    # As if it had been killed before the second file and the note: nothing says what "a" is.
    for key in keys(s3_base):
        if key.startswith(".sluice/corpus/documents/"):
            s3_base.bucket.client.delete_object(Bucket=s3_base.bucket.name, Key=key)
    second = "corpus/a/00001-a-1-1.txt.metadata.json"
    s3_base.bucket.put(second, bodies[second])
    after = opened(s3_base)
    settled(after)
    assert found(after, "user:ana") == ["a-1-0"]
    assert after.inventory()["a"].digest == "", "which is no document's, so it is written again"
    after.apply([make("a", "word a", "word two")], [])
    settled(after)
    assert found(after, "user:ana") == []
    assert after.inventory()["a"] == Stored("1", STAFF, ("a-1-0", "a-1-1"))


def test_a_job_that_read_too_little_is_not_taken_for_done(s3_base: Base) -> None:
    assert s3_base.bucket is not None
    target = opened(s3_base)
    target.apply([make("a", "word a")], [])
    job = target.begin()
    assert job is not None
    until = time.monotonic() + 20
    while s3_base.jobs()[0]["status"] != "COMPLETE":
        assert time.monotonic() < until
        time.sleep(0.02)
    s3_base.bucket.put("corpus/b/00000-b-1-0.txt", "as if it had not been there to be read")
    with pytest.raises(TargetFailed, match="read 1 of 2 files"):
        target.outcome(job)
    assert opened(s3_base).begin() != job, "another one is owed"


def test_a_data_source_that_does_not_fit_is_said_before_anything_is_ingested(
    s3_base: Base,
) -> None:
    assert s3_base.bucket is not None
    target = opened(s3_base, url=f"{s3_base.bucket.url}/elsewhere")
    target.apply([make("a", "word a")], [])
    with pytest.raises(ConfigError, match="another bucket or prefix"):
        target.begin()
    assert s3_base.jobs() == []


def test_a_job_that_fails_leaves_what_was_served(slow_base: Base) -> None:
    target = opened(slow_base)
    target.apply([make("a", "word a")], [])
    settled(target)
    target.apply([make("a", "new word", version="2")], [])
    job = target.begin()
    assert job is not None
    slow_base.stop(job.reference["ingestion_job_id"])
    with pytest.raises(TargetFailed, match="STOPPED"):
        target.outcome(job)
    assert found(target) == ["a-1-0"]
    after = opened(slow_base)
    assert after.begin() != job
    assert settled(after) == {}
    assert found(after) == ["a-2-0"]
