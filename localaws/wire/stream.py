"""A result's event stream, frame by frame, while it is made."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from localaws.operations import AwsError
from localaws.wire.events import error_frame, event_frame
from localaws.wire.problems import Problems
from localaws.wire.response import Answer, tokens_used, wrong_result
from localaws.wire.shapes import OperationModel

if TYPE_CHECKING:
    from localaws.faults import Plan

log = logging.getLogger("localaws")


def frames(operation: OperationModel, made: Answer, plan: Plan) -> Generator[bytes, None, None]:
    """Yield the frames of an answer's events; an error ends them, as an event of its own.

    Args:
        made: `Answer.code` becomes the error's.
        plan: What is to go wrong; `Plan.tokens` becomes what the events say was used.
    """
    stream = operation.stream
    assert stream is not None
    assert made.events is not None
    source = iter(made.events)
    try:
        for event in _failing(source, plan):
            problems = Problems()
            frame = event_frame(stream.shape, event, problems)
            if problems:
                raise AwsError("InternalServerException", _told(operation, problems))
            plan.tokens = tokens_used(next(iter(event.values())), {}, plan.tokens)
            yield _damaged(frame) if plan.malformed else frame
    except AwsError as error:
        made.code = error.code
        yield error_frame(stream.shape, error)
    except Exception:
        log.exception("%s %s failed", operation.service, operation.name)
        made.code = "InternalServerException"
        broken = AwsError(made.code, f"localaws failed in {operation.name}; its log says where.")
        yield error_frame(stream.shape, broken)
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


def _failing(source: Iterator[Mapping[str, Any]], plan: Plan) -> Iterator[Mapping[str, Any]]:
    for number, event in enumerate(source):
        if plan.error_after is not None and number >= plan.error_after[0]:
            raise plan.error_after[1]
        yield event


def _damaged(frame: bytes) -> bytes:
    """Return a frame whose last CRC is wrong."""
    return frame[:-1] + bytes([frame[-1] ^ 0xFF])


def _told(operation: OperationModel, problems: Problems) -> str:
    message: str = json.loads(wrong_result(operation, problems).body)["message"]
    return message
