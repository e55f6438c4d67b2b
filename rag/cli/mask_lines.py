"""Mask a stream of lines in several processes: in order, in bounded memory, each as it comes."""

from __future__ import annotations

import base64
import json
import os
import queue
import threading
from codecs import getincrementaldecoder
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from rag.errors import ConfigError, SluiceError
from rag.ingest.killable import (
    Bounds,
    Died,
    Ended,
    NoHelper,
    OutOfMemory,
    Raised,
    Slot,
    TimedOut,
    Zygote,
)

if TYPE_CHECKING:
    from rag.config import Privacy
    from rag.records import MaskedText

BATCH_LINES = 256
BATCH_CHARACTERS = 128 * 1024
"""Lines are masked together, as many as wait already: a batch is much faster than one by one."""

BOUNDS = Bounds(seconds=600, memory_mb=4096)
"""Of one batch in one process."""

_WORKER = "rag.cli.mask_worker:mask"
_ENDINGS = {TimedOut: "took too long", OutOfMemory: "needs too much memory", Died: "crashed"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input. `number` counts from 1."""

    number: int
    id: Any
    text: str


Answered = list[tuple[Line, dict[str, Any]]]


def findings(masked: MaskedText) -> list[dict[str, Any]]:
    """Return findings as they are printed: places in the text given."""
    return [
        {"start": one.start, "end": one.end, "entity": one.entity, "score": round(one.score, 4)}
        for one in masked.findings
    ]


def masked_lines(source: TextIO, privacy: Privacy, workers: int) -> Iterator[Answered]:
    """Yield the lines of a stream with their answers, in order, a batch at a time.

    An answer comes as soon as it and all before it are there, also while more input is waited
    for. At most two batches for each process are under way.

    Raises:
        ConfigError: A line is not what it should be; those before it have been yielded.
        SluiceError: Masking a line failed.
    """
    under_way: queue.Queue[Future[Answered] | Exception | None] = queue.Queue(2 * workers)
    with _pool(privacy, workers) as (pool, masked):

        def submit() -> None:
            try:
                for batch in batches(source):
                    under_way.put(pool.submit(masked, batch))
            except SluiceError as error:
                under_way.put(error)
            except RuntimeError:
                return  # the pool was closed: nobody reads any more
            else:
                under_way.put(None)

        threading.Thread(target=submit, daemon=True).start()
        while (one := under_way.get()) is not None:
            if isinstance(one, Exception):
                raise one
            yield one.result()


@contextmanager
def _pool(privacy: Privacy, workers: int) -> Iterator[tuple[ThreadPoolExecutor, Any]]:
    """Give threads, each with a process of its own, and the function that they run."""
    from rag.keys import pseudonym_key

    told = {
        "privacy": privacy.model_dump_json(),
        "key": base64.b64encode(pseudonym_key(privacy)).decode(),
    }
    head = json.dumps(told).encode()
    zygote = Zygote(_WORKER, BOUNDS)
    own = threading.local()
    slots: list[Slot] = []

    def masked(batch: list[Line]) -> Answered:
        if not hasattr(own, "slot"):
            own.slot = Slot(zygote)
            slots.append(own.slot)
        return _masked(own.slot, head, batch)

    pool = ThreadPoolExecutor(workers)
    try:
        yield pool, masked
    finally:
        zygote.close()
        pool.shutdown(cancel_futures=True)
        for slot in slots:
            slot.end()


def _masked(slot: Slot, head: bytes, batch: list[Line], *, again: bool = True) -> Answered:
    """Mask a batch; one by one when that ends the process, to know by which line.

    A line that ends it may not be why: it is tried `again` in a new one.
    """
    try:
        said = slot.call(head, json.dumps([line.text for line in batch]).encode())
        return list(zip(batch, json.loads(said), strict=True))
    except Raised as error:
        if len(batch) == 1:
            raise _failed(batch[0], f"failed ({error.kind})") from None
    except NoHelper:
        raise SluiceError(
            "The helper process that masks lines does not start.",
            f"Run `python -c 'import {_WORKER.partition(':')[0]}'` with the same interpreter to "
            "see why.",
        ) from None
    except Ended as error:
        if len(batch) == 1 and (isinstance(error, TimedOut) or not again):
            raise _failed(batch[0], _ENDINGS[type(error)]) from None
        if len(batch) == 1:
            return _masked(slot, head, batch, again=False)
    return [answered for line in batch for answered in _masked(slot, head, [line])]


def _failed(line: Line, how: str) -> SluiceError:
    return SluiceError(
        f"Masking line {line.number} {how}; the lines before it are done.",
        "Leave the line out, or cut its text into shorter ones, and go on from there.",
    )


def batches(source: TextIO) -> Iterator[list[Line]]:
    """Yield the lines that have come so far, up to a batch; wait only for the first of them."""
    lines: queue.Queue[Line | Exception | None] = queue.Queue(2 * BATCH_LINES)
    threading.Thread(target=_read_lines, args=(source, lines), daemon=True).start()
    ended: Exception | None = None
    more = True
    while more:
        batch: list[Line] = []
        size = 0
        while len(batch) < BATCH_LINES and size < BATCH_CHARACTERS:
            try:
                one = lines.get(block=not batch)
            except queue.Empty:
                break
            if not isinstance(one, Line):
                ended, more = one, False
                break
            batch.append(one)
            size += len(one.text)
        if batch:
            yield batch
    if ended is not None:
        raise ended


def _lines(source: TextIO) -> Iterator[str]:
    """Yield lines, read past Python's own buffer: its lock would keep the program from ending.

    A thread that waits for standard input holds that lock until something comes.
    """
    try:
        descriptor = source.fileno()
    except OSError:  # not a file of the system's
        yield from source
        return
    decoder = getincrementaldecoder("utf-8")("replace")
    parts: list[str] = []
    while data := os.read(descriptor, 2**16):
        *whole, rest = decoder.decode(data).split("\n")
        for text in whole:
            yield "".join((*parts, text))
            parts.clear()
        parts.append(rest)
    yield "".join((*parts, decoder.decode(b"", final=True)))


def _read_lines(source: TextIO, lines: queue.Queue[Line | Exception | None]) -> None:
    end: Exception | None = None
    number = 0
    try:
        for number, text in enumerate(_lines(source), start=1):
            if text.strip():
                said = json.loads(text)
                lines.put(Line(number, said["id"], _text(said["text"])))
    except (ValueError, KeyError, TypeError, RecursionError):
        end = ConfigError(
            f"Line {number} is not an object with id and text; the lines before it are done.",
            'Give one JSON object a line: {"id": 1, "text": "…"}.',
        )
    except OSError as error:
        end = ConfigError(f"The input cannot be read ({type(error).__name__}).")
    lines.put(end)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    # Half of a surrogate pair is no character: it cannot be written as UTF-8.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
