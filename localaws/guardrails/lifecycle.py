"""CreateGuardrail to DeleteGuardrail: a working draft, and numbered versions that stay as made."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from localaws.guardrails.settings import policies
from localaws.operations import AwsError, Call, operation
from localaws.state import State

DRAFT = "guardrail"
"""Kind of record of a guardrail's draft, by guardrail id."""
VERSION = "guardrail-version"
"""Kind of record of a numbered version, by ``id/number``, the number with leading zeros."""
REPEATABLE = "guardrail-request"
"""Kind of record of an answered request, by its clientRequestToken."""
SETTLING = "LOCALAWS_SETTLE_SECONDS"
"""Variable: how long a guardrail is CREATING, UPDATING or VERSIONING; by default 0.3."""
PAGE = 100
NO_SUCH = "The guardrail identifier or version provided in the request does not exist."

_LETTERS = string.ascii_lowercase + string.digits


@operation("bedrock", "CreateGuardrail")
def create_guardrail(call: Call) -> dict[str, Any]:
    """Make a guardrail with its draft."""
    made = policies(call.params)
    with call.state.together():
        if (before := _answered(call)) is not None:
            return before
        _name_is_free(call.state, call.params["name"])
        name = "".join(secrets.choice(_LETTERS) for _ in range(12))
        now = datetime.now(UTC)
        record = {
            "guardrailId": name,
            "guardrailArn": call.arn(f"guardrail/{name}"),
            "version": "DRAFT",
            "createdAt": now.isoformat(),
            "versions": 0,
            "tags": [dict(tag) for tag in call.params.get("tags", ())],
            **_written(call, made, now, "CREATING"),
        }
        call.state.put(DRAFT, name, record)
        answer = {key: record[key] for key in ("guardrailId", "guardrailArn", "version")}
        _remember(call, answer | {"createdAt": record["createdAt"]})
    return answer | {"createdAt": now}


@operation("bedrock", "UpdateGuardrail")
def update_guardrail(call: Call) -> dict[str, Any]:
    """Replace the draft's whole configuration; versions stay as they are."""
    made = policies(call.params)
    with call.state.together():
        record = draft(call.state, call.params["guardrailIdentifier"])
        _settled(record)
        if record["name"] != call.params["name"]:
            _name_is_free(call.state, call.params["name"])
        kept = ("guardrailId", "guardrailArn", "version", "createdAt", "versions", "tags")
        now = datetime.now(UTC)
        record = {key: record[key] for key in kept} | _written(call, made, now, "UPDATING")
        call.state.put(DRAFT, record["guardrailId"], record)
    answer = {key: record[key] for key in ("guardrailId", "guardrailArn", "version")}
    return answer | {"updatedAt": now}


@operation("bedrock", "CreateGuardrailVersion")
def create_guardrail_version(call: Call) -> dict[str, Any]:
    """Freeze the draft under the next number; numbers are never used again."""
    with call.state.together():
        if (before := _answered(call)) is not None:
            return before
        record = draft(call.state, call.params["guardrailIdentifier"])
        _settled(record)
        number = record["versions"] + 1
        now = datetime.now(UTC)
        name = record["guardrailId"]
        busy = {"during": "VERSIONING", "settled": _until(now)}
        frozen = {**record, **busy, "version": str(number)}
        frozen |= {"createdAt": now.isoformat(), "updatedAt": now.isoformat()}
        frozen.pop("description", None)
        if "description" in call.params:
            frozen["description"] = call.params["description"]
        call.state.put(VERSION, f"{name}/{number:08}", frozen)
        call.state.put(DRAFT, name, {**record, **busy, "versions": number})
        answer = {"guardrailId": name, "version": str(number)}
        _remember(call, answer)
    return answer


@operation("bedrock", "GetGuardrail")
def get_guardrail(call: Call) -> dict[str, Any]:
    """Show the draft or a version."""
    version = call.params.get("guardrailVersion", "DRAFT")
    record = guardrail(call.state, call.params["guardrailIdentifier"], version)
    if record is None:
        raise _missing(call.params["guardrailIdentifier"], version)
    hidden = {"versions", "tags", "during", "settled"}
    shown = {key: value for key, value in record.items() if key not in hidden}
    return shown | {"status": _status(record)} | _moments(record)


@operation("bedrock", "ListGuardrails")
def list_guardrails(call: Call) -> dict[str, Any]:
    """List every guardrail's draft, or the draft and versions of one."""
    if "guardrailIdentifier" in call.params:
        record = draft(call.state, call.params["guardrailIdentifier"])
        versions = call.state.all(VERSION, f"{record['guardrailId']}/")
        records = [record, *(one for _, one in versions)]
    else:
        records = [one for _, one in call.state.all(DRAFT)]
        records.sort(key=lambda one: one["createdAt"], reverse=True)
    start = _place(call.params.get("nextToken"))
    size = call.params.get("maxResults", PAGE)
    answer: dict[str, Any] = {
        "guardrails": [_summary(record) for record in records[start : start + size]]
    }
    if start + size < len(records):
        answer["nextToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


@operation("bedrock", "DeleteGuardrail")
def delete_guardrail(call: Call) -> dict[str, Any]:
    """Delete one version, or the guardrail with all its versions."""
    with call.state.together():
        record = draft(call.state, call.params["guardrailIdentifier"])
        _settled(record)
        name = record["guardrailId"]
        version = call.params.get("guardrailVersion")
        if version is not None:
            if not call.state.delete(VERSION, f"{name}/{int(version):08}"):
                raise _missing(call.params["guardrailIdentifier"], version)
            return {}
        for key, _ in call.state.all(VERSION, f"{name}/"):
            call.state.delete(VERSION, key)
        call.state.delete(DRAFT, name)
    return {}


def guardrail(state: State, identifier: str, version: str) -> dict[str, Any] | None:
    """Return the record of a guardrail's draft or version, or None.

    Args:
        identifier: An id or an ARN.
        version: A number or ``DRAFT``.
    """
    name = identifier.rpartition("/")[2]
    found = (
        state.get(DRAFT, name)
        if version == "DRAFT"
        else state.get(VERSION, f"{name}/{int(version):08}" if version.isdecimal() else "")
    )
    if found is None or (identifier.startswith("arn:") and found["guardrailArn"] != identifier):
        return None
    return dict(found)


def draft(state: State, identifier: str) -> dict[str, Any]:
    """Return a guardrail's draft.

    Raises:
        AwsError: ResourceNotFoundException.
    """
    record = guardrail(state, identifier, "DRAFT")
    if record is None:
        raise _missing(identifier, "DRAFT")
    return record


def _missing(identifier: str, version: str) -> AwsError:
    return AwsError(
        "ResourceNotFoundException",
        f"The guardrail with identifier {identifier} and version {version} was not found. "
        "Check the guardrail identifier and version, and try your request again.",
    )


def _written(call: Call, made: Mapping[str, Any], now: datetime, during: str) -> dict[str, Any]:
    """What a create or update request says, as it is kept."""
    params = call.params
    record: dict[str, Any] = {
        key: params[key]
        for key in ("name", "description", "blockedInputMessaging", "blockedOutputsMessaging")
        if key in params
    }
    if "crossRegionConfig" in params:
        profile = params["crossRegionConfig"]["guardrailProfileIdentifier"].rpartition("/")[2]
        if len(profile) > 30:  # as its own shape has it, though not the one of the request
            raise AwsError("ValidationException", "The guardrail profile identifier is invalid.")
        record["crossRegionDetails"] = {
            "guardrailProfileId": profile,
            "guardrailProfileArn": call.arn(f"guardrail-profile/{profile}"),
        }
    if "kmsKeyId" in params:
        key = params["kmsKeyId"]
        kind = "" if key.startswith("alias/") else "key/"
        record["kmsKeyArn"] = key if key.startswith("arn:") else call.arn(f"{kind}{key}", "kms")
    settled = _until(now)
    return {**record, **made, "updatedAt": now.isoformat(), "during": during, "settled": settled}


def _until(now: datetime) -> str:
    return (now + timedelta(seconds=float(os.environ.get(SETTLING, "0.3")))).isoformat()


def _status(record: Mapping[str, Any]) -> str:
    busy = datetime.now(UTC) < datetime.fromisoformat(record["settled"])
    return str(record["during"]) if busy else "READY"


def _settled(record: Mapping[str, Any]) -> None:
    status = _status(record)
    if status != "READY":
        raise AwsError(
            "ConflictException",
            f"The guardrail is in {status} status. Wait until it is READY and try again.",
        )


def _name_is_free(state: State, name: str) -> None:
    if any(record["name"] == name for _, record in state.all(DRAFT)):
        raise AwsError(
            "ConflictException", "Another guardrail in your account already has this name."
        )


def _moments(record: Mapping[str, Any]) -> dict[str, datetime]:
    return {key: datetime.fromisoformat(record[key]) for key in ("createdAt", "updatedAt")}


def _summary(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        key: record[key]
        for key in ("name", "description", "version", "crossRegionDetails")
        if key in record
    }
    ids = {"id": record["guardrailId"], "arn": record["guardrailArn"]}
    return {**shown, **ids, "status": _status(record), **_moments(record)}


def _place(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise AwsError("ValidationException", "The provided nextToken is invalid.") from None


def _answered(call: Call) -> dict[str, Any] | None:
    """What the same request with the same token was answered before."""
    token = call.params.get("clientRequestToken")
    kept = call.state.get(REPEATABLE, f"{call.operation}/{token}") if token else None
    if kept is None:
        return None
    if kept["params"] != repr(sorted(call.params.items())):
        raise AwsError(
            "ConflictException", "The client request token was used with other parameters."
        )
    answer = dict(kept["answer"])
    if "createdAt" in answer:
        answer["createdAt"] = datetime.fromisoformat(answer["createdAt"])
    return answer


def _remember(call: Call, answer: Mapping[str, Any]) -> None:
    token = call.params.get("clientRequestToken")
    if token:
        asked = repr(sorted(call.params.items()))
        call.state.put(REPEATABLE, f"{call.operation}/{token}", {"params": asked, "answer": answer})
