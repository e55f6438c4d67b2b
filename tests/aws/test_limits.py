"""What the limiter and the circuit breaker decide, whatever happens in whatever order."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.aws.limits import SLOWEST, Breaker, Limiter

SECONDS = st.floats(0, 5, allow_nan=False)
EVENTS = st.lists(st.tuples(st.sampled_from(["start", "done", "throttled", "leave"]), SECONDS))


@given(most=st.integers(1, 64), events=EVENTS)
def test_a_limiter_never_lets_more_run_than_it_may_and_never_stops(
    most: int, events: list[tuple[str, float]]
) -> None:
    limiter, now, running = Limiter(most), 0.0, 0
    for event, later in events:
        now += later
        if event == "start":
            wait = limiter.start(now)
            assert (wait is None) == (running >= max(1, int(limiter.limit)))
            running += wait is not None
            assert wait is None or wait >= 0
        elif running:
            running -= 1
            if event == "leave":
                limiter.leave()
            else:
                limiter.end(now, throttled=event == "throttled")
        assert limiter.under_way == running <= most
        assert 1 <= limiter.limit <= most
        assert limiter.rate is None or limiter.rate >= SLOWEST


@given(starts=st.integers(2, 200), rate=st.floats(SLOWEST, 500))
def test_paced_calls_start_no_faster_than_the_pace(starts: int, rate: float) -> None:
    limiter = Limiter(starts, rate=rate)
    waits = [limiter.start(0.0) for _ in range(starts)]
    assert waits == pytest.approx([place / rate for place in range(starts)])


@pytest.mark.parametrize("per_second", [1, 5, 50, 10**6])
@pytest.mark.parametrize("random_share", [0.0, 0.3])
@pytest.mark.parametrize("latency", [0.01, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_throttling_costs_less_than_two_calls_for_one(
    per_second: float, random_share: float, latency: float, seed: int
) -> None:
    """Against a service that lets so many through a second and throttles a share besides."""
    assert simulated(per_second, random_share, latency, seed) < 2


def simulated(per_second: float, random_share: float, latency: float, seed: int) -> float:
    """Return calls made for each of 300 done, with full jitter between tries as in `Calls`."""
    chance, limiter = random.Random(seed), Limiter(8)
    tokens, at, made, number = per_second, 0.0, 0, 0
    agenda: list[tuple[float, int, str, int]] = []
    blocked: list[int] = []
    left = 300

    def plan(when: float, what: str, tries: int) -> None:
        nonlocal number
        number += 1
        heapq.heappush(agenda, (when, number, what, tries))

    for _ in range(8):
        left -= 1
        plan(0.0, "ready", 0)
    while agenda:
        now, _, what, tries = heapq.heappop(agenda)
        if what == "ready":
            wait = limiter.start(now)
            if wait is None:
                blocked.append(tries)
            else:
                plan(now + wait, "sent", tries)
        elif what == "sent":
            made += 1
            tokens, at = min(per_second, tokens + (now - at) * per_second), now
            passes = tokens >= 1 and chance.random() >= random_share
            tokens -= tokens >= 1
            plan(now + latency, "done" if passes else "throttled", tries)
        else:
            limiter.end(now, throttled=what == "throttled")
            if what == "throttled":
                plan(now + chance.random() * min(10, 0.1 * 2**tries), "ready", tries + 1)
            elif left:
                left -= 1
                plan(now, "ready", 0)
            for waiting in blocked:
                plan(now, "ready", waiting)
            blocked.clear()
    return made / 300


def test_a_service_that_bears_all_is_given_all() -> None:
    limiter = Limiter(8)
    for place in range(100):
        assert limiter.start(place / 10) == 0
        limiter.end(place / 10, throttled=place % 3 == 0)  # a third: not our doing
    assert (limiter.rate, int(limiter.limit)) == (None, 8)


def test_many_failures_at_once_are_one_event_and_do_not_open_the_breaker() -> None:
    breaker = Breaker(failures=5, seconds=5)
    for _ in range(100):
        breaker.failed(1.0)
    assert not breaker.rests(1.0)
    breaker.failed(6.0)
    assert breaker.rests(6.0)


def test_an_open_breaker_lets_one_try_and_its_end_decides() -> None:
    breaker = Breaker(failures=1, seconds=0, rest=10)
    breaker.failed(0.0)
    assert breaker.rests(9.9)
    assert not breaker.rests(10.0)
    breaker.started()
    assert breaker.rests(10.1)  # one is trying
    breaker.failed(11.0)
    assert breaker.rests(30.9)  # twice as long
    assert not breaker.rests(31.0)
    breaker.started()
    breaker.succeeded()
    assert not breaker.rests(31.1)


@given(ends=st.lists(st.tuples(st.booleans(), SECONDS)))
def test_a_breaker_opens_after_a_streak_only(ends: list[tuple[bool, float]]) -> None:
    breaker, now, streak = Breaker(failures=3, seconds=4), 0.0, []
    for failed, later in ends:
        now += later
        if breaker.rests(now):
            continue
        breaker.started()
        if failed:
            streak.append(now)
            breaker.failed(now)
        else:
            streak.clear()
            breaker.succeeded()
        assert breaker.rests(now) == (len(streak) >= 3 and now - streak[0] >= 4)
