"""How many calls may be under way, how fast they start, and when to stop trying.

`Limiter` follows what a service lets through: additive increase, multiplicative decrease (Chiu and
Jain, Computer Networks and ISDN Systems 17, 1989) of the calls under way, and a pace that follows
the rate of calls that succeeded. `Breaker` spares a service that is down. Both take the time as an
argument of every method, so they keep no clock and wait for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOW = 20
"""Outcomes judged together; `SHORT_WINDOW` when so many take longer than `WINDOW_SECONDS`."""
SHORT_WINDOW = 8
WINDOW_SECONDS = 2.0
TOLERATED = 0.45
"""Share of throttled calls in a window above which the limiter gives way. A service that throttles
a share whatever its load (a noisy neighbour's quota) must not slow us to nothing; one that
throttles by load is held under this share, so that less than two calls are made for one done."""
DECREASE = 0.7
GROWTH = 1.1  # of the pace, a window
STEP = 0.3  # starts a second, on top
SLOWEST = 0.5  # starts a second
UNPACED = 1000.0  # starts a second from which on pacing is no longer worth its while


@dataclass(slots=True)
class Limiter:
    """Decides when a call may start.

    Attributes:
        most: Calls under way that are never exceeded.
        limit: Calls that may be under way now, from 1 to `most`.
        rate: Starts a second; None before the service has throttled more than is tolerated.
        under_way: Calls now.
    """

    most: int
    limit: float = field(init=False)
    rate: float | None = None
    under_way: int = 0
    _next: float = 0.0  # when the pace allows another start
    _since: float | None = None  # when the window began
    _done: int = 0
    _throttled: int = 0

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError("at least one call must be allowed")
        self.limit = float(self.most)

    def start(self, now: float) -> float | None:
        """Take a place for a call; return the seconds to wait before it starts, or None.

        None: as many as may be are under way; ask again when one has ended.
        """
        if self.under_way >= max(1, int(self.limit)):
            return None
        self.under_way += 1
        if self._since is None:
            self._since = now
        if self.rate is None:
            return 0.0
        wait = max(0.0, self._next - now)
        self._next = now + wait + 1 / self.rate
        return wait

    def leave(self) -> None:
        """Give a place back without having learnt anything."""
        self.under_way -= 1

    def end(self, now: float, *, throttled: bool) -> None:
        """Give a place back and learn from how the call ended."""
        self.under_way -= 1
        if throttled:
            self._throttled += 1
        else:
            self._done += 1
            self.limit = min(float(self.most), self.limit + 1 / self.limit)
        since = now if self._since is None else self._since
        seen, took = self._done + self._throttled, now - since
        if seen >= WINDOW or (seen >= SHORT_WINDOW and took >= WINDOW_SECONDS):
            self._judge(seen, took)
            self._since, self._done, self._throttled = now, 0, 0

    def _judge(self, seen: int, took: float) -> None:
        if self._throttled > TOLERATED * seen:
            self.limit = max(1.0, self.limit * DECREASE)
            through = self._done / took if took > 0 else UNPACED
            slower = through if self.rate is None else min(through, self.rate * DECREASE)
            self.rate = max(SLOWEST, slower)
        elif self.rate is not None:
            self.rate = self.rate * GROWTH + STEP
            if self.rate > UNPACED:
                self.rate = None


@dataclass(slots=True)
class Breaker:
    """Says whether a service that keeps failing is to be asked at all.

    It opens when a streak of failures has both a length and a duration: many calls that fail
    in the same moment are one event. While it is open nothing is asked; after a while one call is
    let through, and its end decides.

    Attributes:
        failures: In a row, before it opens.
        seconds: That the streak has lasted, before it opens.
        rest: Seconds for which it stays open; doubled each time that the trial fails.
        longest: Most seconds of rest.
    """

    failures: int = 5
    seconds: float = 5.0
    rest: float = 10.0
    longest: float = 60.0
    _streak: int = 0
    _began: float = 0.0
    _opened: float | None = None
    _resting: float = 0.0
    _trying: bool = False

    def rests(self, now: float) -> bool:
        """Whether nothing is to be asked now: it is open, or another call is the trial."""
        return self._opened is not None and (self._trying or now - self._opened < self._resting)

    def started(self) -> None:
        """A call starts; while open, it is the trial."""
        self._trying = self._opened is not None

    def succeeded(self) -> None:
        """The service answered, even if it refused."""
        self._streak, self._opened, self._trying, self._resting = 0, None, False, 0.0

    def failed(self, now: float) -> None:
        """The service did not answer, or with a fault of its own."""
        if self._streak == 0:
            self._began = now
        self._streak += 1
        if self._opened is not None:
            if self._trying:
                self._trying = False
                self._opened = now
                self._resting = min(self.longest, self._resting * 2)
        elif self._streak >= self.failures and now - self._began >= self.seconds:
            self._opened, self._resting = now, self.rest
