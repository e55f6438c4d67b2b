"""A real KMS server (moto's) on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.services.moto import endpoint


@pytest.fixture(scope="session")
def kms_endpoint() -> Iterator[str]:
    yield from endpoint()


@pytest.fixture
def kms_keys(kms_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """ARNs of two keys; the environment leads boto3 to the server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", kms_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "loopback")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "loopback-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = boto3.client("kms", endpoint_url=kms_endpoint, region_name="eu-west-1")
    return [client.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
