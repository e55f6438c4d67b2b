"""Ingestion jobs: what a bucket holds becomes what is found."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.localaws.knowledge_bases import (
    Base,
    chunked,
    describe,
    eventually,
    make,
    s3_source,
)
from tests.services.localaws import LocalAws
from tests.services.s3 import Bucket

PARENTAL = "Parental leave lasts sixteen weeks and is paid in full. It may be split in two parts."
TRAVEL = "Rail journeys are booked in second class. Flights need the approval of a manager."
SECURITY = "A lost badge is reported to the front desk within an hour. It is blocked at once."


@pytest.fixture
def base(knowledge: LocalAws, s3_bucket: Bucket) -> Base:
    s3_bucket.put("leave.txt", PARENTAL)
    s3_bucket.put("travel.md", f"# Travel\n\n{TRAVEL}")
    s3_bucket.put("security.html", f"<html><body><p>{SECURITY}</p></body></html>")
    return make(knowledge, s3_source(s3_bucket))


def test_a_job_indexes_a_bucket_and_its_statuses_pass(base: Base) -> None:
    job = base.agent.start_ingestion_job(**base.ids)["ingestionJob"]
    assert job["status"] == "STARTING"
    seen = {job["status"]}

    def look() -> str:
        status = str(base.job(job["ingestionJobId"])["status"])
        seen.add(status)
        return status

    assert eventually(look, lambda status: status in ("COMPLETE", "FAILED")) == "COMPLETE"
    assert {"STARTING", "IN_PROGRESS"} <= seen
    statistics = base.job(job["ingestionJobId"])["statistics"]
    assert statistics["numberOfDocumentsScanned"] == 3
    assert statistics["numberOfNewDocumentsIndexed"] == 3
    assert set(base.statuses().values()) == {"INDEXED"}
    best = base.search("How long is parental leave?")[0]
    assert "sixteen weeks" in best["content"]["text"]
    assert best["location"]["s3Location"]["uri"].endswith("/leave.txt")
    assert best["metadata"]["x-amz-bedrock-kb-source-uri"].endswith("/leave.txt")
    assert best["metadata"]["x-amz-bedrock-kb-data-source-id"] == base.source


def test_only_what_changed_is_done_again(base: Base, s3_bucket: Bucket) -> None:
    base.sync()
    s3_bucket.put("leave.txt", "Parental leave lasts twenty weeks.")
    s3_bucket.put("new.txt", "The canteen opens at noon.")
    s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key="security.html")
    describe(s3_bucket, "travel.md", team="finance")
    job = base.sync()
    statistics = job["statistics"]
    assert job["status"] == "COMPLETE"
    assert statistics == {
        "numberOfDocumentsScanned": 3,
        "numberOfMetadataDocumentsScanned": 1,
        "numberOfNewDocumentsIndexed": 1,
        "numberOfModifiedDocumentsIndexed": 1,
        "numberOfMetadataDocumentsModified": 1,
        "numberOfDocumentsDeleted": 1,
        "numberOfDocumentsFailed": 0,
        "numberOfDocumentsSkipped": 0,
    }
    texts = " ".join(one["content"]["text"] for one in base.search("anything", numberOfResults=50))
    assert "twenty weeks" in texts
    assert "sixteen" not in texts
    assert "badge" not in texts
    team = {"equals": {"key": "team", "value": "finance"}}
    assert [one["metadata"]["team"] for one in base.search("trains", filter=team)] == ["finance"]
    again = base.sync()["statistics"]
    assert sum(again.values()) == 4  # three documents and a metadata file seen, nothing done


def test_a_metadata_file_that_vanishes_takes_its_attributes_along(
    base: Base, s3_bucket: Bucket
) -> None:
    describe(s3_bucket, "travel.md", team="finance")
    base.sync()
    s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key="travel.md.metadata.json")
    assert base.sync()["statistics"]["numberOfMetadataDocumentsModified"] == 1
    assert base.search("trains", filter={"equals": {"key": "team", "value": "finance"}}) == []


def test_a_bad_document_fails_alone_with_the_services_words(base: Base, s3_bucket: Bucket) -> None:
    s3_bucket.put("empty.txt", "  \n")
    s3_bucket.put("movie.mkv", b"\x00\x01")
    s3_bucket.put("huge.txt", b"a" * (50 * 1024 * 1024 + 1))
    for key in ("padded.txt", "garbled.txt", "nested.txt"):
        s3_bucket.put(key, "A text that is fine.")
    describe(s3_bucket, "padded.txt", note="x" * 10_240)
    s3_bucket.put("garbled.txt.metadata.json", "{not json")
    describe(s3_bucket, "nested.txt", owner={"name": {"first": "A"}})
    job = base.sync()
    assert job["status"] == "COMPLETE"
    assert job["statistics"]["numberOfDocumentsFailed"] == 6
    assert job["statistics"]["numberOfNewDocumentsIndexed"] == 3
    sentences = [one for reason in job["failureReasons"] for one in json.loads(reason)]
    for key in ("empty.txt", "movie.mkv", "huge.txt", "padded.txt", "garbled.txt", "nested.txt"):
        (said,) = [one for one in sentences if f"s3://{s3_bucket.name}/{key}" in one]
        assert said.startswith("Encountered error: Ignored 1 files ")
    statuses = base.statuses()
    assert statuses[f"s3://{s3_bucket.name}/empty.txt"] == "FAILED"
    assert statuses[f"s3://{s3_bucket.name}/leave.txt"] == "INDEXED"


def test_a_new_version_that_fails_leaves_the_old_one_to_be_found(
    base: Base, s3_bucket: Bucket
) -> None:
    base.sync()
    s3_bucket.put("leave.txt", " ")
    assert base.sync()["statistics"]["numberOfDocumentsFailed"] == 1
    assert "sixteen weeks" in base.search("How long is parental leave?")[0]["content"]["text"]
    s3_bucket.put("leave.txt", PARENTAL + " Ask early.")
    assert base.sync()["statistics"]["numberOfModifiedDocumentsIndexed"] == 1


def test_a_prefix_keeps_the_rest_of_the_bucket_out(knowledge: LocalAws, s3_bucket: Bucket) -> None:
    s3_bucket.put("in/leave.txt", PARENTAL)
    s3_bucket.put("out/travel.txt", TRAVEL)
    base = make(knowledge, s3_source(s3_bucket, "in/"))
    assert base.sync()["statistics"]["numberOfDocumentsScanned"] == 1
    assert list(base.statuses()) == [f"s3://{s3_bucket.name}/in/leave.txt"]


def test_one_job_at_a_time(base: Base) -> None:
    first = base.agent.start_ingestion_job(**base.ids)["ingestionJob"]["ingestionJobId"]
    with pytest.raises(ClientError) as refused:
        base.agent.start_ingestion_job(**base.ids)
    assert refused.value.response["Error"]["Code"] == "ConflictException"
    assert first in str(refused.value)
    with pytest.raises(ClientError, match="ConflictException"):
        base.agent.delete_data_source(**base.ids)
    assert base.ended(first)["status"] == "COMPLETE"
    assert base.sync()["status"] == "COMPLETE"


def test_a_repeated_call_starts_no_second_job(base: Base) -> None:
    token = "a-token-of-at-least-thirty-three-characters"
    first = base.agent.start_ingestion_job(**base.ids, clientToken=token)["ingestionJob"]
    again = base.agent.start_ingestion_job(**base.ids, clientToken=token)["ingestionJob"]
    assert again["ingestionJobId"] == first["ingestionJobId"]
    base.ended(first["ingestionJobId"])


def test_a_job_can_be_stopped(base: Base) -> None:
    job = base.agent.start_ingestion_job(**base.ids)["ingestionJob"]["ingestionJobId"]
    base.agent.stop_ingestion_job(**base.ids, ingestionJobId=job)
    assert base.ended(job)["status"] == "STOPPED"
    with pytest.raises(ClientError, match="ConflictException"):
        base.agent.stop_ingestion_job(**base.ids, ingestionJobId=job)


def test_jobs_are_listed_by_status_and_time(base: Base) -> None:
    ids = [base.sync()["ingestionJobId"] for _ in range(3)]
    listed = base.agent.list_ingestion_jobs(
        **base.ids,
        filters=[{"attribute": "STATUS", "operator": "EQ", "values": ["COMPLETE"]}],
        sortBy={"attribute": "STARTED_AT", "order": "ASCENDING"},
    )["ingestionJobSummaries"]
    assert [one["ingestionJobId"] for one in listed] == ids
    pages = base.agent.get_paginator("list_ingestion_jobs").paginate(
        **base.ids, PaginationConfig={"PageSize": 2}
    )
    paged = [one["ingestionJobId"] for page in pages for one in page["ingestionJobSummaries"]]
    assert paged == ids[::-1]


def test_a_bucket_that_is_gone_fails_the_job_and_deletes_nothing(
    base: Base, s3_bucket: Bucket
) -> None:
    base.sync()
    for one in s3_bucket.client.list_objects_v2(Bucket=s3_bucket.name)["Contents"]:
        s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key=one["Key"])
    s3_bucket.client.delete_bucket(Bucket=s3_bucket.name)
    job = base.sync()
    assert job["status"] == "FAILED"
    assert "NoSuchBucket" in job["failureReasons"][0]
    assert base.search("parental leave")


def test_hierarchical_chunks_are_found_small_and_given_large(
    knowledge: LocalAws, s3_bucket: Bucket
) -> None:
    s3_bucket.put("all.txt", "\n\n".join([PARENTAL, TRAVEL, SECURITY]))
    levels = [{"maxTokens": 200}, {"maxTokens": 12}]
    base = make(
        knowledge,
        s3_source(s3_bucket),
        **chunked(
            "HIERARCHICAL",
            hierarchicalChunkingConfiguration={"levelConfigurations": levels, "overlapTokens": 1},
        ),
    )
    base.sync()
    (found,) = base.search("Who approves flights?", numberOfResults=3)
    assert "sixteen weeks" in found["content"]["text"]
    assert "badge" in found["content"]["text"]


def test_a_document_can_be_one_chunk(knowledge: LocalAws, s3_bucket: Bucket) -> None:
    text = "\n\n".join([PARENTAL, TRAVEL, SECURITY] * 30)
    s3_bucket.put("all.txt", text)
    base = make(knowledge, s3_source(s3_bucket), **chunked("NONE"))
    base.sync()
    assert [one["content"]["text"] for one in base.search("flights")] == [text]


def test_a_job_that_a_stop_cut_off_has_failed_and_what_was_indexed_is_there(
    start_localaws: Callable[..., LocalAws], s3_bucket: Bucket, s3_endpoint: str
) -> None:
    environment = {"AWS_ENDPOINT_URL_S3": s3_endpoint, "LOCALAWS_SETTLE_SECONDS": "0.1"}
    first = start_localaws(None, **environment, LOCALAWS_INGESTION_SECONDS="0.2")
    s3_bucket.put("leave.txt", PARENTAL)
    base = make(first, s3_source(s3_bucket))
    base.sync()
    before = base.search("parental leave")
    first.stop()
    slow = start_localaws(first.state, **environment, LOCALAWS_INGESTION_SECONDS="60")
    base = Base(
        slow,
        base.id,
        base.source,
        slow.client("bedrock-agent"),
        slow.client("bedrock-agent-runtime"),
    )
    assert base.search("parental leave") == before
    job = base.agent.start_ingestion_job(**base.ids)["ingestionJob"]["ingestionJobId"]
    slow.process.kill()
    slow.stop()
    last = start_localaws(first.state, **environment)
    base = Base(
        last,
        base.id,
        base.source,
        last.client("bedrock-agent"),
        last.client("bedrock-agent-runtime"),
    )
    ended = base.job(job)
    assert ended["status"] == "FAILED"
    assert "interrupted" in ended["failureReasons"][0]
    assert base.sync()["status"] == "COMPLETE"


def test_a_change_of_metadata_alone_does_not_touch_vectors(
    base: Base, s3_bucket: Bucket, knowledge: LocalAws
) -> None:
    import sqlite3

    def vectors() -> list[tuple[object, ...]]:
        with sqlite3.connect(knowledge.state / "knowledge.sqlite") as database:
            return database.execute(
                "SELECT rowid, name, vector FROM chunk WHERE base = ? ORDER BY rowid", (base.id,)
            ).fetchall()

    base.sync()
    before = vectors()
    describe(s3_bucket, "leave.txt", year=2026)
    base.sync()
    assert vectors() == before
    describe(
        s3_bucket,
        "leave.txt",
        topic={"value": {"type": "STRING", "stringValue": "babies"}, "includeForEmbedding": True},
    )
    base.sync()
    assert vectors() != before
