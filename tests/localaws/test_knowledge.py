"""Knowledge bases and data sources live and die as the service's do; documents are sent."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.knowledge_bases import (
    EMBEDDING,
    ROLE,
    STORAGE,
    VECTOR,
    Base,
    attribute,
    eventually,
    make,
    named,
    s3_source,
    sent,
)
from tests.services.localaws import LocalAws
from tests.services.s3 import Bucket

CUSTOM = {"type": "CUSTOM"}


@pytest.fixture
def agent(knowledge: LocalAws) -> Any:
    return knowledge.client("bedrock-agent")


@pytest.fixture
def base(knowledge: LocalAws) -> Base:
    return make(knowledge, CUSTOM)


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def create(agent: Any, name: str, **changes: Any) -> dict[str, Any]:
    asked = {"knowledgeBaseConfiguration": VECTOR, "storageConfiguration": STORAGE, **changes}
    return agent.create_knowledge_base(name=name, roleArn=ROLE, **asked)["knowledgeBase"]


def test_a_knowledge_base_is_made_changed_and_deleted(agent: Any) -> None:
    made = create(agent, "lived", description="first", tags={"team": "hr"})
    assert made["status"] == "CREATING"
    one = {"knowledgeBaseId": made["knowledgeBaseId"]}

    def status() -> str:
        return agent.get_knowledge_base(**one)["knowledgeBase"]["status"]

    eventually(status, lambda seen: seen == "ACTIVE")
    assert agent.list_tags_for_resource(resourceArn=made["knowledgeBaseArn"])["tags"] == {
        "team": "hr"
    }
    changed = agent.update_knowledge_base(
        **one,
        name="lived-on",
        roleArn=ROLE,
        knowledgeBaseConfiguration=VECTOR,
        storageConfiguration=STORAGE,
    )["knowledgeBase"]
    assert changed["name"] == "lived-on"
    assert "description" not in changed
    assert changed["updatedAt"] > made["updatedAt"]
    assert agent.delete_knowledge_base(**one)["status"] == "DELETING"
    assert status() == "DELETING"
    with pytest.raises(ClientError) as refused:
        eventually(status, lambda seen: False)
    assert code(refused) == "ResourceNotFoundException"


def test_names_are_unique(agent: Any, base: Base) -> None:
    create(agent, "only-one")
    with pytest.raises(ClientError, match="KnowledgeBase with name only-one already exists"):
        create(agent, "only-one")
    with pytest.raises(ClientError) as refused:
        agent.create_data_source(
            knowledgeBaseId=base.id, name="source", dataSourceConfiguration=CUSTOM
        )
    assert code(refused) == "ConflictException"


def test_a_repeated_call_makes_nothing_twice(agent: Any) -> None:
    token = "a-token-of-at-least-thirty-three-characters-2"
    first = create(agent, "repeated", clientToken=token)
    again = create(agent, "repeated", clientToken=token)
    assert again["knowledgeBaseId"] == first["knowledgeBaseId"]


def test_configurations_can_not_be_changed(agent: Any, base: Base) -> None:
    other = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": EMBEDDING}}
    with pytest.raises(ClientError) as refused:
        agent.update_knowledge_base(
            knowledgeBaseId=base.id,
            name="changed",
            roleArn=ROLE,
            knowledgeBaseConfiguration=other,
            storageConfiguration=STORAGE,
        )
    assert code(refused) == "ValidationException"
    with pytest.raises(ClientError, match="chunkingConfiguration can't be changed"):
        agent.update_data_source(
            **base.ids,
            name="source",
            dataSourceConfiguration=CUSTOM,
            vectorIngestionConfiguration={"chunkingConfiguration": {"chunkingStrategy": "NONE"}},
        )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {
                "knowledgeBaseConfiguration": {
                    "type": "VECTOR",
                    "vectorKnowledgeBaseConfiguration": {
                        "embeddingModelArn": EMBEDDING.replace(
                            "titan-embed-text-v2", "nova-lite-v1"
                        )
                    },
                }
            },
            "not an embedding model",
        ),
        ({"knowledgeBaseConfiguration": {"type": "SQL"}}, "type VECTOR and MANAGED"),
        (
            {"knowledgeBaseConfiguration": {"type": "MANAGED"}},
            "storageConfiguration is not supported",
        ),
    ],
)
def test_what_can_not_be_kept_is_refused(agent: Any, changes: Any, told: str) -> None:
    with pytest.raises(ClientError, match=told):
        create(agent, "refused", **changes)


def test_a_data_source_can_be_changed(knowledge: LocalAws, s3_bucket: Bucket) -> None:
    base = make(knowledge, s3_source(s3_bucket, "old/"))
    s3_bucket.put("new/cat.txt", "The cat sleeps.")
    changed = base.agent.update_data_source(
        **base.ids,
        name="renamed",
        dataSourceConfiguration=s3_source(s3_bucket, "new/"),
        dataDeletionPolicy="RETAIN",
    )["dataSource"]
    assert (changed["name"], changed["dataDeletionPolicy"]) == ("renamed", "RETAIN")
    assert base.sync()["statistics"]["numberOfNewDocumentsIndexed"] == 1


def test_a_knowledge_base_has_one_job_and_five_data_sources(
    knowledge: LocalAws, s3_bucket: Bucket
) -> None:
    base = make(knowledge, s3_source(s3_bucket))
    others = [
        base.agent.create_data_source(
            knowledgeBaseId=base.id,
            name=f"other-{number}",
            dataSourceConfiguration=s3_source(s3_bucket),
        )["dataSource"]["dataSourceId"]
        for number in range(4)
    ]
    with pytest.raises(ClientError) as refused:
        base.agent.create_data_source(
            knowledgeBaseId=base.id, name="sixth", dataSourceConfiguration=s3_source(s3_bucket)
        )
    assert code(refused) == "ServiceQuotaExceededException"
    job = base.agent.start_ingestion_job(**base.ids)["ingestionJob"]["ingestionJobId"]
    with pytest.raises(ClientError) as refused:
        base.agent.start_ingestion_job(knowledgeBaseId=base.id, dataSourceId=others[0])
    assert code(refused) == "ConflictException"
    assert base.ended(job)["status"] == "COMPLETE"


def test_lists_come_in_pages(agent: Any, base: Base) -> None:
    for number in range(3):
        agent.create_data_source(
            knowledgeBaseId=base.id, name=f"more-{number}", dataSourceConfiguration=CUSTOM
        )
    pages = list(
        agent.get_paginator("list_data_sources").paginate(
            knowledgeBaseId=base.id, PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["dataSourceSummaries"]) for page in pages] == [3, 1]
    listed = agent.get_paginator("list_knowledge_bases").paginate(PaginationConfig={"PageSize": 1})
    ids = [one["knowledgeBaseId"] for page in listed for one in page["knowledgeBaseSummaries"]]
    assert base.id in ids
    assert len(ids) == len(set(ids))
    with pytest.raises(ClientError) as refused:
        agent.list_knowledge_bases(nextToken="%%%")
    assert code(refused) == "ValidationException"


def test_tags_are_added_and_taken_away(agent: Any, base: Base) -> None:
    arn = agent.get_knowledge_base(knowledgeBaseId=base.id)["knowledgeBase"]["knowledgeBaseArn"]
    agent.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    agent.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert agent.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


@pytest.mark.parametrize(("policy", "left"), [("DELETE", 0), ("RETAIN", 1)])
def test_a_deletion_policy_says_whether_vectors_stay(
    knowledge: LocalAws, policy: str, left: int
) -> None:
    base = make(knowledge, CUSTOM, dataDeletionPolicy=policy)
    base.send(one="Bicycles are kept in the cellar.")
    assert base.agent.delete_data_source(**base.ids)["status"] == "DELETING"
    assert len(base.search("bicycles")) == left


def test_documents_are_sent_found_changed_and_deleted(base: Base) -> None:
    accepted = base.agent.ingest_knowledge_base_documents(
        **base.ids,
        documents=[
            sent("one", "Bicycles are kept in the cellar."),
            sent("two", "Umbrellas stand at the door.", inlineAttributes=[attribute("n", 2)]),
        ],
    )["documentDetails"]
    assert {one["status"] for one in accepted} == {"STARTING"}
    assert [one["status"] for one in base.settled("one", "two", "three")] == [
        "INDEXED",
        "INDEXED",
        "NOT_FOUND",
    ]
    best = base.search("Where is my bike?")[0]
    assert best["location"] == {"type": "CUSTOM", "customDocumentLocation": {"id": "one"}}
    assert base.search("umbrella")[0]["metadata"]["n"] == 2
    base.send(one="Bicycles are kept in the yard.")
    texts = [one["content"]["text"] for one in base.search("Where is my bike?")]
    assert texts[0] == "Bicycles are kept in the yard."
    assert len(texts) == 2
    deleted = base.agent.delete_knowledge_base_documents(
        **base.ids,
        documentIdentifiers=[
            {"dataSourceType": "CUSTOM", "custom": {"id": name}} for name in ("one", "three")
        ],
    )["documentDetails"]
    assert [one["status"] for one in deleted] == ["DELETING", "NOT_FOUND"]
    assert [one["status"] for one in base.settled("one")] == ["NOT_FOUND"]
    assert base.statuses() == {"two": "INDEXED"}


def test_a_document_is_found_in_its_old_version_until_its_new_one_is_there(base: Base) -> None:
    old = "Bicycles are kept in the cellar."
    base.send(one=old)
    for number in range(5):
        new = f"Bicycles are kept in shed {number}."
        seen = []

        def look(seen: list[str] = seen) -> str:
            (found,) = base.search("bicycles")
            seen.append(found["content"]["text"])
            return seen[-1]

        base.agent.ingest_knowledge_base_documents(**base.ids, documents=[sent("one", new)])
        eventually(look, lambda text, new=new: text == new)
        assert set(seen) <= {old, new}
        old = new


def test_what_was_asked_for_last_is_what_is_there(base: Base) -> None:
    chance = random.Random(11)
    truth: dict[str, str] = {}
    for number in range(24):
        name = chance.choice("abcde")
        if chance.random() < 0.3:
            truth.pop(name, None)
            base.agent.delete_knowledge_base_documents(
                **base.ids,
                documentIdentifiers=[{"dataSourceType": "CUSTOM", "custom": {"id": name}}],
            )
        else:
            truth[name] = f"Text {number} of {name}."
            base.agent.ingest_knowledge_base_documents(
                **base.ids, documents=[sent(name, truth[name])]
            )
    base.settled(*"abcde")
    found = base.search("text", numberOfResults=50)
    said = {one["metadata"]["x-amz-bedrock-kb-source-uri"]: one["content"]["text"] for one in found}
    assert said == truth
    assert len(found) == len(truth)


def test_a_document_that_can_not_be_read_says_why(base: Base) -> None:
    picture = sent("picture", "x")
    picture["content"]["custom"]["inlineContent"] = {
        "type": "BYTE",
        "byteContent": {"mimeType": "image/x-unknown", "data": b"\x00"},
    }
    page = sent("page", "x")
    page["content"]["custom"]["inlineContent"] = {
        "type": "BYTE",
        "byteContent": {"mimeType": "text/html", "data": b"<p>The cat sleeps.</p>"},
    }
    base.agent.ingest_knowledge_base_documents(
        **base.ids, documents=[picture, page, sent("blank", " ")]
    )
    failed, read, blank = base.settled("picture", "page", "blank")
    assert (failed["status"], read["status"], blank["status"]) == ("FAILED", "INDEXED", "FAILED")
    assert "format was not supported" in failed["statusReason"]
    assert "no text" in blank["statusReason"]
    assert base.search("cat")[0]["content"]["text"] == "The cat sleeps."


def test_documents_of_a_bucket_are_ingested_by_name(knowledge: LocalAws, s3_bucket: Bucket) -> None:
    base = make(knowledge, s3_source(s3_bucket))
    s3_bucket.put("cat.txt", "The cat sleeps.")
    s3_bucket.put("cat.txt.metadata.json", '{"metadataAttributes": {"legs": 4}}')
    uris = [f"s3://{s3_bucket.name}/{key}" for key in ("cat.txt", "dog.txt")]
    base.agent.ingest_knowledge_base_documents(
        **base.ids,
        documents=[
            {
                "content": {"dataSourceType": "S3", "s3": {"s3Location": {"uri": uri}}},
                "metadata": {
                    "type": "S3_LOCATION",
                    "s3Location": {"uri": f"{uris[0]}.metadata.json"},
                },
            }
            for uri in uris
        ],
    )
    wanted = {uris[0]: "INDEXED", uris[1]: "FAILED"}
    eventually(base.statuses, lambda seen: seen == wanted)
    assert base.search("cat")[0]["metadata"]["legs"] == 4
    statistics = base.sync()["statistics"]  # knows what was ingested; the other one is not there
    assert statistics["numberOfNewDocumentsIndexed"] == 0
    assert statistics["numberOfModifiedDocumentsIndexed"] == 0
    assert list(base.statuses()) == [uris[0]]


def test_a_document_of_another_kind_is_refused(base: Base) -> None:
    with pytest.raises(ClientError, match="does not match the type CUSTOM"):
        base.agent.ingest_knowledge_base_documents(
            **base.ids,
            documents=[
                {
                    "content": {
                        "dataSourceType": "S3",
                        "s3": {"s3Location": {"uri": "s3://bucket/key"}},
                    }
                }
            ],
        )
    with pytest.raises(ClientError, match="ValidationException"):
        base.agent.ingest_knowledge_base_documents(
            **base.ids, documents=[sent(str(number), "x") for number in range(11)]
        )


def test_what_was_accepted_is_done_after_a_restart(
    start_localaws: Callable[..., LocalAws],
) -> None:
    slow = start_localaws(None, LOCALAWS_SETTLE_SECONDS="0.1", LOCALAWS_INGESTION_SECONDS="600")
    base = make(slow, CUSTOM)
    names = [f"note-{number}" for number in range(8)]
    base.agent.ingest_knowledge_base_documents(
        **base.ids, documents=[sent(name, f"The text of {name}.") for name in names]
    )
    slow.process.kill()
    slow.stop()
    server = start_localaws(slow.state, LOCALAWS_INGESTION_SECONDS="0.1")
    base = Base(
        server,
        base.id,
        base.source,
        server.client("bedrock-agent"),
        server.client("bedrock-agent-runtime"),
    )
    assert {one["status"] for one in base.settled(*names)} == {"INDEXED"}
    assert len(base.search("text", numberOfResults=20)) == 8


def test_a_share_of_documents_fails_on_purpose(knowledge: LocalAws) -> None:
    base = make(knowledge, CUSTOM)
    names = [f"note-{number}" for number in range(10)]
    rule = {"fault": "partial", "share": 0.5, "operation": "IngestKnowledgeBaseDocuments"}
    with knowledge.faults(rule):
        base.agent.ingest_knowledge_base_documents(
            **base.ids, documents=[sent(name, f"The text of {name}.") for name in names]
        )
    details = base.settled(*names)
    failed = [one for one in details if one["status"] == "FAILED"]
    assert 0 < len(failed) < 10
    assert all(one["statusReason"] for one in failed)
    base.send(**{named(one["identifier"]): "Another try." for one in failed})
    assert set(base.statuses().values()) == {"INDEXED"}
