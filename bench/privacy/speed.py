"""Words a second on one thread, and which recognizer takes the time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rag.privacy.gate import Masker


def words_per_second(
    run: Callable[[Sequence[str]], object], batches: Sequence[Sequence[str]]
) -> float:
    """Return words a second of processor time, the best of the batches after the first.

    No batch comes twice, so that what a detector remembers of a text does not count; the first
    one loads models and lists.
    """
    speeds = []
    for texts in batches:
        begin = time.process_time()
        run(texts)
        seconds = time.process_time() - begin
        speeds.append(sum(len(text.split()) for text in texts) / seconds)
    return max(speeds[1:])


def shares(gate: Masker, texts: Sequence[str]) -> dict[str, float]:
    """Return each means' share of the time of masking, 0 to 1.

    Means: the model, every Presidio recognizer by name, the functions that read structure,
    believe names, look for them again and resolve overlaps; the rest is the gate's own.
    """
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        _watch(stack, spent)
        begin = time.perf_counter()
        gate.mask_texts(texts)
        total = time.perf_counter() - begin
    spent["rest"] = total - sum(spent.values())
    longest = sorted(spent.items(), key=lambda pair: -pair[1])
    return {name: round(seconds / total, 4) for name, seconds in longest}


def _watch(stack: ExitStack, spent: dict[str, float]) -> None:
    from rag.privacy import context, detect, spans
    from rag.privacy.address import joining
    from rag.privacy.names import people
    from rag.privacy.recognizers import scan
    from rag.privacy.tagging import ner

    watched: tuple[tuple[Any, str, str], ...] = (
        (ner, "entities", "model"),
        (joining, "joined", "model's addresses"),
        (context, "structured", "structure"),
        (people, "believable", "names: belief"),
        (people, "everywhere", "names: consistency"),
        (detect, "again", "numbers: consistency"),
        (spans, "resolve", "overlaps"),
    )
    clock = _Clock(spent)
    for module, function, name in watched:
        if hasattr(module, function):
            timed = clock.around(getattr(module, function), lambda *_, name=name, **__: name)
            replaced(stack, module, function, timed)
    timed = clock.around(scan.scan, lambda recognizer, *_, **__: str(recognizer.name))
    replaced(stack, detect, "scan", timed)


def replaced(stack: ExitStack, module: object, name: str, value: object) -> None:
    """Put something else in a module's place until the stack is left."""
    stack.callback(setattr, module, name, getattr(module, name))
    setattr(module, name, value)


class _Clock:
    """Adds up time by name; what runs inside another is the inner one's alone."""

    def __init__(self, spent: dict[str, float]) -> None:
        self._spent = spent
        self._inner: list[float] = []

    def around(self, function: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:
            with self._counted(name(*args, **named)):
                result = function(*args, **named)
                return list(result) if isinstance(result, Iterator) else result

        return timed

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        begin = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begin
            self._spent[name] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent
