"""Tags of guardrails: TagResource, UntagResource, ListTagsForResource of the bedrock service."""

from __future__ import annotations

from typing import Any

from localaws.guardrails.lifecycle import DRAFT, guardrail
from localaws.operations import AwsError, Call, operation

MOST_TAGS = 50


@operation("bedrock", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    """Add tags, or change their values."""
    with call.state.together():
        record = _tagged(call)
        tags = {tag["key"]: tag["value"] for tag in [*record["tags"], *call.params["tags"]]}
        if len(tags) > MOST_TAGS:
            raise AwsError(
                "TooManyTagsException",
                f"A resource can have at most {MOST_TAGS} tags.",
                {"resourceName": call.params["resourceARN"]},
            )
        record["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        call.state.put(DRAFT, record["guardrailId"], record)
    return {}


@operation("bedrock", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    """Take tags away."""
    with call.state.together():
        record = _tagged(call)
        gone = set(call.params["tagKeys"])
        record["tags"] = [tag for tag in record["tags"] if tag["key"] not in gone]
        call.state.put(DRAFT, record["guardrailId"], record)
    return {}


@operation("bedrock", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """List them."""
    return {"tags": _tagged(call)["tags"]}


def _tagged(call: Call) -> dict[str, Any]:
    record = guardrail(call.state, call.params["resourceARN"], "DRAFT")
    if record is None:
        raise AwsError("ResourceNotFoundException", "The specified resource was not found.")
    return record
