"""Look for the identifiers planted in the sample documents in what both targets' services hold."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from samples.airflow_home import ROOT
from samples.aws.account import KNOWLEDGE


def planted() -> set[str]:
    """Return every identifier that `samples/make_handbook.py` put into the documents."""
    listed = json.loads((ROOT / "samples" / "planted.json").read_text(encoding="utf-8"))
    return {one["text"] for one in listed}


def kept(opensearch: str) -> Iterator[str]:
    """Yield all that the bucket and OpenSearch hold, keys and ids included."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=KNOWLEDGE):
        for item in page.get("Contents", ()):
            yield item["Key"]
            body = s3.get_object(Bucket=KNOWLEDGE, Key=item["Key"])["Body"].read()
            yield body.decode("utf-8", errors="replace")
    with OpenSearch(opensearch.split(",")) as client:
        for document in scan(client, index="*", query={"query": {"match_all": {}}}):
            yield json.dumps(document, ensure_ascii=False)


def found(opensearch: str) -> tuple[int, int, set[str]]:
    """Return how many texts were looked into, for how many identifiers, and those found."""
    texts, wanted = list(kept(opensearch)), planted()
    return len(texts), len(wanted), {one for one in wanted if any(one in text for text in texts)}
