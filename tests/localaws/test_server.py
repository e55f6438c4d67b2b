"""The server and its fixtures."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.services.localaws import LocalAws


def test_boto3_finds_the_server_by_the_environment_alone(aws: LocalAws) -> None:
    aws.forget_calls()
    with pytest.raises(ClientError) as refused:
        boto3.client("bedrock").list_imported_models()
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert aws.calls("ListImportedModels") == 1 + refused.value.response["ResponseMetadata"].get(
        "RetryAttempts", 0
    )
