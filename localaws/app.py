"""The server: one ASGI application for all five services."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.faults import Injector, Plan
from localaws.operations import OPERATIONS, AwsError, Call
from localaws.signature import Caller, Credentials, Request, verify
from localaws.state import State
from localaws.wire.events import error_frame, event_frame
from localaws.wire.problems import Problems
from localaws.wire.request import parameters
from localaws.wire.response import Answer, answer, error_answer, wrong_result
from localaws.wire.routes import Route, routes
from localaws.wire.shapes import SERVICES, service_model

OPERATION_MODULES = (
    "localaws.models",
    "localaws.sagemaker",
    "localaws.guardrails",
    "localaws.knowledge",
)
"""Packages that register operations when they are imported."""

ADMIN = "/_localaws/"
LARGEST_BODY = 64 * 1024 * 1024
THREADS = 32
TRANSPORT = "localaws.transport"
"""In a request's ASGI extensions: the connection's transport, to reset it."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

log = logging.getLogger("localaws")


def load_operations() -> None:
    """Import every module that registers operations."""
    for module in OPERATION_MODULES:
        if importlib.util.find_spec(module) is None:
            continue
        try:
            importlib.import_module(module)
        except ImportError:  # the others can be served
            log.exception("%s cannot be imported; its operations are not there", module)


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A request, read."""

    request: Request
    headers: Mapping[str, str]
    scope: Scope
    identifier: str


class Disconnected(Exception):
    """The client went away, or the connection is reset on purpose."""


class App:
    """The ASGI application.

    Args:
        credentials: Who may call, by access key id.
        injector: Faults, and the count of calls.
    """

    def __init__(
        self, state: State, credentials: Mapping[str, Credentials], injector: Injector
    ) -> None:
        self.state = state
        self.credentials = credentials
        self.injector = injector
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="localaws")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        try:
            await self._serve(scope, receive, send)
        except Disconnected:
            _reset(scope)

    def close(self) -> None:
        """Start no more operations; those that run end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = str(uuid.uuid4())
        try:
            body = await _body(receive)
        except AwsError as error:
            await _send(error_answer(error, None), identifier, send)
            return
        headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ]
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
        )
        incoming = _Incoming(request, dict(headers), scope, identifier)
        if request.path.startswith(ADMIN):
            await _send(self._administer(request), identifier, send)
            return
        await self._answer(incoming, receive, send)

    async def _answer(self, incoming: _Incoming, receive: Receive, send: Send) -> None:
        request = incoming.request
        try:
            route, caller = self._recognise(request)
        except AwsError as error:
            self.injector.refused(error.code)
            await _send(error_answer(error, None), incoming.identifier, send)
            return
        operation = route.operation
        plan = self.injector.plan(
            operation.service, operation.name, _model(route), len(request.body)
        )
        if plan.delay:
            await asyncio.sleep(plan.delay)
        if plan.reset:
            self.injector.count(plan, "reset", ())
            raise Disconnected
        if plan.error is not None:
            made = error_answer(plan.error, operation.service)
        else:
            loop = asyncio.get_running_loop()
            made = await loop.run_in_executor(
                self._threads, self._perform, incoming, route, caller, plan
            )
        if plan.first_byte_delay:
            await asyncio.sleep(plan.first_byte_delay)
        if made.events is not None:
            await self._stream(made, route, plan, incoming, receive, send)
            return
        self.injector.count(plan, made.code or str(made.status), made.headers.items(), made.body)
        await _send(made, incoming.identifier, send, plan)

    def _recognise(self, request: Request) -> tuple[Route, Caller]:
        """Return which operation is meant, and who asks for it."""
        found = routes(request.method, request.path)
        if not found:
            raise AwsError(
                "UnknownOperationException", f"No operation at {request.method} {request.path}."
            )
        signing = tuple(
            dict.fromkeys(service_model(one.operation.service).signing_name for one in found)
        )
        caller = verify(request, self.credentials, signing, datetime.now(UTC))
        fitting = [
            one
            for one in found
            if service_model(one.operation.service).signing_name == caller.service
        ]
        here = (one for one in fitting if (one.operation.service, one.operation.name) in OPERATIONS)
        return next(here, fitting[0]), caller

    def _perform(self, incoming: _Incoming, route: Route, caller: Caller, plan: Plan) -> Answer:
        """Run the operation; in a thread."""
        operation = route.operation
        function = OPERATIONS.get((operation.service, operation.name))
        try:
            if function is None:
                raise AwsError(
                    "NotImplementedException",
                    f"localaws does not have {operation.name} of {operation.service}.",
                )
            params = parameters(
                route, incoming.request.query, incoming.headers, incoming.request.body
            )
            call = Call(
                service=operation.service,
                operation=operation.name,
                params=params,
                state=self.state,
                region=caller.region,
                account=caller.credentials.account,
                faults=plan.faults,
            )
            made = answer(operation, function(call))
        except AwsError as error:
            return error_answer(error, operation.service)
        except Exception:
            log.exception("%s %s failed", operation.service, operation.name)
            return error_answer(
                AwsError(
                    "InternalServerException",
                    f"localaws failed in {operation.name}; its log says where.",
                ),
                operation.service,
            )
        made.headers.update(call.headers)
        return made

    async def _stream(
        self,
        made: Answer,
        route: Route,
        plan: Plan,
        incoming: _Incoming,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send events while they are made; stop the operation when the client goes away."""
        assert made.events is not None
        loop = asyncio.get_running_loop()
        frames = _frames(made, route, plan)
        gone = asyncio.ensure_future(_gone(receive))
        sent = 0
        outcome = str(made.status)
        try:
            await send(_start(made, incoming.identifier))
            while True:
                step = loop.run_in_executor(self._threads, next, frames, None)
                await asyncio.wait((step, gone), return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    await asyncio.wait((step,))
                    outcome = "disconnected"
                    return
                frame = await step
                if frame is None:
                    break
                if plan.reset_after is not None and sent >= plan.reset_after:
                    outcome = "reset"
                    raise Disconnected
                await send({"type": "http.response.body", "body": frame, "more_body": True})
                sent += 1
            outcome = made.code or outcome
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await loop.run_in_executor(self._threads, frames.close)
            self.injector.count(plan, outcome, made.headers.items())

    def _administer(self, request: Request) -> Answer:
        """Answer at ``/_localaws/``: health, operations, faults, calls."""
        name = request.path.removeprefix(ADMIN)
        if request.method in ("GET", "HEAD"):
            if name == "health":
                return _json(200, {"status": "ok", "services": SERVICES})
            if name == "operations":
                return _json(200, supported())
            if name == "faults":
                return _json(200, self.injector.rules_json())
            if name == "calls":
                return _json(200, self.injector.calls_json())
        elif request.method == "PUT" and name == "faults":
            try:
                self.injector.set_rules(json.loads(request.body))
            except ValueError as error:
                return _json(400, {"message": str(error)})
            return _json(200, self.injector.rules_json())
        elif request.method == "DELETE" and name in ("calls", "faults"):
            if name == "calls":
                self.injector.forget_calls()
            else:
                self.injector.set_rules([])
            return _json(200, {})
        return _json(404, {"message": "There are health, operations, faults and calls."})


def supported() -> dict[str, list[str]]:
    """Return the operations that are here, by service."""
    return {
        service: sorted(name for one, name in OPERATIONS if one == service) for service in SERVICES
    }


def _model(route: Route) -> str:
    """Return the model or endpoint that a path names, if it does."""
    return route.labels.get("modelId") or route.labels.get("EndpointName") or ""


def _frames(made: Answer, route: Route, plan: Plan) -> Generator[bytes, None, None]:
    """Yield frames; an error ends them, as an event."""
    stream = route.operation.stream
    assert stream is not None
    assert made.events is not None
    try:
        for event in made.events:
            problems = Problems()
            frame = event_frame(stream.shape, event, problems)
            if problems:
                wrong = wrong_result(route.operation, problems)
                raise AwsError("InternalServerException", json.loads(wrong.body)["message"])
            usage = next(iter(event.values())).get("usage")
            if usage:
                plan.usage = usage.get("totalTokens", 0)
            yield plan.damaged_frame(frame)
    except AwsError as error:
        made.code = error.code
        yield error_frame(stream.shape, error)
    except Exception:
        log.exception("%s %s failed", route.operation.service, route.operation.name)
        made.code = "InternalServerException"
        yield error_frame(
            stream.shape,
            AwsError("InternalServerException", "localaws failed; its log says where."),
        )
    finally:
        close = getattr(made.events, "close", None)
        if close is not None:
            close()


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        if not message.get("more_body"):
            break
    if size > LARGEST_BODY:
        raise AwsError("RequestEntityTooLargeException", f"The body is over {LARGEST_BODY} bytes.")
    return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _start(made: Answer, identifier: str) -> dict[str, Any]:
    headers = {**made.headers, "x-amzn-requestid": identifier}
    return {
        "type": "http.response.start",
        "status": made.status,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }


async def _send(made: Answer, identifier: str, send: Send, plan: Plan | None = None) -> None:
    made.headers["content-length"] = str(len(made.body))
    body = made.body
    if plan is not None and plan.malformed and made.status < 300:
        if plan.malformed == "cut":
            await send(_start(made, identifier))
            half = body[: len(body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            raise Disconnected
        body = b"{" + body[1:-2].ljust(len(body) - 1) if body else b""
    await send(_start(made, identifier))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _json(status: int, value: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(value).encode())


def _reset(scope: Scope) -> None:
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is not None:
        transport.abort()
