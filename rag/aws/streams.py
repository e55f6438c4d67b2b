"""Answers that a service sends while it makes them: patient until the first event, bounded after.

Example::

    events = opened(calls, lambda: client.converse_stream(**params)["stream"], seconds_left)
    with closing(events):
        for event in events: ...
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from rag.aws.calls import Calls
from rag.aws.faults import Fault, failed, fault, refused

Event = dict[str, Any]

_END = object()


class Events:
    """The events of one answer, in order.

    A thread reads them, so whoever iterates waits no longer than there is time, whatever the
    socket does. `close` ends the connection at once, from any thread, and the service stops.

    Args:
        name: Of the service and what is called there, for error messages.
        first: Read already.
        source: A boto3 event stream behind it.
        seconds_left: That the answer may still take; asked before each event.
        heard: Called with each event that is handed on.
        ended: Called once, when the answer has ended or was given up.
    """

    def __init__(
        self,
        name: str,
        first: Event | None,
        source: Any,
        seconds_left: Callable[[], float],
        heard: Callable[[Event], None],
        ended: Callable[[], None],
    ) -> None:
        self._name = name
        self._source = source
        self._seconds_left = seconds_left
        self._heard = heard
        self._ended = ended
        self._context = copy_context()  # the meters that hear of it, wherever it ends
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False
        if first is None:
            self._waiting.put(_END)
        else:
            self._waiting.put(first)
            threading.Thread(target=self._read, name=f"stream {name}", daemon=True).start()

    def __iter__(self) -> Iterator[Event]:
        """Yield what comes.

        Raises:
            ServiceFailed: The stream broke, or did not end in time.
            ServiceRefused: The service will not go on.
        """
        try:
            while (found := self._next()) is not _END:
                if isinstance(found, BaseException):
                    raise self._told(found) from None
                self._heard(found)
                yield found
        finally:
            self.close()

    def close(self) -> None:
        """End the connection; nothing more comes."""
        if self._closed:
            return
        self._closed = True
        cut(self._source)
        self._context.run(self._ended)

    def _read(self) -> None:
        try:
            for event in self._source:
                self._waiting.put(event)
            self._waiting.put(_END)
        except BaseException as error:
            self._waiting.put(error)

    def _next(self) -> Any:
        until = time.monotonic() + self._seconds_left()
        while (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                return self._waiting.get(timeout=min(left, 3600.0))
        with suppress(queue.Empty):  # what came in time counts
            return self._waiting.get_nowait()
        raise failed(
            self._name, Fault("failed", "no whole answer in time", hint="Try again later.")
        )

    def _told(self, error: BaseException) -> BaseException:
        what = fault(_known(error))
        if what is None:
            return error
        return (refused if what.kind in ("refused", "expired") else failed)(self._name, what)


def opened(
    calls: Calls,
    start: Callable[[], Any],
    seconds_left: Callable[[], float],
    heard: Callable[[Event], None] = lambda event: None,
    ended: Callable[[], None] = lambda: None,
) -> Events:
    """Return an answer's events once the first is there; until then the call is tried again.

    Args:
        calls: That it goes through.
        start: Makes the call and returns boto3's event stream.

    Raises:
        ServiceFailed: It did not begin in time.
        ServiceRefused: The service will not.
    """
    late = threading.Event()

    def once() -> tuple[Event | None, Any]:
        source = start()
        try:
            first = next(iter(source), None)
        except BaseException as error:
            cut(source)
            raise _known(error) from None
        if late.is_set():  # nobody waits for it any more
            cut(source)
        return first, source

    try:
        first, source = calls(once)
    except BaseException:
        late.set()
        raise
    return Events(calls.name, first, source, seconds_left, heard, ended)


def _known(error: BaseException) -> BaseException:
    """What breaks a stream on its way is not among botocore's exceptions of calls."""
    from botocore.eventstream import ParserError
    from urllib3.exceptions import HTTPError

    if isinstance(error, HTTPError | ParserError):
        return ConnectionError(type(error).__name__)
    return error


def cut(source: Any) -> None:
    """End the connection of an event stream, also while another thread reads from it."""
    raw = getattr(source, "_raw_stream", None)
    if raw is not None:
        with suppress(Exception):  # it has ended, or given its connection back
            raw.shutdown()
    with suppress(Exception):
        source.close()
