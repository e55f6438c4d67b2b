"""What the operations on knowledge bases share: ids, moments, look-ups, pages, repeated calls."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import string
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from localaws.operations import AwsError, Call
from localaws.state import State

KNOWLEDGE_BASE = "knowledge-base"
DATA_SOURCE = "data-source"
JOB = "ingestion-job"
SESSION = "knowledge-session"
TAGS = "knowledge-tags"
_REPEATED = "knowledge-repeat"
_REPEATED_SECONDS = 8 * 3600
_ALPHABET = string.ascii_uppercase + string.digits

Record = dict[str, Any]
T = TypeVar("T")


def new_id() -> str:
    """Return an id as the service makes them: ten capitals and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def now() -> str:
    """Return the moment, ISO 8601 with its zone."""
    return datetime.now(UTC).isoformat()


def moment(text: str) -> datetime:
    """Return a moment that `now` wrote."""
    return datetime.fromisoformat(text)


def seconds(variable: str, otherwise: float) -> float:
    """Return a duration from the environment, in seconds."""
    try:
        return max(0.0, float(os.environ.get(variable, otherwise)))
    except ValueError:
        return otherwise


def settle_seconds() -> float:
    """How long CREATING and DELETING last: ``LOCALAWS_SETTLE_SECONDS``, by default 0.3."""
    return seconds("LOCALAWS_SETTLE_SECONDS", 0.3)


def knowledge_base(state: State, identifier: str) -> Record:
    """Return a knowledge base's record by id or ARN, its status brought up to date.

    Raises:
        AwsError: ResourceNotFoundException.
    """
    name = identifier.rpartition("/")[2]
    found = _settled(state, KNOWLEDGE_BASE, name, "ACTIVE")
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Knowledge Base with id {name} does not exist")
    return found


def data_source(state: State, base: str, name: str) -> Record:
    """Return a data source's record, its status brought up to date.

    Raises:
        AwsError: ResourceNotFoundException, also for the knowledge base.
    """
    knowledge_base(state, base)
    found = _settled(state, DATA_SOURCE, f"{base}/{name}", "AVAILABLE")
    if found is None:
        raise AwsError("ResourceNotFoundException", f"DataSource with id {name} does not exist")
    return found


def available(state: State, base: str, name: str) -> Record:
    """Return a data source that can take documents.

    Raises:
        AwsError: ResourceNotFoundException; ValidationException while either is made or deleted.
    """
    active(state, base)
    found = data_source(state, base, name)
    if found["status"] != "AVAILABLE":
        raise AwsError(
            "ValidationException",
            f"The data source {name} is in status {found['status']}. Retry your request when its "
            "status is AVAILABLE.",
        )
    return found


def active(state: State, identifier: str) -> Record:
    """Return a knowledge base that can be used.

    Raises:
        AwsError: ResourceNotFoundException; ValidationException while it is made or deleted.
    """
    found = knowledge_base(state, identifier)
    if found["status"] != "ACTIVE":
        raise AwsError(
            "ValidationException",
            f"The knowledge base {found['id']} is in status {found['status']}. Retry your request "
            "when its status is ACTIVE.",
        )
    return found


def everything(state: State, kind: str, prefix: str, settled: str) -> list[tuple[str, Record]]:
    """Return records by id, their statuses brought up to date; those deleted are left out."""
    names = [name for name, _ in state.all(kind, prefix)]
    found = [(name, _settled(state, kind, name, settled)) for name in names]
    return [(name, record) for name, record in found if record is not None]


def _settled(state: State, kind: str, name: str, settled: str) -> Record | None:
    """Statuses follow the clock: what was asked for is there after `settle_seconds`."""
    record: Record | None = state.get(kind, name)
    if record is None or record["status"] not in ("CREATING", "UPDATING", "DELETING"):
        return record
    age = (datetime.now(UTC) - moment(record["changedAt"])).total_seconds()
    if age < settle_seconds():
        return record
    if record["status"] == "DELETING":
        state.delete(kind, name)
        return None
    record["status"] = settled
    state.put(kind, name, record)
    return record


def once(call: Call, scope: str, make: Callable[[], str]) -> tuple[str, bool]:
    """Make something, or find what a call with the same client token made.

    Returns:
        Its name, and whether it is new.
    """
    token = call.params.get("clientToken")
    if token is None:
        return make(), True
    key = f"{call.operation}/{scope}/{token}"
    with call.state.together():
        known = call.state.get(_REPEATED, key)
        if known is not None:
            return str(known["name"]), False
        name = make()
        call.state.put(_REPEATED, key, {"name": name, "at": now()})
        if secrets.randbelow(256) == 0:
            _forget_tokens(call.state)
        return name, True


def _forget_tokens(state: State) -> None:
    """Drop client tokens that nobody repeats any more."""
    for key, known in state.all(_REPEATED):
        if (datetime.now(UTC) - moment(known["at"])).total_seconds() > _REPEATED_SECONDS:
            state.delete(_REPEATED, key)


def page(
    items: Sequence[tuple[str, T]], size: int | None, token: str | None, most: int = 100
) -> tuple[list[T], str | None]:
    """Return one page of items in the order of their keys, and the token of the next.

    Raises:
        AwsError: ValidationException, for a token that this did not give.
    """
    size = size or most
    if token is not None:
        after = unseal(token)
        items = [item for item in items if item[0] > after]
    following = seal(items[size - 1][0]) if len(items) > size else None
    return [item for _, item in items[:size]], following


def seal(text: str) -> str:
    """Return a page's token."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def unseal(token: str) -> str:
    """Return what a page's token says.

    Raises:
        AwsError: ValidationException, for a token that `seal` did not give.
    """
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise AwsError("ValidationException", "The provided nextToken is invalid.") from error
