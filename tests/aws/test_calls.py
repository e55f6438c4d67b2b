"""Calls that are tried again, within a deadline, and refused in words that help."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from rag.aws.calls import Calls, Clock, side_by_side
from rag.aws.faults import fault
from rag.cost import metered, record
from rag.errors import ServiceFailed, ServiceRefused


@dataclass
class Time:
    """A clock that goes on only when somebody sleeps."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)
    chance: float = 1.0

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.sleep, lambda: self.chance)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def answered(code: str, status: int = 400, message: str = "SECRET TEXT") -> botocore.ClientError:
    error = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return botocore.ClientError(error, "InvokeModel")  # type: ignore[arg-type]


def failing(*errors: BaseException) -> Callable[[], str]:
    """A function that raises these in turn, then returns."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


WORTH_ANOTHER_TRY = [
    answered("ThrottlingException", 429),
    answered("TooManyRequestsException", 429),
    answered("ServiceQuotaExceededException"),
    answered("ModelNotReadyException", 429),
    answered("InternalServerException", 500),
    answered("ServiceUnavailableException", 503),
    answered("ModelTimeoutException", 408),
    answered("Unheard", 502),
    botocore.EventStreamError(
        {"Error": {"Code": "modelStreamErrorException"}},
        "ConverseStream",  # type: ignore[typeddict-item]
    ),
    botocore.ConnectionClosedError(endpoint_url="http://x"),
    botocore.EndpointConnectionError(endpoint_url="http://x"),
    botocore.ReadTimeoutError(endpoint_url="http://x"),
    botocore.ResponseStreamingError(error="reset"),
    ResponseParserError("cut"),
    ConnectionResetError(),
]


@pytest.mark.parametrize("error", WORTH_ANOTHER_TRY, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_tried_again(error: BaseException) -> None:
    time = Time()
    assert Calls("Bedrock m", clock=time.clock)(failing(error, error)) == "answer"
    assert time.slept == [0.1, 0.2]


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (answered("ValidationException"), "model id"),
        (
            answered(
                "AccessDeniedException",
                403,
                "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel on",
            ),
            "bedrock:InvokeModel",
        ),
        (
            answered("AccessDeniedException", 403, "You don't have access to the model with the"),
            "Model access",
        ),
        (answered("ResourceNotFoundException", 404), "aws.region"),
        (
            answered("ValidationException", 400, "with on-demand throughput isn't supported"),
            "inference profile",
        ),
        (answered("UnrecognizedClientException", 403), "access key"),
        (answered("InvalidSignatureException", 403), "clock"),
        (answered("ExpiredTokenException", 403), "renew"),
        (botocore.NoCredentialsError(), "credentials"),
        (botocore.NoRegionError(), "AWS_REGION"),
        (botocore.ParamValidationError(report="SECRET TEXT"), "options"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(error: BaseException, hint: str) -> None:
    time = Time()
    with pytest.raises(ServiceRefused) as raised:
        Calls("Bedrock some.model", clock=time.clock)(failing(*[error] * 3))
    assert not time.slept
    assert not raised.value.transient
    assert hint in raised.value.hint
    assert "Bedrock some.model" in raised.value.message
    assert "SECRET" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_expired_credentials_are_read_anew_once() -> None:
    calls = Calls("Bedrock m", clock=Time().clock)
    assert calls(failing(answered("ExpiredTokenException", 403))) == "answer"


def test_an_error_that_is_no_services_passes() -> None:
    time = Time()
    with pytest.raises(ZeroDivisionError):
        Calls("Bedrock m", clock=time.clock)(lambda: str(1 // 0))
    assert not time.slept


@given(
    deadline=st.floats(0.01, 60),
    chance=st.floats(0.01, 1),
    takes=st.floats(0, 5),
    throttled=st.booleans(),
)
def test_the_deadline_is_never_overrun_by_waiting(
    deadline: float, chance: float, takes: float, throttled: bool
) -> None:
    time = Time(chance=chance)
    began: list[float] = []
    error = answered("ThrottlingException", 429) if throttled else answered("Internal", 500)

    def call() -> None:
        began.append(time.at)
        time.at += takes
        raise error

    with pytest.raises(ServiceFailed) as raised:
        Calls("Bedrock m", 2, deadline, clock=time.clock)(call)
    assert all(start < deadline for start in began)
    assert time.at <= deadline + takes
    assert raised.value.transient
    assert "InvokeModel" in raised.value.message


def test_an_attempt_that_never_ends_is_given_up_at_the_deadline() -> None:
    forever = threading.Event()
    with pytest.raises(ServiceFailed, match="no answer in time"):
        Calls("Bedrock m", deadline_seconds=0.05)(forever.wait)
    forever.set()


def test_an_attempt_cut_off_by_the_deadline_does_not_hide_why_the_one_before_failed() -> None:
    forever = threading.Event()
    call = failing(botocore.EndpointConnectionError(endpoint_url="http://x"))

    def once_down() -> None:
        call()
        forever.wait()

    calls = Calls("Bedrock m", deadline_seconds=0.3, clock=Clock(random=lambda: 0.1))
    with pytest.raises(ServiceFailed) as raised:
        calls(once_down)
    forever.set()
    assert "reachable" in raised.value.hint


def test_a_service_that_is_down_is_left_alone_then_tried() -> None:
    time, made = Time(), []
    calls = Calls("Bedrock m", deadline_seconds=30, clock=time.clock)

    def down() -> None:
        made.append(time.at)
        raise botocore.EndpointConnectionError(endpoint_url="http://x")

    with pytest.raises(ServiceFailed, match="several times in a row"):
        calls(down)
    before, at = len(made), time.at
    with pytest.raises(ServiceFailed, match="several times in a row"):
        calls(down)
    assert (len(made), time.at) == (before, at)  # not asked, and at once
    time.at += 10
    assert calls(failing()) == "answer"
    assert calls(failing()) == "answer"


@given(st.lists(st.integers()), st.integers(1, 9))
def test_results_come_in_the_order_of_the_items(items: list[int], concurrency: int) -> None:
    calls = Calls("Bedrock m", concurrency)
    assert calls.map(lambda item: item * 2, items) == [item * 2 for item in items]


def test_no_more_than_allowed_are_under_way() -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(3, timeout=10)

    def call(item: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    Calls("Bedrock m", concurrency=3).map(call, range(12))
    assert most == 3


def test_when_one_is_refused_no_others_are_begun() -> None:
    begun: list[int] = []

    def call(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise answered("AccessDeniedException", 403)
        raise answered("ThrottlingException", 429)

    with pytest.raises(ServiceRefused):
        Calls("Bedrock m", concurrency=2, deadline_seconds=30).map(call, range(50))
    assert len(set(begun)) <= 3


def test_what_is_spent_in_other_threads_is_heard() -> None:
    calls = Calls("Bedrock m", concurrency=4)
    with metered() as outer, metered() as meter:
        calls.map(lambda item: record("some.model", input_tokens=item), range(5))
    assert meter.usage() == outer.usage()
    assert meter.total().input_tokens == 10
    assert meter.total().calls == 5


def test_side_by_side_raises_what_was_raised() -> None:
    with pytest.raises(KeyError):
        side_by_side({}.__getitem__, range(5), 3)


def test_a_forked_child_does_not_wait_for_its_parents_threads() -> None:
    calls, held = Calls("Bedrock m", concurrency=1), threading.Event()
    busy = threading.Thread(target=lambda: calls(held.wait))
    busy.start()
    try:
        child = os.fork()
        if child == 0:
            os._exit(0 if calls(failing()) == "answer" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        held.set()
        busy.join()


@given(code=st.text(), message=st.text(), status=st.integers(0, 599))
def test_no_message_of_a_service_is_passed_on(code: str, message: str, status: int) -> None:
    what = fault(answered(code, status, f"quoted: {message}"))
    assert what is not None
    assert set(what.code) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
    )
    assert "quoted" not in what.hint
