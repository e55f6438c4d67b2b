"""What an account needs for the sample corpus: buckets, guardrail, knowledge base, data source.

Plain boto3, as on AWS: where it goes is said by ``AWS_ENDPOINT_URL_…`` variables, or is AWS.
docs/aws.md says the same with the AWS command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

DOCUMENTS, KNOWLEDGE = "sluice-documents", "sluice-knowledge"
PREFIX = "handbook"
EMBEDDER = "amazon.titan-embed-text-v2:0"
READY_WITHIN = 120.0

BLOCKED_WORD = "Project Halcyon"
GUARDRAIL: Mapping[str, Any] = {
    "name": "sluice-handbook",
    "description": "A second net over what Sluice has masked.",
    "blockedInputMessaging": "This question is not answered here.",
    "blockedOutputsMessaging": "This answer is not given.",
    "wordPolicyConfig": {"wordsConfig": [{"text": BLOCKED_WORD}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [
            {"type": "CREDIT_DEBIT_CARD_NUMBER", "action": "ANONYMIZE"},
            {"type": "US_SOCIAL_SECURITY_NUMBER", "action": "BLOCK"},
            {"type": "AWS_SECRET_KEY", "action": "BLOCK"},
        ],
        # What only this company calls a number; the gate's rules do not know it.
        "regexesConfig": [
            {"name": "DEVICE", "pattern": r"\bD-\d{4}\b", "action": "ANONYMIZE"},
        ],
    },
    # An answer that its passages do not bear out, or that is about something else, is withheld.
    "contextualGroundingPolicyConfig": {
        "filtersConfig": [
            {"type": "GROUNDING", "threshold": 0.6},
            {"type": "RELEVANCE", "threshold": 0.4},
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Account:
    """What was made, by the ids that a corpus file names."""

    guardrail: str
    guardrail_version: str
    knowledge_base: str
    data_source: str

    def corpus(self, sample: str, opensearch: str) -> str:
        """Return the sample corpus file with this account's ids and an OpenSearch without login."""
        places = {
            "guardrailid0": self.guardrail,
            'version: "1"': f'version: "{self.guardrail_version}"',
            "KNOWLEDGE1": self.knowledge_base,
            "DATASOURC1": self.data_source,
            "https://search.example.com": opensearch,
            "auth: {kind: sigv4}": "auth: {kind: none}, replicas: 0",
        }
        for sample_value, value in places.items():
            if sample_value not in sample:
                raise ValueError(f"samples/aws/handbook.yaml has no {sample_value}")
            sample = sample.replace(sample_value, value)
        return sample


def create() -> Account:
    """Make everything; buckets that are there are used as they are.

    Raises:
        TimeoutError: The service did not finish making it.
    """
    for bucket in (DOCUMENTS, KNOWLEDGE):
        make_bucket(bucket)
    bedrock = boto3.client("bedrock")
    guardrail = bedrock.create_guardrail(**GUARDRAIL)["guardrailId"]
    _until(lambda: bedrock.get_guardrail(guardrailIdentifier=guardrail)["status"], "READY")
    version = bedrock.create_guardrail_version(guardrailIdentifier=guardrail)["version"]
    base, source = _knowledge_base()
    return Account(guardrail, version, base, source)


def upload(folder: Path, bucket: str = DOCUMENTS, prefix: str = PREFIX) -> int:
    """Put a folder's files, rights included, into a bucket; return how many."""
    s3 = boto3.client("s3")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        key = f"{prefix}/{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return len(files)


def make_bucket(name: str) -> None:
    """Make a bucket in the client's region, unless it is ours already."""
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **({} if region == "us-east-1" else where))
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def _knowledge_base() -> tuple[str, str]:
    """Make a knowledge base over Titan embeddings with one S3 data source; return their ids."""
    agent = boto3.client("bedrock-agent")
    region = agent.meta.region_name
    base = agent.create_knowledge_base(
        name="sluice-handbook",
        roleArn="arn:aws:iam::123456789012:role/sluice-knowledge-base",
        knowledgeBaseConfiguration={
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {
                "embeddingModelArn": f"arn:aws:bedrock:{region}::foundation-model/{EMBEDDER}"
            },
        },
        storageConfiguration={
            "type": "OPENSEARCH_SERVERLESS",
            "opensearchServerlessConfiguration": {
                "collectionArn": f"arn:aws:aoss:{region}:123456789012:collection/sluice0knowledge0",
                "vectorIndexName": "sluice-handbook",
                "fieldMapping": {
                    "vectorField": "vector",
                    "textField": "text",
                    "metadataField": "metadata",
                },
            },
        },
    )["knowledgeBase"]["knowledgeBaseId"]

    def base_status() -> str:
        found = agent.get_knowledge_base(knowledgeBaseId=base)
        return str(found["knowledgeBase"]["status"])

    _until(base_status, "ACTIVE")
    source = agent.create_data_source(
        knowledgeBaseId=base,
        name="masked-documents",
        dataSourceConfiguration={
            "type": "S3",
            "s3Configuration": {
                "bucketArn": f"arn:aws:s3:::{KNOWLEDGE}",
                "inclusionPrefixes": [f"{PREFIX}/"],
            },
        },
        # Sluice has cut the passages already.
        vectorIngestionConfiguration={"chunkingConfiguration": {"chunkingStrategy": "NONE"}},
    )["dataSource"]["dataSourceId"]
    return base, source


def _until(status: Callable[[], str], wanted: str) -> None:
    until = time.monotonic() + READY_WITHIN
    while (now := status()) != wanted:
        if now == "FAILED" or time.monotonic() > until:
            raise TimeoutError(f"Bedrock says {now} where {wanted} is waited for.")
        time.sleep(0.5)
