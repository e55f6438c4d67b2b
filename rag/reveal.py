"""Who is behind a pseudonym, for those who may know; each attempt and its purpose is audited.

Nobody may by default; ``privacy.vault.reveal`` names who does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import ConfigError, Denied, SluiceError
from rag.ledger import audit, documents, quarantine
from rag.ledger.vault import sources
from rag.masked import Masked, fixed

if TYPE_CHECKING:
    from rag.ingest.context import Context
    from rag.ledger import DocumentEntry, QuarantineEntry
    from rag.ledger.vault.rotation import Rotation
    from rag.records import Principal

_PSEUDONYM = re.compile(r"[A-Z][A-Z0-9_]{1,40}_[a-z2-7]{8}(?![a-z2-7])")


@dataclass(frozen=True, slots=True)
class Revealed:
    """What the vault has of one pseudonym or document. Raw: to be shown, not stored.

    Attributes:
        asked: The pseudonym, or a document's id or masked name.
        originals: Spellings of the identifier, or the document's key in its source; empty: the
            vault does not know, or no longer.
    """

    asked: str
    originals: tuple[str, ...]


def reveal(
    context: Context,
    pseudonyms: Sequence[str],
    named: Sequence[str],
    *,
    principals: Sequence[Principal],
    purpose: str,
) -> list[Revealed]:
    """Return who is behind pseudonyms, and where documents are; the attempt is audited first.

    Args:
        named: Documents, by id or masked name.
        purpose: Why; it goes into the audit, masked.

    Raises:
        SluiceError: There is no purpose, or nothing is asked for.
        Denied: None of the principals may.
        VaultFailed: Keys are missing.
    """
    said = _purpose(context, purpose)
    if not (pseudonyms or named):
        raise SluiceError("Nothing is asked for.", "Name a pseudonym, or a document.")
    allowed = bool(set(principals) & set(context.config.privacy.vault.reveal))
    places = _documents(context, named)
    found: list[Revealed] = []
    if allowed:
        with context.ledger.read() as db:
            found = [Revealed(one, tuple(context.vault.originals(db, one))) for one in pseudonyms]
        found += [Revealed(one, _source(context, places[one])) for one in named]
    told = "revealed" if any(one.originals for one in found) else "unknown"
    body = {
        "corpus": context.corpus,
        "who": sorted(principals),
        "purpose": said,
        "outcome": told if allowed else "refused",
        "pseudonyms": [audited(context, one) for one in pseudonyms],
        "documents": [places[one] or "unknown" for one in named],
    }
    with context.ledger.write() as db:
        audit.append(db, "reveal", body)
    if not allowed:
        raise Denied(
            "None of these principals may see who is behind a pseudonym.",
            "Ask one of those whom privacy.vault.reveal names; this attempt is in the audit.",
        )
    return found


def rotate(context: Context, *, drop_old: bool = False) -> Rotation:
    """Wrap a vault's data keys anew; see `rag.ledger.vault.rotation`."""
    from rag.ingest.reindex import recorded
    from rag.ledger.vault import rotation

    place = context.config.privacy.vault.key
    with recorded(context, "rotate"):
        done = rotation.rotate(context.ledger, context.vault, place)
        if drop_old:
            dropped = rotation.drop_old(context.ledger, place, done.key)
            done = replace(done, retired=done.retired - dropped)
        body = {"corpus": context.corpus, "key": done.key, "rewrapped": done.rewrapped}
        with context.ledger.write() as db:
            audit.append(db, "rotate", body)
    return done


def audited(context: Context, pseudonym: str) -> str:
    """Return what the audit says for a pseudonym: a keyed hash, which outlives an erasure."""
    return context.sealer.long_tag("audit", pseudonym)


def _purpose(context: Context, purpose: str) -> Masked:
    if not context.config.privacy.vault.on:
        raise ConfigError(
            f"The corpus {context.corpus} keeps no originals.",
            "Switch the vault on (privacy.vault.on) and sync with --full-refresh.",
        )
    if len(purpose.split()) < 1:
        raise SluiceError("A purpose is needed.", 'Say why, in a few words: --purpose "…".')
    # The audit cannot be changed: no pseudonym that an erasure would have to take out of it.
    return context.question_masker.mask_text(purpose).text.sub(_PSEUDONYM, fixed("<PERSON>"))


def _documents(context: Context, named: Sequence[str]) -> dict[str, str]:
    """Return the listed document's id for each id or masked name; empty for what is unknown."""
    if not named:
        return {}
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus)
        waiting = quarantine.entries(db, context.corpus)
    every: list[DocumentEntry | QuarantineEntry] = [*entries, *waiting]
    known: dict[str, str] = {one.name: one.root_id for one in every}
    known |= {one.document_id: one.root_id for one in every}
    return {one: known.get(one, "") for one in named}


def _source(context: Context, document_id: str) -> tuple[str, ...]:
    with context.ledger.read() as db:
        sealed: Mapping[str, str] = sources.held(db, context.corpus, [document_id])
    return (context.unseal(sealed[document_id])[0],) if document_id in sealed else ()
