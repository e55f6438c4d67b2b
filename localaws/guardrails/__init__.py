"""Guardrails: their life cycle, and ApplyGuardrail that really reads what it is given.

`apply.evaluate` is what models and knowledge bases call for a ``guardrailConfig``.
"""

from localaws.guardrails import apply, lifecycle, tags

__all__ = ["apply", "lifecycle", "tags"]
