"""The control plane of models: which there are, and inference profiles over them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.models.catalogue import MODELS, PROFILE, PROFILES, Model, arn, known
from localaws.operations import AwsError, Call, operation

_SINCE = datetime(2024, 1, 1, tzinfo=UTC)


@operation("bedrock", "ListFoundationModels")
def list_foundation_models(call: Call) -> dict[str, Any]:
    """List models, by provider, output and inference type."""
    params = call.params
    provider = params.get("byProvider", "").lower()
    wanted = params.get("byOutputModality")
    found = [
        _summary(call, model)
        for model in MODELS.values()
        if provider in ("", model.provider.lower())
        and wanted in (None, _makes(model))
        and params.get("byInferenceType") in (None, "ON_DEMAND")
        and "byCustomizationType" not in params
    ]
    return {"modelSummaries": found}


@operation("bedrock", "GetFoundationModel")
def get_foundation_model(call: Call) -> dict[str, Any]:
    """Describe one model."""
    identifier = call.params["modelIdentifier"]
    model = None if identifier in PROFILES else known(identifier)
    if model is None:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    return {"modelDetails": _summary(call, model)}


@operation("bedrock", "CreateInferenceProfile")
def create_inference_profile(call: Call) -> dict[str, Any]:
    """Make an application inference profile of a model or of another profile."""
    params = call.params
    source = params["modelSource"]["copyFrom"]
    model = known(source, call.state)
    if model is None:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    identifier = secrets.token_hex(6)
    now = datetime.now(UTC).isoformat()
    record = {
        "name": params["inferenceProfileName"],
        "description": params.get("description"),
        "model": model.id,
        "created": now,
    }
    call.state.put(PROFILE, identifier, record)
    shown = _application(call, identifier, record)
    return {"inferenceProfileArn": shown["inferenceProfileArn"], "status": "ACTIVE"}


@operation("bedrock", "GetInferenceProfile")
def get_inference_profile(call: Call) -> dict[str, Any]:
    """Describe an inference profile, of AWS or of the caller."""
    identifier = call.params["inferenceProfileIdentifier"].rsplit("/", 1)[-1]
    if identifier in PROFILES:
        return _system(call, identifier, PROFILES[identifier])
    record = call.state.get(PROFILE, identifier)
    if record is None:
        raise _absent(identifier)
    return _application(call, identifier, record)


@operation("bedrock", "ListInferenceProfiles")
def list_inference_profiles(call: Call) -> dict[str, Any]:
    """List inference profiles, a page at a time."""
    params = call.params
    kind = params.get("typeEquals")
    found = []
    if kind in (None, "SYSTEM_DEFINED"):
        found += [_system(call, name, model) for name, model in sorted(PROFILES.items())]
    if kind in (None, "APPLICATION"):
        found += [_application(call, name, one) for name, one in call.state.all(PROFILE)]
    token, size = params.get("nextToken", "0"), params.get("maxResults", 100)
    if not token.isdecimal():
        raise AwsError("ValidationException", "The pagination token is invalid.")
    start = int(token)
    page: dict[str, Any] = {"inferenceProfileSummaries": found[start : start + size]}
    if start + size < len(found):
        page["nextToken"] = str(start + size)
    return page


@operation("bedrock", "DeleteInferenceProfile")
def delete_inference_profile(call: Call) -> dict[str, Any]:
    """Drop an application inference profile."""
    identifier = call.params["inferenceProfileIdentifier"].rsplit("/", 1)[-1]
    if not call.state.delete(PROFILE, identifier):
        raise _absent(identifier)
    return {}


def _absent(identifier: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Inference profile {identifier} is not found.")


def _summary(call: Call, model: Model) -> dict[str, Any]:
    return {
        "modelArn": arn(call, model),
        "modelId": model.id,
        "modelName": model.name[:20],
        "providerName": model.provider,
        "inputModalities": ["TEXT", "IMAGE"] if "image" in model.accepts else ["TEXT"],
        "outputModalities": [_makes(model)],
        "responseStreamingSupported": model.writes,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _makes(model: Model) -> str:
    return "EMBEDDING" if model.dimensions else "TEXT"


def _system(call: Call, identifier: str, model: Model) -> dict[str, Any]:
    region = identifier.split(".", 1)[0]
    title = re.sub(r"[^0-9A-Za-z_ -]+", " ", f"{region.upper()} {model.name}")
    return {
        "inferenceProfileName": " ".join(title.split()),
        "createdAt": _SINCE,
        "updatedAt": _SINCE,
        "inferenceProfileArn": call.arn(f"inference-profile/{identifier}"),
        "models": [{"modelArn": arn(call, model)}],
        "inferenceProfileId": identifier,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def _application(call: Call, identifier: str, record: Mapping[str, Any]) -> dict[str, Any]:
    created = datetime.fromisoformat(record["created"])
    return {
        "inferenceProfileName": record["name"],
        "description": record["description"],
        "createdAt": created,
        "updatedAt": created,
        "inferenceProfileArn": call.arn(f"application-inference-profile/{identifier}"),
        "models": [{"modelArn": arn(call, MODELS[record["model"]])}],
        "inferenceProfileId": identifier,
        "status": "ACTIVE",
        "type": "APPLICATION",
    }
