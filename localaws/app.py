"""The server: one ASGI application for all five services."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.admin import PREFIX, administer, is_near
from localaws.asgi import (
    Gone,
    Receive,
    Scope,
    Send,
    end_connection,
    lifespan,
    read_body,
    send_answer,
    send_start,
    until_gone,
)
from localaws.calls import Calls
from localaws.faults import Injector, Plan
from localaws.operations import OPERATIONS, AwsError, Call
from localaws.signature import Caller, Credentials, Request, verify
from localaws.state import State
from localaws.wire.request import parameters
from localaws.wire.response import Answer, answer, error_answer, tokens_used
from localaws.wire.routes import Route, routes
from localaws.wire.shapes import service_model
from localaws.wire.stream import frames

OPERATION_MODULES = (
    "localaws.models",
    "localaws.sagemaker",
    "localaws.guardrails",
    "localaws.knowledge",
)
"""Packages that register operations when they are imported."""

MORE_MODULES = "LOCALAWS_MODULES"
"""Environment: names of further such modules, with commas; a later one's operation wins."""

THREADS = 32
WORKERS = "localaws-operation"

log = logging.getLogger("localaws")


def load_operations() -> None:
    """Import every module that registers operations.

    Raises:
        ImportError: One of them cannot be imported.
    """
    for module in (*OPERATION_MODULES, *os.environ.get(MORE_MODULES, "").split(",")):
        if module:
            importlib.import_module(module)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request that is being answered."""

    request: Request
    receive: Receive
    send: Send
    identifier: str


class App:
    """The ASGI application.

    Args:
        credentials: Who may call, by access key id.
    """

    def __init__(
        self, state: State, credentials: Mapping[str, Credentials], injector: Injector
    ) -> None:
        self.state = state
        self.credentials = credentials
        self.injector = injector
        self.calls = Calls()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=WORKERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except Gone as gone:
            await end_connection(scope, receive, reset=gone.reset)

    def end(self, seconds: float = 3.0) -> bool:
        """Start no more operations and wait for those that run; return whether all ended."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + seconds
        workers = [one for one in threading.enumerate() if one.name.startswith(WORKERS)]
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
        return not any(worker.is_alive() for worker in workers)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = str(uuid.uuid4())
        try:
            body = await read_body(receive)
        except AwsError as error:
            await send_answer(error_answer(error, None), identifier, send)
            return
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in scope["headers"]
            ],
            body=body,
        )
        if request.path.startswith(PREFIX):
            made = administer(
                request.method,
                request.path,
                body,
                self.injector,
                self.calls,
                near=is_near(scope.get("client")),
            )
            await send_answer(made, identifier, send)
            return
        await self._answer(_Exchange(request, receive, send, identifier))

    async def _answer(self, exchange: _Exchange) -> None:
        era = self.calls.era
        try:
            route, caller = self._recognise(exchange.request)
        except AwsError as error:
            self.calls.add("", "", "", error.code, era)
            await send_answer(error_answer(error, None), exchange.identifier, exchange.send)
            return
        operation = route.operation
        plan = self.injector.plan(
            operation.service, operation.name, _model(route), len(exchange.request.body) // 4
        )
        made: Answer | None = None
        try:
            made = await self._made(exchange, route, caller, plan)
            if made.events is not None:
                await self._stream(exchange, route, made, plan)
            else:
                malformed = plan.malformed if made.status < 300 else ""
                await send_answer(made, exchange.identifier, exchange.send, malformed)
        except Gone as gone:
            self._count(plan, "reset" if gone.reset or made is None else made.code, era)
            raise
        self._count(plan, made.code or str(made.status), era)

    def _count(self, plan: Plan, status: str, era: int) -> None:
        plan.settle()
        self.calls.add(plan.service, plan.operation, plan.model, status, era)

    def _recognise(self, request: Request) -> tuple[Route, Caller]:
        """Return which operation is meant, and who asks for it."""
        found = routes(request.method, request.path)
        if not found:
            raise AwsError(
                "UnknownOperationException", f"No operation at {request.method} {request.path}."
            )
        signing = {service_model(one.operation.service).signing_name: one for one in found}
        caller = verify(request, self.credentials, tuple(signing), datetime.now(UTC))
        here = (one for one in found if (one.operation.service, one.operation.name) in OPERATIONS)
        return next(here, found[0]), caller

    async def _made(self, exchange: _Exchange, route: Route, caller: Caller, plan: Plan) -> Answer:
        """Return the answer: the operation's, or the one that a fault asks for."""
        if plan.delay:
            await asyncio.sleep(plan.delay)
        if plan.reset:
            raise Gone(reset=True)
        if plan.error is not None:
            made = error_answer(plan.error, plan.service)
        else:
            made = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._perform, exchange.request, route, caller, plan
            )
        if plan.first_byte_delay:
            await asyncio.sleep(plan.first_byte_delay)
        return made

    def _perform(self, request: Request, route: Route, caller: Caller, plan: Plan) -> Answer:
        """Run the operation; in a thread."""
        service, name = route.operation.service, route.operation.name
        try:
            function = OPERATIONS.get((service, name))
            if function is None:
                raise AwsError(
                    "NotImplementedException", f"localaws does not have {name} of {service}."
                )
            call = Call(
                service=service,
                operation=name,
                params=parameters(route, request.query, dict(request.headers), request.body),
                state=self.state,
                region=caller.region,
                account=caller.credentials.account,
                faults=plan.faults,
            )
            result = function(call)
            made = answer(route.operation, result)
        except AwsError as error:
            return error_answer(error, service)
        except Exception:
            log.exception("%s %s failed", service, name)
            broken = f"localaws failed in {name}; its log says where."
            return error_answer(AwsError("InternalServerException", broken), service)
        made.headers.update(call.headers)
        plan.tokens = tokens_used(result, made.headers, plan.tokens)
        return made

    async def _stream(self, exchange: _Exchange, route: Route, made: Answer, plan: Plan) -> None:
        """Send events while they are made; stop the operation when the client goes away."""
        loop = asyncio.get_running_loop()
        source = frames(route.operation, made, plan)
        gone = asyncio.ensure_future(until_gone(exchange.receive))
        sent = 0
        try:
            await send_start(made, exchange.identifier, exchange.send)
            while True:
                step = loop.run_in_executor(self._threads, next, source, None)
                await asyncio.wait((step, gone), return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    with suppress(Exception):
                        await step
                    made.code = "disconnected"
                    raise Gone
                frame = await step
                if frame is None:
                    break
                if plan.reset_after is not None and sent >= plan.reset_after:
                    made.code = "reset"
                    raise Gone
                await exchange.send(
                    {"type": "http.response.body", "body": frame, "more_body": True}
                )
                sent += 1
            await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await loop.run_in_executor(self._threads, source.close)


def _model(route: Route) -> str:
    """Return the model or endpoint that a path names, if it does."""
    return route.labels.get("modelId") or route.labels.get("EndpointName") or ""
