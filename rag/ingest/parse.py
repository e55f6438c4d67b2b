"""Documents of any kind to elements, in a process that can be killed.

with Parser(config.parse) as parser:
    pending = parser.submit(data, "minutes.docx")
    outcome = pending.result()   # ParsedDocument or Failure; never raises for a bad document
"""

from __future__ import annotations

import json
import queue
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from rag.config import Parse
from rag.ingest.failures import failure
from rag.ingest.killable import Bounds, Died, OutOfMemory, Raised, Slot, TimedOut, Zygote
from rag.ingest.parsing.wire import Malformed, unpack
from rag.records import Failure, ParsedDocument

_FUNCTION = "rag.ingest.parsing:answer"
_RECYCLE = 500
"""Documents after which a worker is replaced, so that what libraries leak stays small."""
_ANSWER = 64 * 2**20
"""Bytes of an answer besides its text, which travels in up to four bytes a character, in up to
two forms (text and rows), with that of the attachments."""

_OFFLINE = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "OPENVINO_TELEMETRY": "0",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "NLTK_DATA": "/nonexistent",
    "AUTO_DOWNLOAD_NLTK": "false",
    "TLDEXTRACT_CACHE": "/nonexistent",
}


class Parser:
    """Parses documents in `workers` killable processes beside this one.

    Start-up is some 0.1 s; a format's libraries are imported at its first document. Keep one
    open for many documents. For a corpus of plain text nothing heavy is ever imported.
    """

    def __init__(self, config: Parse, workers: int = 1) -> None:
        self._config = config
        limits = config.limits
        answer_bytes = _ANSWER + 64 * limits.characters
        bounds = Bounds(limits.seconds, limits.memory_mb, answer_bytes)
        self._zygote = Zygote(_FUNCTION, bounds, _OFFLINE)
        self._slots: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        self._all = [Slot(self._zygote) for _ in range(workers)]
        for slot in self._all:
            self._slots.put(slot)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="parse")

    def submit(self, data: bytes, name: str) -> Future[ParsedDocument | Failure]:
        """Have a document parsed.

        Args:
            data: Its bytes.
            name: Its file name; only the extension is used, to tell kinds of text apart.

        Returns:
            What comes of it. Its ``result()`` raises only for a fault of the machinery
            (`rag.ingest.killable.NoHelper`), never for a bad document.
        """
        return self._threads.submit(self._parse, data, name)

    def _parse(self, data: bytes, name: str) -> ParsedDocument | Failure:
        limits = self._config.limits
        if not data:
            return failure("empty")
        if len(data) > limits.bytes:
            return failure("too_large", limit=limits.bytes)
        head = json.dumps(
            {
                "name": name,
                "ocr": self._config.ocr,
                "characters": limits.characters,
                "unpacked_bytes": limits.unpacked_bytes,
                "depth": limits.depth,
            }
        ).encode()
        slot = self._slots.get()
        try:
            return self._called(slot, head, data)
        finally:
            if slot.calls >= _RECYCLE:
                slot.end()
            self._slots.put(slot)

    def _called(self, slot: Slot, head: bytes, data: bytes) -> ParsedDocument | Failure:
        limits = self._config.limits
        outcome = failure("parser_died")
        for _ in range(2):  # a worker may die of its earlier documents, or of somebody's kill
            fresh = slot.calls == 0
            try:
                return unpack(slot.call(head, data))
            except TimedOut:
                return failure("timeout", limit=limits.seconds)
            except OutOfMemory:
                outcome = failure("out_of_memory", limit=limits.memory_mb)
                if fresh:
                    break
            except (Died, Malformed):
                outcome = failure("parser_died")
            except Raised:
                return failure("parser_failed")
        return outcome

    @property
    def pids(self) -> list[int]:
        """Of the worker processes there are now."""
        return [slot.pid for slot in self._all if slot.pid]

    def close(self) -> None:
        """Finish what was submitted and end the processes."""
        self._threads.shutdown()
        for slot in self._all:
            slot.end()
        self._zygote.close()

    def __enter__(self) -> Parser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._zygote.close()  # ends the calls that are under way
        self.close()


def parse_bytes(data: bytes, name: str, config: Parse) -> ParsedDocument | Failure:
    """Parse one document in a process of its own; for many, keep a `Parser` open."""
    with Parser(config) as parser:
        return parser.submit(data, name).result()
