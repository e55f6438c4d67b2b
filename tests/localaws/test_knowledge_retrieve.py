"""Search, rights and cited answers, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.knowledge_bases import (
    MANAGED,
    Base,
    attribute,
    chunked,
    describe,
    make,
    sent,
)
from tests.services.localaws import LocalAws
from tests.services.s3 import Bucket

CUSTOM = {"type": "CUSTOM"}
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
NOTES = {
    "leave": "Parental leave lasts sixteen weeks. It is paid in full.",
    "travel": "Rail journeys are booked in second class. Flights need a manager's approval.",
    "badge": "A lost badge is reported to the front desk within an hour.",
    "canteen": "The canteen opens at noon and serves vegetarian dishes every day.",
    "part": "Part number QX-7731 replaces the older valve in all pumps.",
}


@pytest.fixture(scope="module")
def notes(knowledge: LocalAws) -> Base:
    base = make(knowledge, CUSTOM)
    base.agent.ingest_knowledge_base_documents(
        **base.ids,
        documents=[
            sent(
                name,
                text,
                inlineAttributes=[
                    attribute("name", name),
                    attribute("length", len(text)),
                    attribute("readers", ["group:staff", f"user:{name}"]),
                ],
            )
            for name, text in NOTES.items()
        ],
    )
    assert {one["status"] for one in base.settled(*NOTES)} == {"INDEXED"}
    return base


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["metadata"]["name"] for one in found]


def test_a_search_finds_what_is_meant(notes: Base) -> None:
    found = notes.search("How many weeks may new parents stay at home?", numberOfResults=2)
    assert names(found)[0] == "leave"
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_a_hybrid_search_finds_what_is_spelt(notes: Base) -> None:
    found = notes.search("QX-7731", overrideSearchType="HYBRID", numberOfResults=1)
    assert names(found) == ["part"]


def test_a_filter_holds_in_every_search(notes: Base) -> None:
    either = {
        "andAll": [
            {"listContains": {"key": "readers", "value": "group:staff"}},
            {
                "orAll": [
                    {"equals": {"key": "name", "value": "badge"}},
                    {"listContains": {"key": "readers", "value": "user:canteen"}},
                ]
            },
        ]
    }
    for kind in ("SEMANTIC", "HYBRID"):
        found = notes.search("parental leave", filter=either, overrideSearchType=kind)
        assert sorted(names(found)) == ["badge", "canteen"]
    source = {"key": "x-amz-bedrock-kb-data-source-id", "value": notes.source}
    assert len(notes.search("leave", filter={"equals": source})) == 5
    assert notes.search("leave", filter={"notEquals": source}) == []


def test_pages_follow_each_other_without_gap_or_repetition(notes: Base) -> None:
    asked = {
        "knowledgeBaseId": notes.id,
        "retrievalQuery": {"text": "work"},
        "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": 2}},
    }
    pages = list(notes.runtime.get_paginator("retrieve").paginate(**asked))
    assert [len(page["retrievalResults"]) for page in pages] == [2, 2, 1]
    found = [name for page in pages for name in names(page["retrievalResults"])]
    assert sorted(found) == sorted(NOTES)
    assert found == names(notes.search("work"))
    with pytest.raises(ClientError, match="of another request"):
        notes.runtime.retrieve(
            **asked | {"retrievalQuery": {"text": "other"}}, nextToken=pages[0]["nextToken"]
        )


def test_a_reranking_model_has_the_last_word(notes: Base) -> None:
    reranking = {
        "type": "BEDROCK_RERANKING_MODEL",
        "bedrockRerankingConfiguration": {
            "modelConfiguration": {"modelArn": MODEL.replace("nova-lite-v1:0", "rerank-v1:0")},
            "numberOfRerankedResults": 2,
            "metadataConfiguration": {"selectionMode": "ALL"},
        },
    }
    found = notes.search("vegetarian food", numberOfResults=5, rerankingConfiguration=reranking)
    assert names(found)[0] == "canteen"
    assert len(found) == 2


@pytest.mark.parametrize(
    ("query", "configuration", "code"),
    [
        ({"text": " "}, {}, "ValidationException"),
        ({"text": "x"}, {"managedSearchConfiguration": {}}, "ValidationException"),
        (
            {"text": "x"},
            {"vectorSearchConfiguration": {"filter": {"in": {"key": "a", "value": "b"}}}},
            "ValidationException",
        ),
        (
            {"text": "x"},
            {"vectorSearchConfiguration": {"numberOfResults": 101}},
            "ValidationException",
        ),
        ({"type": "IMAGE"}, {}, "NotImplementedException"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    notes: Base, query: Any, configuration: Any, code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        notes.runtime.retrieve(
            knowledgeBaseId=notes.id, retrievalQuery=query, retrievalConfiguration=configuration
        )
    assert refused.value.response["Error"]["Code"] == code


def test_a_store_without_words_refuses_to_search_by_them(knowledge: LocalAws) -> None:
    arn = "arn:aws:s3vectors:us-east-1:123456789012:bucket/vectors"
    storage = {
        "type": "S3_VECTORS",
        "s3VectorsConfiguration": {"vectorBucketArn": arn, "indexName": "passages"},
    }
    base = make(knowledge, CUSTOM, storage=storage)
    with pytest.raises(ClientError, match="HYBRID search type is not supported"):
        base.search("x", overrideSearchType="HYBRID")


def ask(base: Base, question: str, **more: Any) -> dict[str, Any]:
    generation = more.pop("generationConfiguration", {})
    vector = more.pop("vector", {"numberOfResults": 3})
    return {
        "input": {"text": question},
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": {
                "knowledgeBaseId": base.id,
                "modelArn": MODEL,
                "retrievalConfiguration": {"vectorSearchConfiguration": vector},
                **({"generationConfiguration": generation} if generation else {}),
            },
        },
        **more,
    }


def test_an_answer_cites_where_it_is_from(notes: Base) -> None:
    answer = notes.runtime.retrieve_and_generate(**ask(notes, "How long is parental leave?"))
    text = answer["output"]["text"]
    assert "sixteen weeks" in text
    part = answer["citations"][0]["generatedResponsePart"]["textResponsePart"]
    span = part["span"]
    assert text[span["start"] : span["end"] + 1] == part["text"]
    (reference,) = answer["citations"][0]["retrievedReferences"]
    assert reference["metadata"]["name"] == "leave"
    assert reference["location"]["customDocumentLocation"]["id"] == "leave"


def test_a_session_goes_on_and_a_strange_one_is_refused(notes: Base) -> None:
    first = notes.runtime.retrieve_and_generate(**ask(notes, "How long is parental leave?"))
    second = notes.runtime.retrieve_and_generate(
        **ask(notes, "When does the canteen open?", sessionId=first["sessionId"])
    )
    assert second["sessionId"] == first["sessionId"]
    assert "noon" in second["output"]["text"]
    with pytest.raises(ClientError, match="is not valid"):
        notes.runtime.retrieve_and_generate(**ask(notes, "What?", sessionId="strange"))


def test_a_template_is_what_the_model_reads(notes: Base) -> None:
    template = {"textPromptTemplate": "Passages:\n$search_results$\n\nQuestion: $query$"}
    answer = notes.runtime.retrieve_and_generate(
        **ask(
            notes,
            "When does the canteen open?",
            generationConfiguration={"promptTemplate": template},
        )
    )
    assert "noon" in answer["output"]["text"]
    with pytest.raises(ClientError, match="search_results"):
        notes.runtime.retrieve_and_generate(
            **ask(
                notes,
                "When?",
                generationConfiguration={"promptTemplate": {"textPromptTemplate": "No place."}},
            )
        )


def test_a_stream_says_the_same_in_pieces(notes: Base) -> None:
    asked = ask(notes, "How long is parental leave?")
    whole = notes.runtime.retrieve_and_generate(**asked)
    streamed = notes.runtime.retrieve_and_generate_stream(**asked)
    events = list(streamed["stream"])
    text = "".join(one["output"]["text"] for one in events if "output" in one)
    assert text == whole["output"]["text"]
    assert len([one for one in events if "output" in one]) > 1
    citations = [one["citation"]["citation"] for one in events if "citation" in one]
    assert citations == whole["citations"]


def test_external_sources_are_told_to_be_missing(notes: Base) -> None:
    with pytest.raises(ClientError) as refused:
        notes.runtime.retrieve_and_generate(
            input={"text": "What?"},
            retrieveAndGenerateConfiguration={
                "type": "EXTERNAL_SOURCES",
                "externalSourcesConfiguration": {
                    "modelArn": MODEL,
                    "sources": [{"sourceType": "S3", "s3Location": {"uri": "s3://bucket/key.txt"}}],
                },
            },
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.fixture(scope="module")
def guardrail(knowledge: LocalAws) -> dict[str, str]:
    made = knowledge.client("bedrock").create_guardrail(
        name="no-valves",
        wordPolicyConfig={"wordsConfig": [{"text": "valve"}]},
        blockedInputMessaging="That is not asked here.",
        blockedOutputsMessaging="That is not said here.",
    )
    return {"guardrailId": made["guardrailId"], "guardrailVersion": "DRAFT"}


def test_a_guardrail_stands_before_the_search_and_after_the_answer(
    notes: Base, guardrail: dict[str, str]
) -> None:
    generation = {"guardrailConfiguration": guardrail}
    blocked = notes.runtime.retrieve_and_generate(
        **ask(notes, "Which valve is old?", generationConfiguration=generation)
    )
    assert blocked["guardrailAction"] == "INTERVENED"
    assert blocked["output"]["text"] == "That is not asked here."
    assert blocked["citations"][0]["retrievedReferences"] == []
    answered = notes.runtime.retrieve_and_generate(
        **ask(notes, "What does QX-7731 replace?", generationConfiguration=generation)
    )
    assert answered["guardrailAction"] == "INTERVENED"
    assert answered["output"]["text"] == "That is not said here."
    fine = notes.runtime.retrieve_and_generate(
        **ask(notes, "When does the canteen open?", generationConfiguration=generation)
    )
    assert fine["guardrailAction"] == "NONE"
    search = {
        "knowledgeBaseId": notes.id,
        "guardrailConfiguration": guardrail,
        "retrievalQuery": {"text": "valve"},
    }
    refused = notes.runtime.retrieve(**search)
    assert (refused["guardrailAction"], refused["retrievalResults"]) == ("INTERVENED", [])


def allow(*users: str, deny: tuple[str, ...] = ()) -> list[dict[str, str]]:
    entries = [(user, "ALLOW") for user in users] + [(user, "DENY") for user in deny]
    return [{"name": user, "type": "USER", "access": access} for user, access in entries]


def capital(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{key.capitalize(): value for key, value in one.items()} for one in entries]


def connector(**parameters: Any) -> dict[str, Any]:
    return {
        "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
        "managedKnowledgeBaseConnectorConfiguration": {
            "connectorParameters": {"version": "1", **parameters}
        },
    }


def found_by(base: Base, user: str | None) -> list[str]:
    found = base.search("anything", user=user, managed=True, numberOfResults=50)
    return sorted(one["documentId"].rpartition("/")[2] for one in found)


def test_documents_that_carry_rights_are_found_by_whom_they_allow(knowledge: LocalAws) -> None:
    base = make(knowledge, connector(type="CUSTOM", aclEnabled=True), MANAGED, None)
    rights = {"ann": allow("ann@x"), "both": allow("ann@x", "bob@x"), "none": None}
    rights["denied"] = allow("ann@x", "bob@x", deny=("ann@x",))
    base.agent.ingest_knowledge_base_documents(
        **base.ids,
        documents=[
            sent(name, f"A note for {name}.", **({"accessControlList": acl} if acl else {}))
            for name, acl in rights.items()
        ],
    )
    statuses = {one["identifier"]["custom"]["id"]: one["status"] for one in base.settled(*rights)}
    assert statuses == {"ann": "INDEXED", "both": "INDEXED", "denied": "INDEXED", "none": "IGNORED"}
    assert found_by(base, "ann@x") == ["ann", "both"]
    assert found_by(base, "bob@x") == ["both", "denied"]
    assert found_by(base, "eve@x") == []
    assert found_by(base, None) == []

    def access(name: str, user: str) -> bool:
        return base.runtime.check_ingested_document_acl(
            **base.ids, documentId=name, userContext={"userId": user}
        )["hasAccess"]

    assert access("ann", "ann@x")
    assert not access("denied", "ann@x")
    assert not access("ann", "eve@x")
    acl = base.runtime.get_ingested_document_acl(**base.ids, documentId="denied")["documentAcl"]
    assert [one["id"] for one in acl["denyList"]["conditions"][0]["users"]] == ["ann@x"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        access("none", "ann@x")
    base.agent.ingest_knowledge_base_documents(  # rights change, the text does not
        **base.ids, documents=[sent("ann", "A note for ann.", accessControlList=allow("eve@x"))]
    )
    base.settled("ann")
    assert found_by(base, "eve@x") == ["ann"]
    assert found_by(base, "ann@x") == ["both"]


def test_rights_come_from_files_of_a_bucket(knowledge: LocalAws, s3_bucket: Bucket) -> None:
    for key in ("hr/a.txt", "hr/b.txt", "open/c.txt"):
        s3_bucket.put(key, f"The note {key}.")
    s3_bucket.put(
        "acl.json",
        json.dumps(
            [
                {
                    "keyPrefix": f"s3://{s3_bucket.name}/hr/",
                    "aclEntries": capital(allow("ann@x")),
                }
            ]
        ),
    )
    describe(s3_bucket, "hr/b.txt", acl=capital(allow("bob@x")))
    base = make(
        knowledge,
        connector(
            type="S3",
            aclEnabled=True,
            connectionConfiguration={"bucketName": s3_bucket.name},
            aclConfiguration={"globalAccessControlListS3Uri": f"s3://{s3_bucket.name}/acl.json"},
        ),
        MANAGED,
        None,
    )
    statistics = base.sync()["statistics"]
    assert statistics["numberOfNewDocumentsIndexed"] == 2
    assert statistics["numberOfDocumentsSkipped"] == 1
    assert found_by(base, "ann@x") == ["a.txt"]
    assert found_by(base, "bob@x") == ["b.txt"]
    (found,) = base.search("note", user="bob@x", managed=True)
    uri = f"https://{s3_bucket.name}.s3.amazonaws.com/hr/b.txt"
    assert found["location"]["s3Location"]["uri"] == uri
    s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key="acl.json")
    assert base.sync()["statistics"]["numberOfDocumentsDeleted"] == 1
    assert found_by(base, "ann@x") == []


def test_a_job_that_would_delete_too_much_deletes_nothing(
    knowledge: LocalAws, s3_bucket: Bucket
) -> None:
    for number in range(4):
        s3_bucket.put(f"{number}.txt", f"The note {number}.")
    source = connector(type="S3", connectionConfiguration={"bucketName": s3_bucket.name})
    source["managedKnowledgeBaseConnectorConfiguration"]["deletionProtectionConfiguration"] = {
        "deletionProtectionStatus": "ENABLED",
        "deletionProtectionThreshold": 25,
    }
    base = make(knowledge, source, MANAGED, None)
    base.sync()
    for number in (0, 1):
        s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key=f"{number}.txt")
    assert base.sync()["statistics"]["numberOfDocumentsDeleted"] == 0
    s3_bucket.put("1.txt", "The note 1.")
    assert base.sync()["statistics"]["numberOfDocumentsDeleted"] == 1


def test_managed_and_own_vectors_are_not_confused(knowledge: LocalAws, notes: Base) -> None:
    with pytest.raises(ClientError, match="only supported for managed"):
        notes.search("x", user="ann@x")
    managed = make(knowledge, connector(type="CUSTOM"), MANAGED, None)
    managed.send(one="Free for all.")
    assert found_by(managed, None) == ["one"]
    with pytest.raises(ClientError, match="managedSearchConfiguration"):
        managed.search("x")
    with pytest.raises(ClientError, match="can't be used with managed"):
        managed.runtime.retrieve_and_generate(**ask(managed, "x"))
    with pytest.raises(ClientError, match="managed embedding model"):
        make(knowledge, connector(type="CUSTOM"), MANAGED, None, **chunked("NONE"))
