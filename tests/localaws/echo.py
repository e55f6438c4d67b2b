"""Operations for tests of the wire: they give back what they got, or do as they are told.

The server that has them is the fixture `echo`. They stand at operations whose shapes fit.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.operations import AwsError, Call, operation

_released: dict[str, threading.Event] = defaultdict(threading.Event)
MOMENT = datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)


@operation("bedrock-runtime", "InvokeModel")
def invoke_model(call: Call) -> Mapping[str, Any]:
    """Give back the body."""
    call.headers["x-amzn-bedrock-input-token-count"] = "100"
    return {"body": call.params.get("body", b""), "contentType": "application/octet-stream"}


@operation("bedrock-runtime", "InvokeModelWithResponseStream")
def invoke_stream(call: Call) -> Mapping[str, Any]:
    """Give back the body byte by byte; wait before the second until released by `release`."""
    body, model = call.params["body"], call.params["modelId"]

    def events() -> Iterator[Mapping[str, Any]]:
        try:
            for at in range(len(body)):
                if at == 1 and model == "waits":
                    _released[model].wait(30)
                yield {"chunk": {"bytes": body[at : at + 1]}}
            if model == "fails":
                members = {"originalStatusCode": 400}
                raise AwsError("ModelStreamErrorException", "It broke.", members)
            while model == "endless":
                yield {"chunk": {"bytes": b"again"}}
        finally:
            call.state.put("ended", model, True)

    return {"body": events(), "contentType": "application/json"}


@operation("bedrock", "ListCustomModels")
def list_custom_models(call: Call) -> Mapping[str, Any]:
    """Tell whether the stream that ``nameContains`` names has ended; nothing else is listed."""
    name = call.params.get("nameContains", "")
    _released[name].set()
    return {"nextToken": "ended" if call.state.get("ended", name) else "open"}


@operation("sagemaker-runtime", "InvokeEndpointWithResponseStream")
def invoke_endpoint_stream(call: Call) -> Mapping[str, Any]:
    """Give back the body as one payload part."""
    return {"Body": iter([{"PayloadPart": {"Bytes": call.params["Body"]}}])}


@operation("bedrock", "GetCustomModel")
def get_custom_model(call: Call) -> Mapping[str, Any]:
    """Make a result that its model does not allow."""
    return {
        "modelArn": call.arn("custom-model/amazon.titan-text-express-v1:0:8k/abcdefghijkl"),
        "modelName": "mine",
        "creationTime": MOMENT,
        "modelStatus": "Splendid",
        "secret": "no member of the model",
    }


@operation("bedrock", "DeleteCustomModel")
def delete_custom_model(call: Call) -> Mapping[str, Any]:
    """Fail as no operation should."""
    raise RuntimeError("what a document says")


@operation("bedrock", "GetImportedModel")
def get_imported_model(call: Call) -> Mapping[str, Any]:
    """Refuse as a service does."""
    raise AwsError("ResourceNotFoundException", "There is no such model.")


@operation("bedrock-agent", "IngestKnowledgeBaseDocuments")
def ingest(call: Call) -> Mapping[str, Any]:
    """Take each document but those that a fault makes fail."""
    details = [
        {
            "knowledgeBaseId": call.params["knowledgeBaseId"],
            "dataSourceId": call.params["dataSourceId"],
            "status": "FAILED" if call.faults.fails() else "INDEXED",
            "identifier": {"dataSourceType": "CUSTOM", "custom": {"id": f"document-{number}"}},
            "updatedAt": MOMENT,
        }
        for number in range(len(call.params["documents"]))
    ]
    return {"documentDetails": details}
