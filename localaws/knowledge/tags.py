"""Tags of knowledge bases."""

from __future__ import annotations

from typing import Any

from localaws.knowledge import records
from localaws.operations import AwsError, Call, operation

MOST = 50
"""Tags of a resource."""


@operation("bedrock-agent", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    """Add tags or give them other values."""
    with call.state.together():
        arn, tags = _tags(call)
        tags |= call.params["tags"]
        if len(tags) > MOST:
            raise AwsError(
                "ServiceQuotaExceededException", f"A resource can have at most {MOST} tags."
            )
        call.state.put(records.TAGS, arn, tags)
    return {}


@operation("bedrock-agent", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    """Take tags away."""
    with call.state.together():
        arn, tags = _tags(call)
        for key in call.params["tagKeys"]:
            tags.pop(key, None)
        call.state.put(records.TAGS, arn, tags)
    return {}


@operation("bedrock-agent", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """All tags of a resource."""
    return {"tags": _tags(call)[1]}


def _tags(call: Call) -> tuple[str, dict[str, str]]:
    arn = call.params["resourceArn"]
    found = records.knowledge_base(call.state, arn)
    if found["arn"] != arn:
        raise AwsError("ResourceNotFoundException", f"Resource {arn} does not exist.")
    return arn, dict(call.state.get(records.TAGS, arn) or {})
