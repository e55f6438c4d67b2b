"""What the sections of a corpus file are made of."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

PRINCIPAL = r"^(user|group):\S+$"
NAME = r"^[a-z][a-z0-9_-]{0,62}$"

NOT_SECRET = {"host_key", "host_key_policy", "key_filename", "token_file", "sse_kms_key_id"}
"""Options whose names sound like a secret and are none."""

Principal = Annotated[str, StringConstraints(pattern=PRINCIPAL)]


def wrong(problem: str, *, given: str = "", allowed: tuple[str, ...] = ()) -> PydanticCustomError:
    """Return an error that `rag.corpus_file` words: the problem, what is allowed, what is near.

    Args:
        problem: Never holds the value: it may be a secret in the wrong place.
        given: The value, where it cannot be one.
    """
    return PydanticCustomError(
        "sluice",
        "{problem}",  # type: ignore[arg-type]  # a literal for pydantic
        {"problem": problem, "given": given, "allowed": allowed},
    )


def names_secret(option: str) -> bool:
    """Whether an option's or query parameter's name is one of a secret."""
    words = r"pass(word|phrase|wd)?|pwd|secret|token|keys?|credentials?|sas|sig(nature)?"
    named = re.search(rf"(^|[^a-z])({words})($|[^a-z])", option.lower().replace("_", " "))
    return option not in NOT_SECRET and (named is not None or "connection_string" in option)


class Section(BaseModel):
    """A mapping of the file: no unknown fields, not changed after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True
    )


class Secret(Section):
    """Where a secret is; never the secret itself. Give one of the two."""

    env: str | None = Field(None, min_length=1, description="Name of an environment variable")
    connection: str | None = Field(
        None, min_length=1, description="Id of an Airflow connection; its password"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.connection is None):
            raise wrong("names one place: {env: NAME} or {connection: ID}")
        return self
