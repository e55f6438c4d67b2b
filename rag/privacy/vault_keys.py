"""Where key-encryption keys come from, and which one opens what."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, VaultFailed
from rag.home import home
from rag.keys import KEY_BYTES, from_text, key_file
from rag.privacy.vault import KeyEncryptionKey, KmsKey, LocalKey

if TYPE_CHECKING:
    from rag.config import Aws, Vault, VaultKey

LOST = "Restore it from a backup: without it nothing in the vault can be opened."


@dataclass(frozen=True, slots=True)
class Ring:
    """The key that wraps what is new, and all that may open what is old."""

    current: KeyEncryptionKey
    old: tuple[KeyEncryptionKey, ...] = ()

    def find(self, key_id: str) -> KeyEncryptionKey:
        """Return the key of this id.

        Raises:
            VaultFailed: It is none of these.
        """
        for one in (self.current, *self.old):
            if one.id == key_id:
                return one
        raise VaultFailed(
            f"The vault was sealed with the key {key_id}, which is not configured.",
            "Name it in privacy.vault.old (or put its file back), then: sluice vault rotate.",
        )


def ring(vault: Vault, aws: Aws) -> Ring:
    """Return the keys of a corpus; a key file that is not there yet is made.

    Raises:
        ConfigError: A variable is not set, or a file holds no key.
    """
    current = _key(vault.key, aws)
    old = [_key(one, aws) for one in vault.old]
    if vault.key.file is not None:
        old += [LocalKey("file", key_file(path, LOST)) for path in retired(vault.key)]
    return Ring(current, tuple(old))


def _key(place: VaultKey, aws: Aws) -> KeyEncryptionKey:
    if place.kms is not None:
        from rag.aws import client

        return KmsKey(client("kms", aws), place.kms)
    if place.env is not None:
        text = os.environ.get(place.env, "")
        if not text:
            raise ConfigError(
                f"The environment variable {place.env}, for the vault's key, is not set.",
                f"Set {place.env} to a long random text (openssl rand -base64 32).",
            )
        return LocalKey("env", from_text(text))
    return LocalKey("file", key_file(_path(place), LOST))


def _path(place: VaultKey) -> Path:
    assert place.file is not None
    return home() / Path(place.file).expanduser()


def retired(place: VaultKey) -> list[Path]:
    """Return the files of keys that a rotation has replaced."""
    if place.file is None:
        return []
    path = _path(place)
    return sorted(path.parent.glob(f"{path.name}.retired-*"))


def replace_file(place: VaultKey) -> None:
    """Put a new key into a key file; the old one stays beside it until it is dropped.

    A crash at any point leaves a current key, and the old one under one name or both.
    """
    import base64

    path = _path(place)
    name = LocalKey("file", key_file(path, LOST)).id.partition(":")[2]
    kept = path.with_name(f"{path.name}.retired-{name}")
    if not kept.exists():
        os.link(path, kept)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.touch(mode=0o600)
    made.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    made.replace(path)


def drop_retired(place: VaultKey) -> int:
    """Overwrite and delete the files of replaced keys; return how many."""
    paths = retired(place)
    for path in paths:
        path.write_bytes(b"\0" * path.stat().st_size)
        path.unlink()
    return len(paths)
