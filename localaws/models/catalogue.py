"""The models there are, by every name that Bedrock takes for one: id, inference profile, ARN.

Limits are those of AWS's user guide, ids and context windows those of langchain-aws's profiles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from localaws.operations import AwsError, Call
from localaws.state import State

Family = Literal[
    "titan-embed",
    "cohere-embed",
    "cohere-rerank",
    "amazon-rerank",
    "anthropic",
    "nova",
    "meta",
    "mistral-text",
    "mistral-chat",
]

TEXT_FAMILIES = frozenset({"anthropic", "nova", "meta", "mistral-text", "mistral-chat"})


@dataclass(frozen=True, slots=True)
class Model:
    """A foundation model.

    Attributes:
        family: Which native body it takes.
        context_tokens: Most that a request may have, input and output together.
        max_output_tokens: Most that it writes; 0 where it writes no text.
        accepts: What it takes beside text: ``image``, ``document``, ``tools``, ``system``.
        regions: Prefixes of its cross-region inference profiles, for example ``us``.
        dimensions: Of its vectors, the default first; empty where it makes none.
        sampling: Whether temperature and top-p may both be set, only one of them, or none.
    """

    id: str
    name: str
    provider: str
    family: Family
    context_tokens: int
    max_output_tokens: int = 0
    accepts: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = ()
    sampling: Literal["both", "one", "none"] = "both"

    @property
    def writes(self) -> bool:
        """Whether it generates text."""
        return self.family in TEXT_FAMILIES


_ALL = frozenset({"image", "document", "tools", "system"})
_DOCUMENTS = frozenset({"document", "tools", "system"})
_WORLD = ("us", "eu", "apac", "au", "jp", "global")
_WIDE = ("us", "eu", "apac")


def _anthropic(
    name: str,
    title: str,
    context: int,
    output: int,
    sampling: Literal["both", "one", "none"] = "both",
) -> Model:
    return Model(
        f"anthropic.{name}",
        *(title, "Anthropic", "anthropic", context, output, _ALL, _WORLD),
        sampling=sampling,
    )


def _nova(name: str, title: str, context: int, output: int, accepts: frozenset[str]) -> Model:
    return Model(f"amazon.{name}", title, "Amazon", "nova", context, output, accepts, _WORLD)


def _meta(name: str, title: str, context: int, output: int, accepts: frozenset[str]) -> Model:
    return Model(f"meta.{name}", title, "Meta", "meta", context, output, accepts, _WIDE)


def _mistral(
    name: str, title: str, family: Family, context: int, output: int, accepts: frozenset[str]
) -> Model:
    return Model(f"mistral.{name}", title, "Mistral AI", family, context, output, accepts, _WIDE)


_MODELS = (
    Model(
        "amazon.titan-embed-text-v1",
        *("Titan Embeddings G1", "Amazon", "titan-embed", 8_192),
        dimensions=(1536,),
    ),
    Model(
        "amazon.titan-embed-text-v2:0",
        *("Titan Embeddings V2", "Amazon", "titan-embed", 8_192),
        dimensions=(1024, 512, 256),
    ),
    Model(
        "cohere.embed-english-v3",
        *("Embed English", "Cohere", "cohere-embed", 512),
        dimensions=(1024,),
    ),
    Model(
        "cohere.embed-multilingual-v3",
        *("Embed Multilingual", "Cohere", "cohere-embed", 512),
        dimensions=(1024,),
    ),
    Model(
        "cohere.embed-v4:0",
        *("Embed v4", "Cohere", "cohere-embed", 128_000),
        regions=("us", "eu", "global"),
        dimensions=(1536, 1024, 512, 256),
    ),
    Model("amazon.rerank-v1:0", "Rerank 1.0", "Amazon", "amazon-rerank", 32_000),
    Model("cohere.rerank-v3-5:0", "Rerank 3.5", "Cohere", "cohere-rerank", 4_096),
    _anthropic("claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", 200_000, 4_096),
    _anthropic("claude-3-sonnet-20240229-v1:0", "Claude 3 Sonnet", 200_000, 4_096),
    _anthropic("claude-3-opus-20240229-v1:0", "Claude 3 Opus", 200_000, 4_096),
    _anthropic("claude-3-5-haiku-20241022-v1:0", "Claude 3.5 Haiku", 200_000, 8_192),
    _anthropic("claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet", 200_000, 8_192),
    _anthropic("claude-3-5-sonnet-20241022-v2:0", "Claude 3.5 Sonnet v2", 200_000, 8_192),
    _anthropic("claude-3-7-sonnet-20250219-v1:0", "Claude 3.7 Sonnet", 200_000, 64_000),
    _anthropic("claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4", 200_000, 64_000),
    _anthropic("claude-opus-4-20250514-v1:0", "Claude Opus 4", 200_000, 32_000),
    _anthropic("claude-opus-4-1-20250805-v1:0", "Claude Opus 4.1", 200_000, 32_000, "one"),
    _anthropic("claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5", 200_000, 64_000, "one"),
    _anthropic("claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5", 200_000, 64_000, "one"),
    _anthropic("claude-opus-4-5-20251101-v1:0", "Claude Opus 4.5", 200_000, 64_000, "one"),
    _anthropic("claude-sonnet-4-6", "Claude Sonnet 4.6", 1_000_000, 128_000, "one"),
    _anthropic("claude-opus-4-6-v1", "Claude Opus 4.6", 1_000_000, 128_000, "one"),
    _anthropic("claude-opus-4-7", "Claude Opus 4.7", 1_000_000, 128_000, "none"),
    _anthropic("claude-opus-4-8", "Claude Opus 4.8", 1_000_000, 128_000, "none"),
    _anthropic("claude-sonnet-5", "Claude Sonnet 5", 1_000_000, 128_000, "none"),
    _anthropic("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, "none"),
    _anthropic("claude-opus-5", "Claude Opus 5", 1_000_000, 128_000, "none"),
    _anthropic("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, "none"),
    _anthropic("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, "none"),
    _anthropic("claude-fable-5", "Claude Fable 5", 1_000_000, 128_000, "none"),
    _anthropic("claude-fable-5-1", "Claude Fable 5.1", 1_000_000, 128_000, "none"),
    _nova("nova-micro-v1:0", "Nova Micro", 128_000, 10_000, frozenset({"tools", "system"})),
    _nova("nova-lite-v1:0", "Nova Lite", 300_000, 10_000, _ALL),
    _nova("nova-pro-v1:0", "Nova Pro", 300_000, 10_000, _ALL),
    _nova("nova-premier-v1:0", "Nova Premier", 1_000_000, 10_000, _ALL),
    _nova("nova-2-lite-v1:0", "Nova 2 Lite", 1_000_000, 65_535, _ALL),
    _meta("llama3-8b-instruct-v1:0", "Llama 3 8B Instruct", 8_192, 2_048, _DOCUMENTS - {"tools"}),
    _meta("llama3-70b-instruct-v1:0", "Llama 3 70B Instruct", 8_192, 2_048, _DOCUMENTS - {"tools"}),
    _meta("llama3-1-8b-instruct-v1:0", "Llama 3.1 8B", 128_000, 4_096, _DOCUMENTS),
    _meta("llama3-1-70b-instruct-v1:0", "Llama 3.1 70B", 128_000, 4_096, _DOCUMENTS),
    _meta("llama3-2-3b-instruct-v1:0", "Llama 3.2 3B", 128_000, 4_096, _DOCUMENTS - {"tools"}),
    _meta("llama3-3-70b-instruct-v1:0", "Llama 3.3 70B", 128_000, 4_096, _DOCUMENTS),
    _meta("llama4-scout-17b-instruct-v1:0", "Llama 4 Scout 17B", 10_000_000, 8_192, _ALL),
    _meta("llama4-maverick-17b-instruct-v1:0", "Llama 4 Maverick 17B", 1_000_000, 8_192, _ALL),
    _mistral("mistral-7b-instruct-v0:2", "Mistral 7B Instruct", "mistral-text", 32_000, 8_192,
             frozenset({"document"})),
    _mistral("mixtral-8x7b-instruct-v0:1", "Mixtral 8x7B", "mistral-text", 32_000, 4_096,
             frozenset({"document"})),
    _mistral("mistral-small-2402-v1:0", "Mistral Small (24.02)", "mistral-text", 32_000, 8_192,
             frozenset({"tools", "system"})),
    _mistral("mistral-large-2402-v1:0", "Mistral Large (24.02)", "mistral-text", 32_000, 8_192,
             _DOCUMENTS),
    _mistral("mistral-large-2407-v1:0", "Mistral Large (24.07)", "mistral-chat", 128_000, 8_192,
             _DOCUMENTS),
    _mistral("pixtral-large-2502-v1:0", "Pixtral Large (25.02)", "mistral-chat", 128_000, 8_192,
             _ALL),
    _mistral("mistral-large-3-675b-instruct", "Mistral Large 3", "mistral-chat", 262_144, 8_192,
             _ALL),
    _mistral("ministral-3-8b-instruct", "Ministral 3 8B", "mistral-chat", 128_000, 4_096, _ALL),
    _mistral("magistral-small-2509", "Magistral Small 1.2", "mistral-chat", 128_000, 40_000, _ALL),
)  # fmt: skip

MODELS = {model.id: model for model in _MODELS}
"""By foundation model id."""

PROFILES = {f"{region}.{model.id}": model for model in _MODELS for region in model.regions}
"""By the id of a system-defined inference profile."""

PROFILE = "inference-profile"
"""The kind of record that an application inference profile is in the state."""

_FOUNDATION = re.compile(r"arn:aws[^:]*:bedrock:[a-z0-9-]{1,20}::foundation-model/(?P<id>.+)")
_PROFILE = re.compile(
    r"arn:aws[^:]*:bedrock:[a-z0-9-]{0,20}:\d{0,12}:"
    r"(?P<kind>inference-profile|application-inference-profile)/(?P<id>.+)"
)


def find(identifier: str, state: State | None = None) -> Model:
    """Return the model that a request names.

    Args:
        identifier: A model id, an inference profile's id or ARN, or a foundation model's ARN.
        state: Knows application inference profiles.

    Raises:
        AwsError: There is no such model, as the runtime words it.
    """
    model = known(identifier, state)
    if model is None:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    return model


def known(identifier: str, state: State | None = None) -> Model | None:
    """`find`, but None where there is no such model."""
    if found := _FOUNDATION.fullmatch(identifier):
        return MODELS.get(found["id"])
    if found := _PROFILE.fullmatch(identifier):
        if found["kind"] == "inference-profile":
            return PROFILES.get(found["id"])
        record = state.get(PROFILE, found["id"]) if state is not None else None
        return None if record is None else MODELS.get(record["model"])
    return MODELS.get(identifier) or PROFILES.get(identifier)


def writer(identifier: str, state: State | None = None) -> Model:
    """`find` for a model that generates text.

    Raises:
        AwsError: There is no such model, or it writes nothing.
    """
    model = find(identifier, state)
    if not model.writes:
        raise AwsError(
            "ValidationException",
            "The action or operation is not supported by the model that you requested."
            " Check the supported models and try again.",
        )
    return model


def arn(call: Call, model: Model) -> str:
    """Return the foundation model's ARN in the caller's region."""
    return f"arn:aws:bedrock:{call.region}::foundation-model/{model.id}"
