"""One run at a time over a corpus.

A lease is a row with an owner and an end. Its owner moves the end on while it works
(`renew`, or `hold`, which does so from a thread); a killed owner's lease ends by itself, and at
once if it named its process and that process is gone from this machine.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from rag.errors import CorpusBusy
from rag.ledger.opening import Ledger
from rag.ledger.tables import insert_absent, leases, now

LEASE_SECONDS = 120.0


def acquire(
    db: Connection,
    corpus: str,
    owner: str,
    seconds: float = LEASE_SECONDS,
    *,
    process: bool = False,
) -> None:
    """Take the corpus for `owner`, or keep it if it is theirs. Needs a write transaction.

    Args:
        owner: Who runs: a run's id.
        seconds: How long it holds without being renewed. An Airflow run, whose tasks wait in
            queues between one another, takes hours; a process that holds it, a minute or two.
        process: The lease ends with this process.

    Raises:
        CorpusBusy: Somebody else holds it.
    """
    moment = now()
    mine = {
        "corpus": corpus,
        "owner": owner,
        "host": _machine(),
        "pid": os.getpid() if process else None,
        "acquired_at": moment,
        "heartbeat_at": moment,
        "expires_at": moment + timedelta(seconds=seconds),
    }
    # The insert makes two newcomers queue: the second finds the first one's row after it.
    insert_absent(db, leases, mine)
    row = db.execute(select(leases).where(leases.c.corpus == corpus).with_for_update()).one()
    if row.owner != owner and row.expires_at > moment and not _process_gone(row.host, row.pid):
        raise _busy(corpus, row.acquired_at, row.heartbeat_at, row.expires_at)
    if row.owner == owner:
        del mine["acquired_at"]
    db.execute(update(leases).where(leases.c.corpus == corpus).values(mine))


def renew(db: Connection, corpus: str, owner: str, seconds: float = LEASE_SECONDS) -> None:
    """Move the lease's end on.

    Raises:
        CorpusBusy: It is no longer the owner's: it ended and another run took it.
    """
    moment = now()
    kept = db.execute(
        update(leases)
        .where(leases.c.corpus == corpus, leases.c.owner == owner)
        .values(heartbeat_at=moment, expires_at=moment + timedelta(seconds=seconds))
    )
    if not kept.rowcount:
        raise CorpusBusy(
            f"This run lost the corpus {corpus}: its lease ended or was cleared.",
            "Nothing is broken; start the sync again when the other run is done.",
        )


def release(db: Connection, corpus: str, owner: str | None = None) -> bool:
    """End a lease; return whether there was one.

    Args:
        owner: Only theirs. None: anybody's, which is for a person who knows it to be dead.
    """
    mine = leases.c.corpus == corpus
    if owner is not None:
        mine &= leases.c.owner == owner
    return bool(db.execute(delete(leases).where(mine)).rowcount)


@contextmanager
def hold(ledger: Ledger, corpus: str, owner: str, seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Hold the corpus for as long as the block runs in this process.

    Raises:
        CorpusBusy: Somebody else holds it, or took it meanwhile (raised when the block ends).
    """
    with ledger.write() as db:
        acquire(db, corpus, owner, seconds, process=True)
    done = threading.Event()
    lost: list[CorpusBusy] = []

    def beat() -> None:
        while not done.wait(seconds / 4):
            try:
                with ledger.write() as db:
                    renew(db, corpus, owner, seconds)
            except CorpusBusy as error:
                lost.append(error)
                return
            except DBAPIError:
                continue  # the database is away for a moment; the lease lasts four beats

    heart = threading.Thread(target=beat, name=f"lease-{corpus}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        done.set()
        heart.join()
        with ledger.write() as db:
            release(db, corpus, owner)
    if lost:
        raise lost[0]


def _busy(corpus: str, since: datetime, heartbeat: datetime, until: datetime) -> CorpusBusy:
    return CorpusBusy(
        f"Another run has held the corpus {corpus} since {since:%Y-%m-%d %H:%M:%S} UTC "
        f"(last sign of life {heartbeat:%H:%M:%S}).",
        "Wait for it to end. If it was killed, its lease ends by itself at "
        f"{until:%H:%M:%S} UTC, or clear it now with: sluice unlock {corpus}",
    )


def _machine() -> str:
    """Name the place where a process id means something: host and process namespace."""
    namespace = Path("/proc/self/ns/pid")
    return f"{platform.node()} {namespace.readlink() if namespace.exists() else ''}".strip()


def _process_gone(host: str, pid: int | None) -> bool:
    if pid is None or os.name != "posix" or host != _machine():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
