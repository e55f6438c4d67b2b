"""Tokens as a Bedrock model itself counts them: CountTokens, free of charge, which few models know.

https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.aws.calls import Calls
from rag.aws.runtime import Runtime
from rag.errors import ConfigError, ServiceFailed, ServiceRefused
from rag.masked import Masked, configured, require
from rag.telemetry import WARNING, event

if TYPE_CHECKING:
    from rag.config import Aws

log = logging.getLogger(__name__)


def counted(uri: str, aws: Aws) -> Callable[[Masked], int | None]:
    """Return what counts a message to the model of ``bedrock/MODEL_ID``.

    Where the model does not count, or the service fails to, that is logged and None returned: an
    estimate has to do. Who refused is not asked again in this process.

    Raises (what is returned):
        NotMasked: The text may not be sent.
    """
    model = uri.removeprefix("bedrock/")
    counter = _counter(model, aws.model_dump_json())

    def count(text: Masked) -> int | None:
        require(text, "The chat model")
        if model in _refused:
            return None
        try:
            return counter(text)
        except (ServiceFailed, ServiceRefused, ConfigError) as error:
            if isinstance(error, ServiceRefused):
                _refused.add(model)
            event(
                log,
                WARNING,
                "CountTokens: the service did not count, so tokens are estimated",
                model=configured(model),
                error=error,
            )
        return None

    return count


_refused: set[str] = set()


@lru_cache(maxsize=8)
def _counter(model: str, aws_json: str) -> Callable[[Masked], int]:
    from rag.config import Aws

    aws = Aws.model_validate_json(aws_json)
    calls = Calls(f"Bedrock {model}", aws.concurrency, aws.deadline_seconds)
    runtime = Runtime("bedrock-runtime", model, aws, calls)

    def count(text: Masked) -> int:
        message = {"role": "user", "content": [{"text": text}]}
        answer = runtime.count_tokens(modelId=model, input={"converse": {"messages": [message]}})
        return int(answer["inputTokens"])

    return count
