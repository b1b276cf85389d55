"""Failures: which answers and exceptions are an endpoint's fault, which may be tried again, and when. Pure.

Owns the reading of statuses and of `Retry-After`. The rules are those of the openai client, which the pool's attempts
take the place of: 408, 409, 429 and all from 500 on are tried again unless the server says otherwise by
`x-should-retry`; everything else is the request's own affair and passes as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from alto_lg.routing import Failure

RETRY_AFTER_S_MAX = 3600.0
"""Nobody is left alone for longer, whatever the server says."""

_TRIED_AGAIN = frozenset({408, 409, 429})
_ITS_OWN_FAULT_FROM = 500


def failure_of_status(status: int, headers: Mapping[str, str], wall_time_s: float) -> Failure | None:
    """What an answer's status means; None if it is an answer. headers: with names in lower case."""
    if status < 400:
        return None
    retry = headers.get("x-should-retry", str(status in _TRIED_AGAIN or status >= _ITS_OWN_FAULT_FROM).lower())
    return Failure(
        f"status {status}",
        retry=retry == "true",
        counts=status >= _ITS_OWN_FAULT_FROM,
        retry_after_s=retry_after_s(headers, wall_time_s),
        rate_limited=status == 429,
    )


def failure_of_exception(error: BaseException) -> Failure | None:
    """What an exception of the HTTP client means; None if no endpoint can help it, so that it passes as it is.

    Told by name, because the openai client is built on either of two libraries that have the same exceptions.
    """
    names = {base.__name__ for base in type(error).__mro__}
    if "PoolTimeout" in names or not names & {"TimeoutException", "NetworkError", "RemoteProtocolError", "OSError"}:
        return None
    return Failure(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def retry_after_s(headers: Mapping[str, str], wall_time_s: float) -> float | None:
    """Seconds for which an endpoint asked to be left alone; None if it did not, or it cannot be read.

    wall_time_s: seconds since the epoch, for a header that holds a date (RFC 9110, 10.2.3).
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit_s
        except (KeyError, ValueError):
            continue
        return None if math.isnan(seconds) or seconds < 0 else min(seconds, RETRY_AFTER_S_MAX)
    try:
        date = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(max(0.0, date.timestamp() - wall_time_s), RETRY_AFTER_S_MAX)
