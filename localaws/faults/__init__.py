"""Faults on purpose, by rules that can be changed while the server runs.

A file of rules is YAML or JSON, read anew when it changes; ``PUT /_localaws/faults`` takes the
same as JSON. Each rule says what goes wrong, where, and how often::

    rules:
      - {fault: throttle, probability: 0.3, operation: "Invoke*", seed: 7}
      - {fault: rate, per_second: 5, burst: 10, service: bedrock-agent-runtime}
      - {fault: tokens, per_minute: 20000, model: "anthropic.*"}
      - {fault: latency, ms: 40, jitter_ms: 20}
      - {fault: status, status: 503, probability: 0.02}
      - {fault: error, code: ModelTimeoutException, count: 2}
      - {fault: reset, probability: 0.01}              # before any byte of the response
      - {fault: reset_mid_stream, after: 3}            # events
      - {fault: error_mid_stream, after: 3, code: ModelStreamErrorException}
      - {fault: slow_first_byte, ms: 800}              # headers wait as well
      - {fault: expired_credentials, count: 1}
      - {fault: partial, share: 0.2}                   # of the items of a batch fail
      - {fault: malformed, how: json}                  # or cut: the connection ends half-way

``service``, ``operation`` and ``model`` (or the endpoint's name) are globs and match everything if
left out. ``probability`` is 1 if left out, ``count`` ends a rule after so many faults. Draws come
from ``seed``, one a matching call, so the same calls in the same order meet the same faults. All
rules that match apply in order; the first that ends a call decides how.
"""

from localaws.faults.injector import Injector
from localaws.faults.kinds import FAULTS
from localaws.faults.plan import Plan
from localaws.faults.rules import parse_rules

__all__ = ["FAULTS", "Injector", "Plan", "parse_rules"]
