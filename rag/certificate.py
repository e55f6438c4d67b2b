"""Certificates: statements that nobody can change unnoticed, checked without this installation.

A certificate is a JSON object with the signer's public key inside and an Ed25519 signature
(RFC 8032) over all its other fields, in canonical form: keys sorted, no spaces, ASCII. The
fingerprint of the public key tells whose it is; note it where the certificates are kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.errors import SluiceError
from rag.home import home
from rag.keys import key_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = "Ed25519"


def signed(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement with this installation's public key and signature.

    The key is ``SLUICE_HOME/keys/certificates.key``, made on first use.
    """
    key = _key()
    public = key.public_key().public_bytes_raw()
    body = {
        **statement,
        "signed_by": {
            "algorithm": ALGORITHM,
            "public_key": base64.b64encode(public).decode(),
            "fingerprint": fingerprint(public),
        },
    }
    return {**body, "signature": base64.b64encode(key.sign(_canonical(body))).decode()}


def check(certificate: Any) -> str:
    """Return the fingerprint of the key that signed a certificate.

    Raises:
        SluiceError: It is none, or was changed after it was signed.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        body = dict(certificate)
        signature = base64.b64decode(body.pop("signature"), validate=True)
        public = base64.b64decode(body["signed_by"]["public_key"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _canonical(body))
        if body["signed_by"] != {
            "algorithm": ALGORITHM,
            "public_key": base64.b64encode(public).decode(),
            "fingerprint": fingerprint(public),
        }:
            raise ValueError
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise SluiceError(
            "This is not a certificate, or it was changed after it was signed.",
            "Take the original file; the same erasure, run again, gives it out again.",
        ) from None
    return fingerprint(public)


def fingerprint(public: bytes) -> str:
    """Return 32 hex characters that name a public key."""
    return hashlib.sha256(public).hexdigest()[:32]


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _key() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = home() / "keys" / "certificates.key"
    lost = "Restore it from a backup; or delete it, and tell who checks them the new fingerprint."
    return Ed25519PrivateKey.from_private_bytes(key_file(path, lost))
