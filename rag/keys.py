"""Keys and secrets: where they come from, and what is derived from the pseudonym key.

One 32-byte key a corpus (or shared by several) makes pseudonyms, document ids and sealed
references. Separate keys for each use are derived by HKDF (RFC 5869), so that none tells of
another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError
from rag.home import home

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from rag.config import Privacy, Secret

KEY_BYTES = 32


def resolve(secret: Secret) -> str:
    """Return the secret's value from its environment variable or Airflow connection.

    Raises:
        ConfigError: It is not there. The message names the place, never a value.
    """
    if secret.env:
        value = os.environ.get(secret.env)
        if value is None:
            raise ConfigError(
                f"The environment variable {secret.env} is not set.",
                f"Set {secret.env}, or name another variable in the corpus file.",
            )
        return value
    if secret.connection:
        return connection(secret.connection).password or ""
    raise ConfigError("A secret names no place.", "Give it as {env: NAME} or {connection: ID}.")


def connection(connection_id: str):  # type: ignore[no-untyped-def]  # Airflow's own class
    """Return an Airflow connection, by Airflow inside a task, else from ``AIRFLOW_CONN_…``."""
    from airflow.sdk import Connection

    try:
        return Connection.get(connection_id)
    except Exception as error:
        raise ConfigError(
            f"The Airflow connection {connection_id} was not found ({type(error).__name__}).",
            f"Add it in Airflow, or set AIRFLOW_CONN_{connection_id.upper()}.",
        ) from None


def pseudonym_key(privacy: Privacy) -> bytes:
    """Return the 32-byte pseudonym key of a corpus.

    From ``privacy.key`` (any text; stretched by SHA-256 unless it is base64 of 32 bytes), else
    from ``SLUICE_HOME/keys/pseudonym.key``, which is made on first use and readable by its
    owner only. Who loses it loses the link between old pseudonyms and new ones.
    """
    if privacy.key is not None:
        text = resolve(privacy.key)
        if not text:
            raise ConfigError("The pseudonym key is empty.", "Put a long random text there.")
        return from_text(text)
    return key_file(
        home() / "keys" / "pseudonym.key",
        "Restore it from a backup; a new one would rename every person in the index.",
    )


def from_text(text: str) -> bytes:
    """Return 32 bytes: those that the text is base64 of, else its SHA-256."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    return raw if len(raw) == KEY_BYTES else hashlib.sha256(text.encode()).digest()


def key_file(path: Path, lost: str) -> bytes:
    """Return the 32-byte key in a file, which is made if it is not there.

    Args:
        lost: What to do when the file holds no key.

    Raises:
        ConfigError: It does not.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}.{os.getpid()}")
        made.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        made.chmod(0o600)
        try:
            os.link(made, path)  # atomic, and never over a key that another process just made
        except FileExistsError:
            pass
        finally:
            made.unlink()
    try:
        key = base64.b64decode(path.read_bytes(), validate=False)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"The key file {path} does not hold a 32-byte key.", lost)
    return key


class Sealer:
    """What is derived from the pseudonym key: ids, short tags, and sealed texts.

    An id or tag is a keyed hash: the same everywhere for those with the key, and without it
    nobody can test whether a name is behind it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ids = self._derive("document-id")
        self._contents = self._derive("content-id")
        self._tags = self._derive("tag")

    def _derive(self, use: str) -> bytes:
        extracted = hmac.digest(b"sluice", self._key, "sha256")
        return hmac.digest(extracted, use.encode() + b"\x01", "sha256")

    def document_id(self, key: str) -> str:
        """Return 32 hex characters that name a source key."""
        return hashlib.blake2b(key.encode(), key=self._ids, digest_size=16).hexdigest()

    def content_id(self, data: bytes) -> str:
        """Return 40 hex characters that name a document's bytes."""
        return hashlib.blake2b(data, key=self._contents, digest_size=20).hexdigest()

    def long_tag(self, use: str, text: str) -> str:
        """Return 32 hex characters: as `tag`, of the texts of one use among millions."""
        data = f"{use}\0{text}".encode()
        return hashlib.blake2b(data, key=self._tags, digest_size=16).hexdigest()

    def tag(self, text: str) -> str:
        """Return 16 hex characters to compare a word with, without keeping the word."""
        return hashlib.blake2b(text.encode(), key=self._tags, digest_size=8).hexdigest()

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(self._derive("seal")))

    def seal(self, text: str) -> str:
        """Encrypt a text (Fernet: AES-128-CBC with HMAC), for a manifest or the ledger."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` made.

        Raises:
            ConfigError: It was sealed with another key.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigError(
                "A sealed reference does not open with this pseudonym key.",
                "Use the key that the corpus was indexed with, or sync with --full-refresh.",
            ) from None
