"""Who calls: AWS Signature Version 4, in the header or in the query.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from botocore.utils import normalize_url_path

from localaws.operations import ACCOUNT, AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
"""A request may be this much older or newer than our clock."""
LONGEST_PRESIGNED = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
_FORM = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One caller's.

    Attributes:
        session_token: If not None, it must come with each request; if None, any may come.
        expires: From then on they are refused as expired.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    account: str = ACCOUNT
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed of a request.

    Attributes:
        path: As it came, percent-encoded.
        headers: Names in lower case, in the order in which they came.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed, and for where."""

    credentials: Credentials
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature and what it says of itself."""

    key: str
    day: str
    region: str
    service: str
    names: tuple[str, ...]
    signature: str
    moment: str
    token: str | None
    lifetime: int | None = None


def load_credentials(file: Path | None = None) -> dict[str, Credentials]:
    """Return who may call, by access key id.

    Without a file: ``LOCALAWS_ACCESS_KEY_ID`` and ``LOCALAWS_SECRET_ACCESS_KEY``, by default
    ``localaws`` and ``localaws-secret``. A file is a JSON list of objects with
    ``access_key_id``, ``secret_access_key`` and optionally ``session_token``, ``account`` and
    ``expires`` (ISO 8601).

    Raises:
        ValueError: The file says something else.
    """
    if file is None:
        key = os.environ.get("LOCALAWS_ACCESS_KEY_ID", "localaws")
        return {
            key: Credentials(key, os.environ.get("LOCALAWS_SECRET_ACCESS_KEY", "localaws-secret"))
        }
    try:
        listed = json.loads(file.read_text())
        if not isinstance(listed, list) or not listed:
            raise ValueError
        made = [Credentials(**{**one, "expires": _moment(one.get("expires"))}) for one in listed]
    except (TypeError, AttributeError, ValueError):
        raise ValueError(
            f"{file} is not a list of access_key_id, secret_access_key, session_token, account"
            " and expires"
        ) from None
    return {one.access_key_id: one for one in made}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def verify(
    request: Request, known: Mapping[str, Credentials], services: Sequence[str], now: datetime
) -> Caller:
    """Return who signed a request.

    Args:
        known: Credentials by access key id.
        services: Signing names, one of which the signature's scope must name.

    Raises:
        AwsError: It is not signed, or not well, or not by someone we know, or too old.
    """
    headers = _joined(request.headers)
    query = _pairs(request.query)
    signed = _from_header(headers) if "authorization" in headers else _from_query(query)
    credentials = known.get(signed.key)
    if credentials is None:
        raise _unknown_client()
    if credentials.session_token is not None and not hmac.compare_digest(
        credentials.session_token.encode(), (signed.token or "").encode()
    ):
        raise _unknown_client()
    _check_moment(signed, now)
    if signed.service not in services:
        wanted = " or ".join(f"'{one}'" for one in services)
        raise _invalid(f"Credential should be scoped to correct service: {wanted}.")
    text = _canonical(request, headers, query, signed)
    if not hmac.compare_digest(_sign(credentials, signed, text), signed.signature):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. Check"
            " your AWS Secret Access Key and signing method. Consult the service documentation for"
            " details."
        )
    if credentials.expires is not None and credentials.expires <= now:
        raise AwsError(
            "ExpiredTokenException", "The security token included in the request is expired"
        )
    return Caller(credentials, signed.region, signed.service)


def _unknown_client() -> AwsError:
    return AwsError(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidSignatureException", message)


def _joined(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        clean = " ".join(value.split())
        joined[name] = f"{joined[name]},{clean}" if name in joined else clean
    return joined


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


def _from_header(headers: Mapping[str, str]) -> _Signed:
    algorithm, _, rest = headers["authorization"].partition(" ")
    if algorithm != ALGORITHM:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    fields = dict(_FIELD.findall(rest))
    moment = headers.get("x-amz-date", "")
    return _signed(fields, moment, headers.get("x-amz-security-token"), None)


def _from_query(query: Sequence[tuple[str, str]]) -> _Signed:
    given = dict(query)
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    fields = {
        name: given[f"X-Amz-{name}"]
        for name in ("Credential", "SignedHeaders", "Signature")
        if f"X-Amz-{name}" in given
    }
    lifetime = given.get("X-Amz-Expires", "")
    if not lifetime.isdecimal() or int(lifetime) > LONGEST_PRESIGNED:
        raise _invalid("X-Amz-Expires must be a number of seconds, at most 604800.")
    moment = given.get("X-Amz-Date", "")
    return _signed(fields, moment, given.get("X-Amz-Security-Token"), int(lifetime))


def _signed(
    fields: Mapping[str, str], moment: str, token: str | None, lifetime: int | None
) -> _Signed:
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing:
        raise _incomplete(*missing)
    scope = fields["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise _invalid("Credential must have exactly 5 slash-delimited elements.")
    if not moment:
        raise AwsError(
            "IncompleteSignatureException",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    names = tuple(fields["SignedHeaders"].split(";"))
    if "host" not in names:
        raise _invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    return _Signed(
        key=scope[0],
        day=scope[1],
        region=scope[2],
        service=scope[3],
        names=names,
        signature=fields["Signature"],
        moment=moment,
        token=token,
        lifetime=lifetime,
    )


def _incomplete(*missing: str) -> AwsError:
    told = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
    return AwsError("IncompleteSignatureException", told)


def _check_moment(signed: _Signed, now: datetime) -> None:
    try:
        moment = datetime.strptime(signed.moment, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid("Date must be in ISO-8601 'basic format'.") from None
    if not signed.moment.startswith(signed.day):
        raise _invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version.")
    told = now.strftime(_FORM)
    lifetime = SKEW if signed.lifetime is None else timedelta(seconds=signed.lifetime)
    if moment + lifetime < now:
        oldest = (now - lifetime).strftime(_FORM)
        raise _invalid(
            f"Signature expired: {signed.moment} is now earlier than {oldest} ({told} -"
            f" {int(lifetime.total_seconds()) // 60} min.)"
        )
    if moment - SKEW > now:
        raise _invalid(
            f"Signature not yet current: {signed.moment} is still later than"
            f" {(now + SKEW).strftime(_FORM)} ({told} + 15 min.)"
        )


def _canonical(
    request: Request, headers: Mapping[str, str], query: Sequence[tuple[str, str]], signed: _Signed
) -> str:
    """Return the canonical request, all but the path of which is plain."""
    presigned = signed.lifetime is not None
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in query
        if not (presigned and name == "X-Amz-Signature")
    )
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in signed.names)
    return "\n".join(
        (
            request.method,
            quote(
                normalize_url_path(request.path), safe="/~"
            ),  # once more, as all services but S3 have it
            "&".join(f"{name}={value}" for name, value in pairs),
            lines,
            ";".join(signed.names),
            _payload_hash(request, headers, presigned),
        )
    )


def _payload_hash(request: Request, headers: Mapping[str, str], presigned: bool) -> str:
    told = headers.get("x-amz-content-sha256")
    if told == UNSIGNED:
        return told
    real = hashlib.sha256(request.body).hexdigest()
    if told is not None and told != real and not presigned:
        raise _invalid(
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    return real


def _sign(credentials: Credentials, signed: _Signed, canonical: str) -> str:
    scope = f"{signed.day}/{signed.region}/{signed.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{signed.moment}\n{scope}\n{digest}"
    key = _key(credentials.secret_access_key, signed.day, signed.region, signed.service)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
