"""What went wrong in a call to AWS, and what a person can do about it.

AWS's own messages are read here for fixed phrases and never passed on: a validation message may
quote what was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from rag.errors import ServiceFailed, ServiceRefused

Kind = Literal["throttled", "failed", "expired", "refused"]

THROTTLES = frozenset(
    {
        *("ThrottlingException", "Throttling", "ThrottledException", "RequestThrottledException"),
        *("TooManyRequestsException", "TooManyRequests", "RequestLimitExceeded", "SlowDown"),
        *("ServiceQuotaExceededException", "LimitExceededException", "ModelNotReadyException"),
        "ProvisionedThroughputExceededException",
    }
)
FAILURES = frozenset(
    {
        *("InternalServerException", "InternalServerError", "InternalFailure", "InternalError"),
        *("ServiceUnavailableException", "ServiceUnavailable", "ModelTimeoutException"),
        *("ModelErrorException", "ModelStreamErrorException", "DependencyFailedException"),
        *("InternalDependencyException", "RequestTimeout", "RequestTimeoutException"),
        *("BadGatewayException", "InternalStreamFailure"),
    }
)
EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "TokenRefreshRequired"})

_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z*]{1,60})")
_CREDENTIALS = (
    "Give credentials: an Airflow connection (aws.connection), a role, a profile, or the AWS_… "
    "variables."
)
_HINTS = {
    "UnrecognizedClientException": "AWS does not know this access key. " + _CREDENTIALS,
    "InvalidClientTokenId": "AWS does not know this access key. " + _CREDENTIALS,
    "MissingAuthenticationToken": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "InvalidSignatureException": "Check the secret access key, and this machine's clock.",
    "SignatureDoesNotMatch": "Check the secret access key, and this machine's clock.",
    "RequestExpired": "Set this machine's clock.",
    "ResourceNotFoundException": "Check the name in the corpus file, and that aws.region is where "
    "it is; a model must be offered in that region.",
    "ConflictException": "Something else is changing the same resource; try again when it is done.",
}
_PHRASES = (
    (
        "access to the model",
        "Enable access to this model in the Bedrock console of this region (Model access).",
    ),
    (
        "on-demand throughput",
        "This model needs an inference profile: put us., eu., apac. or global. before its id.",
    ),
    (
        "model identifier is invalid",
        "Check the model id in the corpus file, and that aws.region offers it.",
    ),
    (
        "end of its life",
        "AWS has retired this model: name a newer one in the corpus file.",
    ),
    ("not found", "Check the name in the corpus file, and that aws.region is where it is."),
    ("too many input tokens", "Lower chunk.max_tokens or answer.context_tokens."),
    ("input is too long", "Lower chunk.max_tokens or answer.context_tokens."),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt.

    Attributes:
        kind: throttled and failed are worth another attempt; expired, with new credentials;
            refused is not.
        code: AWS's name for it, or botocore's.
        operation: That was called, or empty.
        hint: What to do.
    """

    kind: Kind
    code: str
    operation: str = ""
    hint: str = ""


def fault(error: BaseException) -> Fault | None:
    """Return what an exception of a call means; None when it is not one of a service's."""
    from botocore import exceptions as known
    from botocore.parsers import ResponseParserError

    name = type(error).__name__
    if isinstance(error, known.ClientError):
        return _answered(error)
    if isinstance(
        error,
        known.NoCredentialsError
        | known.PartialCredentialsError
        | known.CredentialRetrievalError
        | known.TokenRetrievalError
        | known.UnauthorizedSSOTokenError
        | known.SSOError
        | known.ProfileNotFound,
    ):
        return Fault("refused", name, hint=f"There are no usable credentials. {_CREDENTIALS}")
    if isinstance(error, known.NoRegionError):
        return Fault("refused", name, hint="Set aws.region in the corpus file, or AWS_REGION.")
    if isinstance(error, known.SSLError):
        return Fault("refused", name, hint="Check the endpoint's certificate, or AWS_CA_BUNDLE.")
    if isinstance(error, known.EndpointConnectionError | known.ConnectTimeoutError):
        return Fault(
            "failed", name, hint="See that the endpoint is reachable (aws.region, proxy, VPC)."
        )
    if isinstance(
        error,
        known.HTTPClientError
        | ResponseParserError
        | known.IncompleteReadError
        | known.EventStreamError
        | ConnectionError
        | TimeoutError,
    ):
        return Fault("failed", name, hint="Try again later.")
    if isinstance(error, known.ParamValidationError | known.ValidationError):
        return Fault("refused", name, hint="The call does not fit the service: check the options.")
    return None


def _answered(error: Any) -> Fault:
    """What an error response says."""
    answer = error.response.get("Error", {})
    code = str(answer.get("Code") or "Unknown")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    operation = str(error.operation_name)
    if code == "ModelError":  # SageMaker's wrapping of what the container answered
        status = int(error.response.get("OriginalStatusCode") or status or 500)
        if status < 500 and status not in (424, 429):  # 424: the model failed on this input
            hint = "The endpoint's container refused the request: see its log in CloudWatch."
            return Fault("refused", f"ModelError {status}", operation, hint)
    code = re.sub(r"[^A-Za-z0-9_.-]", "", code)[:80] or "Unknown"
    code = code[0].upper() + code[1:]  # an event stream writes throttlingException
    if code in EXPIRED:
        hint = f"The credentials have expired: renew them. {_CREDENTIALS}"
        return Fault("expired", code, operation, hint)
    if code in THROTTLES or status == 429:
        hint = "Ask for a higher quota (Service Quotas), or lower aws.concurrency."
        return Fault("throttled", code, operation, hint)
    if code in FAILURES or status >= 500 or status == 408 or code == "ModelError":
        return Fault("failed", code, operation, "Try again later; see the AWS Health Dashboard.")
    return Fault("refused", code, operation, _hint(code, status, str(answer.get("Message", ""))))


def _hint(code: str, status: int, message: str) -> str:
    lowered = message.lower()
    for phrase, hint in _PHRASES:
        if phrase in lowered:
            return hint
    if code in _HINTS:
        return _HINTS[code]
    if code.startswith("AccessDenied") or status == 403:
        action = _ACTION.search(message)
        allowed = f"the action {action[1]}" if action else "this action on this resource"
        return f"Allow {allowed} in the IAM policy of the role in use (docs/aws.md)."
    if code.startswith("Validation"):
        return "The service does not accept the request: check model id, options and limits."
    return "See the service's documentation for this code."


def failed(name: str, what: Fault, why: str = "") -> ServiceFailed:
    """Return the error of a service that did not answer in time."""
    return ServiceFailed(f"{_subject(name, what)} failed: {what.code}{why}.", what.hint, what.code)


def refused(name: str, what: Fault) -> ServiceRefused:
    """Return the error of a service that will not do it."""
    return ServiceRefused(f"{_subject(name, what)} was refused: {what.code}.", what.hint, what.code)


def _subject(name: str, what: Fault) -> str:
    return f"{name}, {what.operation}," if what.operation else name
