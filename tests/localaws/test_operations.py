"""Every operation of the five services: those that are here answer, the others say so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, EventStreamError
from hypothesis import given
from hypothesis import strategies as st

from localaws.admin import supported
from localaws.app import load_operations
from localaws.page import operations_page
from localaws.wire.shapes import SERVICES, service_model
from tests.localaws.conftest import send, signed
from tests.localaws.drawn import relaxed, values
from tests.services.localaws import ROOT, LocalAws

load_operations()
HERE = [f"{service} {name}" for service, names in supported().items() for name in names]
NOT_HERE = [
    f"{service} {name}"
    for service in SERVICES
    for name in service_model(service).operations
    if f"{service} {name}" not in HERE
]
PAGE = Path(ROOT, "docs", "localaws-operations.md")


def test_the_page_of_operations_is_up_to_date() -> None:
    assert PAGE.read_text() == operations_page(), "python -m localaws.page > docs/…"


def test_a_server_tells_the_same_operations(localaws: LocalAws) -> None:
    assert localaws.admin("operations") == supported()


@pytest.mark.parametrize(
    ("service", "needed"),
    [
        ("bedrock", {"CreateGuardrail", "GetGuardrail", "ListFoundationModels"}),
        (
            "bedrock-runtime",
            {
                "ApplyGuardrail",
                "Converse",
                "ConverseStream",
                "CountTokens",
                "InvokeModel",
                "InvokeModelWithResponseStream",
            },
        ),
        (
            "bedrock-agent",
            {
                "CreateDataSource",
                "CreateKnowledgeBase",
                "DeleteKnowledgeBaseDocuments",
                "GetKnowledgeBaseDocuments",
                "IngestKnowledgeBaseDocuments",
                "ListKnowledgeBaseDocuments",
                "StartIngestionJob",
                "StopIngestionJob",
            },
        ),
        (
            "bedrock-agent-runtime",
            {"Rerank", "Retrieve", "RetrieveAndGenerate", "RetrieveAndGenerateStream"},
        ),
        ("sagemaker-runtime", {"InvokeEndpoint", "InvokeEndpointWithResponseStream"}),
    ],
)
def test_what_the_ecosystem_calls_is_here(service: str, needed: set[str]) -> None:
    assert needed <= set(supported()[service])


def test_each_operation_that_is_not_here_says_so_by_name(localaws: LocalAws) -> None:
    for one in NOT_HERE:
        service, _, name = one.partition(" ")
        model = service_model(service)
        operation = model.operations[name]
        path = re.sub(r"\{\w+\}", "a", operation.path)
        headers = signed(localaws, operation.method, path, service=model.signing_name)
        reply = send(localaws, operation.method, path, headers=headers)
        told = reply.headers["x-amzn-errortype"]
        shared = (operation.method, operation.path) in _paths_here()
        assert shared or (reply.status, told) == (501, "NotImplementedException"), one
        assert shared or f" {name} of {service}".encode() in reply.body


def _paths_here() -> set[tuple[str, str]]:
    """Methods and paths that two services share: the one that is here answers."""
    found = (one.partition(" ") for one in HERE)
    operations = (service_model(service).operations[name] for service, _, name in found)
    return {(one.method, one.path) for one in operations}


@relaxed
@given(st.data())
def test_no_request_that_the_model_allows_breaks_the_server(
    localaws: LocalAws, data: st.DataObject
) -> None:
    service, _, name = data.draw(st.sampled_from(HERE)).partition(" ")
    operation = service_model(service).operations[name]
    params = data.draw(values(operation.input))
    client = localaws.client(service, read_timeout=60)
    status, code = _outcome(client, name, params, operation.output.payload)
    assert status < 500 or code == "NotImplementedException", (service, name, code)
    assert code in {
        "",
        "NotImplementedException",  # of a part of what the operation can do at AWS
        "ValidationException",
        *service_model(service).errors,
        *COMMON_ERRORS.get(service, ()),
    }


COMMON_ERRORS = {"sagemaker-runtime": {"ValidationError"}}
"""What a service answers beside the exceptions of its model."""


def _outcome(client: Any, name: str, params: Any, payload: str | None) -> tuple[int, str]:
    """Return the status and the error's code, if there is one."""
    try:
        answer = getattr(client, xform_name(name))(**params)
        if payload is not None:
            for _ in answer[payload]:
                pass
    except EventStreamError as error:
        code = str(error.response["Error"]["Code"])
        return (500 if "nternal" in code else 200), code[:1].upper() + code[1:]
    except ClientError as error:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return status, str(error.response["Error"]["Code"])
    return 200, ""
