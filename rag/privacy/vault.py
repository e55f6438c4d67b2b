"""The vault's cryptography: three layers of keys, and what binds each sealed row to its place.

A key-encryption key (from a file, an environment variable, or AWS KMS) wraps a vault key; the
vault key wraps one data key a person; the data key seals what is kept of that person. Deleting
the data key makes all of it unreadable; a new key-encryption key costs no row but the wraps.

Seals are AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; at most some millions are made
under one vault key, far below the 2^32 that random nonces allow. The associated data names the
row, so that rows cannot be exchanged.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rag.errors import VaultFailed

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"
"""First byte of a seal: how it was made."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the gate replaced. Raw: it lives in memory, between the gate and the vault.

    Attributes:
        pseudonym: What stands in the masked text.
        entity: Its kind.
        original: As it was spelt.
        subject: Pseudonym of the person whose it is, where that is another: of a date, say.
    """

    pseudonym: str
    entity: str
    original: str
    subject: str = ""


class KeyEncryptionKey(Protocol):
    """Wraps keys; what is inside never leaves it.

    Attributes:
        id: Names it without telling anything of it; kept with what it wrapped.
    """

    @property
    def id(self) -> str: ...

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        """Return the key, sealed; `context` must be given again to open it."""

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Return what `wrap` sealed.

        Raises:
            VaultFailed: It was wrapped by another key, or in another context.
        """


class LocalKey:
    """A key-encryption key of 32 bytes at hand.

    Args:
        place: Where it came from, for its id: ``file`` or ``env``.
    """

    def __init__(self, place: str, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a vault key has {KEY_BYTES} bytes")
        self._key = key
        self.id = f"{place}:{hmac.digest(key, b'sluice vault key id', 'sha256')[:8].hex()}"

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        return seal(self._key, key, context)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        return unseal(self._key, wrapped, context)


class KmsKey:
    """A key of AWS KMS: wrapping and unwrapping are calls, and KMS logs each.

    Args:
        client: boto3's client of ``kms``.
        key_id: Id, ARN or alias of a symmetric key.
    """

    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self.id = f"kms:{key_id}"

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        answer = self._ask(
            "encrypt", KeyId=self._key_id, Plaintext=key, EncryptionContext=dict(context)
        )
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        answer = self._ask(
            "decrypt", KeyId=self._key_id, CiphertextBlob=wrapped, EncryptionContext=dict(context)
        )
        return bytes(answer["Plaintext"])

    def _ask(self, call: str, **parameters: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, call)(**parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
        except BotoCoreError as error:
            code = type(error).__name__
        raise VaultFailed(
            f"AWS KMS did not {call} with the vault's key ({code}).",
            "Check that the key is enabled, that kms:Encrypt and kms:Decrypt are allowed on it, "
            "and that it is the key that the vault was made with.",
        )


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, data: bytes, context: Mapping[str, str]) -> bytes:
    """Seal bytes under a 32-byte key, bound to `context`."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, data, _bound(context))


def unseal(key: bytes, sealed: bytes, context: Mapping[str, str]) -> bytes:
    """Return what `seal` sealed.

    Raises:
        VaultFailed: The key or the context is another, or the bytes were changed.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, data = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        if sealed[:1] != FORMAT:
            raise InvalidTag
        return AESGCM(key).decrypt(nonce, data, _bound(context))
    except (InvalidTag, ValueError):
        raise VaultFailed(
            "An entry of the vault does not open: its key or its place is another one.",
            "Use the key that the vault was made with (privacy.vault.key, or privacy.vault.old "
            "during a rotation); if it is, the row was changed.",
        ) from None


def _bound(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True, ensure_ascii=True).encode()
