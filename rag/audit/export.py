"""The audit as a file of JSON lines, which can be checked without the database.

The first line says what it is, the last one how much there was and with which head, so that a
file that was cut is known. Between them are ``record`` lines, oldest first, then ``text`` lines.
An export of one corpus has ``link`` lines for the records of others: their place in the chain
and nothing else, so that the chain can still be followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.audit.trail import who
from rag.errors import Denied, SluiceError
from rag.ledger import audit, texts
from rag.ledger.audit import Chain, Verified
from rag.ledger.checking import Mentions, against

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rag.ingest.context import Context
    from rag.ledger import Ledger
    from rag.records import Principal

FORMAT = "sluice-audit/1"
_RECORD = ("seq", "at", "kind", "body", "previous", "hash", "about")


def write(ledger: Ledger, path: Path, corpus: str = "", *, with_texts: bool = False) -> Verified:
    """Write an export; return how many records and texts it has, and its head.

    The file takes the place of what was there only when it is whole.
    """
    made = path.with_name(f".{path.name}.part")
    last = ""
    try:
        with ledger.read() as db, made.open("w", encoding="utf-8") as file:
            for last in lines(db, corpus, with_texts=with_texts):
                file.write(last)
        made.replace(path)
    except OSError as error:
        raise SluiceError(
            f"The export could not be written ({type(error).__name__}).",
            "Choose a folder that is there and writable.",
        ) from None
    finally:
        made.unlink(missing_ok=True)
    end = json.loads(last)["end"]
    return Verified(end["records"], end["head"], texts=end["texts"])


def export(context: Context, path: Path, principals: Sequence[Principal]) -> Verified:
    """Write a corpus's records with what was asked and said; the attempt is recorded first.

    Raises:
        Denied: ``audit.readers`` names none of the principals.
        SluiceError: The file cannot be written.
    """
    allowed = bool(set(principals) & set(context.config.audit.readers))
    body = {
        "corpus": context.corpus,
        "who": who(context, principals),
        "outcome": "exported" if allowed else "refused",
    }
    with context.ledger.write() as db:
        audit.append(db, "export", body)
    if not allowed:
        raise Denied(
            "None of these principals may read the audit.",
            "Ask one of those whom audit.readers names; this attempt is in the audit.",
        )
    return write(context.ledger, path, context.corpus, with_texts=True)


def lines(db: Connection, corpus: str = "", *, with_texts: bool) -> Iterator[str]:
    """Yield the lines of an export.

    Args:
        corpus: Whose; empty: all.
        with_texts: With what was asked and said, too; else with its hashes only.
    """
    yield _line(format=FORMAT, corpus=corpus, texts=with_texts)
    count = kept = 0
    last = audit.FIRST
    own = f'"corpus":"{corpus}"'
    for row in audit.raw(db):
        count, last = count + 1, row.hash
        if corpus and own not in row.body.replace('": "', '":"'):
            yield _line(link={"seq": row.seq, "previous": row.previous, "hash": row.hash})
        else:
            yield _line(record={name: getattr(row, name) for name in _RECORD})
    for name, one in texts.every(db, corpus) if with_texts else ():
        kept += 1
        text = {"corpus": name, "hash": one.hash, "salt": one.salt, "text": one.text}
        yield _line(text=text | {"seq": one.seq})
    yield _line(end={"corpus": corpus, "records": count, "texts": kept, "head": last})


def check(path: Path, head: str = "") -> Verified:
    """Check an export: chain, texts where it has them, and that it is whole.

    Raises:
        SluiceError: It is no such file.
    """
    with path.open(encoding="utf-8") as file:
        return _checked(file, head)


@dataclass(slots=True)
class _Read:
    """What was read of an export so far."""

    chain: Chain
    corpus: str
    with_texts: bool
    mentions: Mentions = field(default_factory=Mentions)
    kept: list[tuple[str, texts.Text]] = field(default_factory=list)
    ended: bool = False

    def take(self, line: Mapping[str, Any]) -> str:
        """Take a line; return what is wrong with it, or nothing."""
        [(kind, said)] = line.items()
        if self.ended or (kind in ("record", "link") and self.kept):
            return "the lines are in another order"
        if kind == "record":
            self.mentions.take(said["seq"], said["kind"], said["body"])
            return self.chain.take(*(said[name] for name in _RECORD))
        if kind == "link":
            return self.chain.link(said["seq"], said["previous"], said["hash"])
        if kind == "text":
            self.kept.append((said["corpus"], texts.exported(said)))
            return ""
        self.ended = True
        there: dict[str, Any] = {"corpus": self.corpus, "records": self.chain.count}
        there |= {"texts": len(self.kept), "head": self.chain.last}
        return "" if kind == "end" and said == there else "the file was cut or changed"


def _checked(file: Iterable[str], head: str) -> Verified:
    read: _Read | None = None
    for number, line in enumerate(file, start=1):
        try:
            said = json.loads(line)
            if read is None:
                if said["format"] != FORMAT:
                    raise KeyError
                read = _Read(Chain(head), said["corpus"], said["texts"])
                continue
            before = read.chain.count
            reason = read.take(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            if read is None:
                raise SluiceError(
                    "This is no export of the audit.", "Give a file that --export wrote."
                ) from None
            return _broken(read, f"line {number} cannot be read")
        if reason:
            return replace(_broken(read, reason), records=before)
    if read is None:
        raise SluiceError("The file is empty.", "Give a file that --export wrote.")
    if not read.ended:
        return _broken(read, "the file ends before its end")
    verified = read.chain.end()
    if verified.broken or not read.with_texts:
        return verified
    return against(verified, read.mentions, read.kept)


def _broken(read: _Read, reason: str) -> Verified:
    return Verified(read.chain.count, read.chain.last, read.chain.count + 1, reason)


def _line(**said: Any) -> str:
    return json.dumps(said, ensure_ascii=False) + "\n"
