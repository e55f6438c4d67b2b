"""What stands at ``/_localaws/``, for whoever runs the server.

It needs no signature, but all except ``health`` answers only to callers on the same machine.

========================  ======================================================
``GET health``            ``{"status": "ok"}``
``GET operations``        the supported operations, by service
``GET, PUT, DELETE faults``   the rules of `localaws.faults`
``GET, DELETE calls``     counts by service, operation, model and status
========================  ======================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from localaws.calls import Calls
from localaws.faults import Injector
from localaws.operations import OPERATIONS
from localaws.wire.response import Answer
from localaws.wire.shapes import SERVICES

PREFIX = "/_localaws/"


def is_near(client: tuple[str, int] | None) -> bool:
    """Tell whether a caller, by address and port, is on this machine."""
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False


def administer(
    method: str, path: str, body: bytes, injector: Injector, calls: Calls, *, near: bool
) -> Answer:
    """Answer a request at `PREFIX`.

    Args:
        near: The caller is on this machine.
    """

    def put_faults() -> None:
        injector.set_rules(json.loads(body))

    reads: dict[str, Callable[[], Any]] = {
        "health": lambda: {"status": "ok"},
        "operations": supported,
        "faults": injector.told,
        "calls": calls.told,
    }
    changes: dict[tuple[str, str], Callable[[], None]] = {
        ("PUT", "faults"): put_faults,
        ("DELETE", "faults"): lambda: injector.set_rules([]),
        ("DELETE", "calls"): calls.forget,
    }
    name = path.removeprefix(PREFIX)
    if name not in reads:
        return _json(404, {"message": f"There are {', '.join(reads)} at {PREFIX}."})
    if not near and name != "health":
        return _json(403, {"message": f"{PREFIX}{name} answers on this machine only."})
    if method in ("GET", "HEAD"):
        return _json(200, reads[name]())
    change = changes.get((method, name))
    if change is None:
        return _json(405, {"message": f"{name} cannot be changed by {method}."})
    try:
        change()
    except ValueError as error:
        return _json(400, {"message": str(error)})
    return _json(200, reads[name]())


def supported() -> dict[str, list[str]]:
    """Return the operations that are here, by service."""
    return {
        service: sorted(name for one, name in OPERATIONS if one == service) for service in SERVICES
    }


def models(generator: str, replies: Path | None) -> dict[str, str]:
    """Return what stands behind the model ids, in words, by what it is used for.

    Args:
        generator: As ``LOCALAWS_GENERATOR`` has it.
        replies: The file of scripted replies, if there is one.
    """
    by_name = {
        "extractive": "quotes from the prompt",
        "model": "SmolLM2-135M-Instruct, which invents facts",
    }
    told = []
    for entry in (generator or "extractive").split(","):
        glob, _, name = entry.strip().rpartition("=")
        words = by_name.get(name, name)
        told.append(f"{glob}: {words}" if glob else words)
    texts = "; ".join(told)
    if replies is not None:
        texts = f"replies of {replies.name}, then {texts}"
    return {
        "texts": texts,
        "embeddings": "all-MiniLM-L6-v2, turned to each model's dimensions",
    }


def _json(status: int, value: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(value).encode())
