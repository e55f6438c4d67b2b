"""What an operation is here: a function of one `Call`, registered under its service and name.

A file of operations looks like this::

    @operation("bedrock", "GetGuardrail")
    def get_guardrail(call: Call) -> dict[str, Any]:
        found = call.state.get("guardrail", call.params["guardrailIdentifier"])
        if found is None:
            raise AwsError("ResourceNotFoundException", "The guardrail does not exist.")
        return found

Parameters and results have the shapes that boto3 takes and gives (botocore's service models):
members by their names, blobs as bytes, timestamps as aware datetimes, documents as plain values.
Both are checked against the model outside of the function. A member that is an event stream is an
iterator over events, one ``{name: members}`` each; raising `AwsError` in it sends an exception
event.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.state import State

ACCOUNT = "123456789012"

Operation = Callable[["Call"], Mapping[str, Any]]

OPERATIONS: dict[tuple[str, str], Operation] = {}
"""By service, as botocore names it (``bedrock-agent-runtime``), and operation."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What an operation is asked to do badly, see `localaws.faults`.

    Attributes:
        partial: Share of a batch's items that are to fail, 0 to 1.
        draw: Gives the next number in [0, 1); the same ones under the same seed.
    """

    partial: float = 0.0
    draw: Callable[[], float] = random.random

    def fails(self) -> bool:
        """Tell whether the next item of a batch is to fail."""
        return self.partial > 0.0 and self.draw() < self.partial


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked.

    Attributes:
        params: As boto3's caller gave them.
        state: What survives a restart.
        account: Of the caller.
        faults: What to do badly.
        headers: More headers of the response, which the operation may add, for example
            ``x-amzn-bedrock-input-token-count``.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    state: State
    region: str = "us-east-1"
    account: str = ACCOUNT
    faults: Faults = Faults()
    headers: dict[str, str] = field(default_factory=dict)

    def arn(self, resource: str, service: str = "bedrock") -> str:
        """Return an ARN in the caller's region and account, for example of ``guardrail/abc``."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass
class AwsError(Exception):
    """What AWS answers instead of a result.

    Attributes:
        code: An exception shape of the service's model, for example ``ValidationException``.
        members: Of that shape, beside the message.
        status: The HTTP status, if not the one that the service's model has for the code.
    """

    code: str
    message: str
    members: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None


def operation(service: str, name: str) -> Callable[[Operation], Operation]:
    """Register the function that follows."""

    def register(function: Operation) -> Operation:
        OPERATIONS[service, name] = function
        return function

    return register
