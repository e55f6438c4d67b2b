"""Days as numbers that sort, and that people can read: 31 January 2026 is 20260131, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime


def number(day: date) -> int:
    """Return a day's number."""
    return day.year * 10_000 + day.month * 100 + day.day


def day(number: int) -> date:
    """Return the day of a number.

    Raises:
        ValueError: There is no such day.
    """
    return date(number // 10_000, number // 100 % 100, number % 100)


def parsed(text: str) -> int:
    """Return the number of a day as ISO 8601 has it, ``2026-01-31`` or ``20260131``.

    Raises:
        ValueError: It is none.
    """
    return number(date.fromisoformat(text))


def told(number: int | None) -> str | None:
    """Return a day as ISO 8601 has it, ``2026-01-31``; None for none."""
    return None if number is None else day(number).isoformat()


def of_moment(moment: object) -> int | None:
    """Return the number of the day of a moment, as file systems tell it; None: it tells none.

    Args:
        moment: A datetime (in UTC, where it does not say), seconds since 1970, or ISO 8601.
    """
    try:
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        elif isinstance(moment, int | float):
            moment = datetime.fromtimestamp(moment, UTC)
        if not isinstance(moment, datetime):
            return None
        return number(moment.astimezone(UTC) if moment.tzinfo else moment)
    except (ValueError, OverflowError, OSError):
        return None
