"""RetrieveAndGenerate and its stream: an answer from what a search finds, with citations."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localaws.knowledge import access, bases, records, worker
from localaws.knowledge.citing import parts
from localaws.knowledge.index import Found
from localaws.knowledge.records import SESSION, Record
from localaws.knowledge.retrieve import (
    attributes,
    configured,
    guarded,
    location,
    reranked,
    searched,
)
from localaws.operations import AwsError, Call, operation

TURNS = 10
"""Turns of a session that the model is told."""

PROMPT = """You are a question answering agent. I will give you a set of search results, and the
user will give you a question. Answer the question using only information from the search results.
If the search results do not hold an answer, say that you could not find an exact answer.

Here are the search results:
$search_results$

$output_format_instructions$"""

SORRY = "Sorry, I am unable to assist you with this request."


@operation("bedrock-agent-runtime", "RetrieveAndGenerate")
def retrieve_and_generate(call: Call) -> dict[str, Any]:
    """Answer, whole."""
    session, action, text, citations = _answered(call)
    result = {"sessionId": session, "output": {"text": text}, "citations": citations}
    return result if action is None else result | {"guardrailAction": action}


@operation("bedrock-agent-runtime", "RetrieveAndGenerateStream")
def retrieve_and_generate_stream(call: Call) -> dict[str, Any]:
    """Answer in pieces: each part of the text, then its citation."""
    session, action, text, citations = _answered(call)
    return {"sessionId": session, "stream": _events(action, text, citations)}


def _events(
    action: str | None, text: str, citations: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    at = 0
    if action is not None:
        yield {"guardrail": {"action": action}}
    for citation in citations:
        end = citation["generatedResponsePart"]["textResponsePart"]["span"]["end"] + 1
        yield from said_in_pieces(text[at:end])
        yield {"citation": {**citation, "citation": citation}}
        at = end
    yield from said_in_pieces(text[at:])


def said_in_pieces(text: str) -> Iterator[dict[str, Any]]:
    """Yield a text as output events of some words each."""
    for piece in re.findall(r"\s*(?:\S+\s*){1,4}|\s+", text):
        yield {"output": {"text": piece}}


def _answered(call: Call) -> tuple[str, str | None, str, list[dict[str, Any]]]:
    """Return session, what the guardrail did, text, citations."""
    worker.awake(call.state)
    asked = call.params.get("retrieveAndGenerateConfiguration")
    if asked is None:
        raise AwsError("ValidationException", "retrieveAndGenerateConfiguration is required.")
    if asked["type"] != "KNOWLEDGE_BASE":
        raise AwsError(
            "NotImplementedException", f"localaws does not generate from {asked['type']}."
        )
    one = asked.get("knowledgeBaseConfiguration")
    if one is None:
        raise AwsError("ValidationException", "knowledgeBaseConfiguration is required.")
    base = records.active(call.state, one["knowledgeBaseId"])
    if bases.managed(base):
        raise AwsError(
            "ValidationException",
            f"{call.operation} can't be used with managed knowledge bases. Use Retrieve.",
        )
    session, history = _session(call)
    generation = one.get("generationConfiguration", {})
    guardrail = generation.get("guardrailConfiguration")
    question = str(call.params["input"]["text"])
    if not question.strip():
        raise AwsError("ValidationException", "The input must have text.")
    action, text = guarded(call, guardrail, question)
    if not text:
        message = blocked_message(call, guardrail, question)
        return session, action, message, [_citation(message, 0, len(message), base, [])]
    search = configured(base, one.get("retrievalConfiguration"), access.user(call, base))
    found = reranked(search, text, searched(call.state, base, search, text, search.results))
    said = written(call, one["modelArn"], generation, history, text, found)
    if guardrail is not None:
        said, intervened = checked(call, guardrail, text, said, found)
        if intervened:
            action = "INTERVENED"
    turns = [
        {"role": "user", "content": [{"text": text}]},
        {"role": "assistant", "content": [{"text": said or " "}]},
    ]
    call.state.put(SESSION, session, [*history, *turns][-2 * TURNS :])
    return session, action, said, _citations(base, said, found)


def _session(call: Call) -> tuple[str, list[dict[str, Any]]]:
    name = call.params.get("sessionId")
    if name is None:
        return str(uuid.uuid4()), []
    history = call.state.get(SESSION, name)
    if history is None:
        raise AwsError(
            "ValidationException",
            f"Session with Id {name} is not valid. Please check and try again.",
        )
    return name, history


def written(
    call: Call,
    model: str,
    generation: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    question: str,
    found: Sequence[Found],
) -> str:
    """Return what a model answers to a question from passages.

    Args:
        model: An id or ARN.
        generation: As the service's GenerationConfiguration.
        history: Messages as Converse takes them.

    Raises:
        AwsError: There is no such model, or the template has no place for the passages.
    """
    from localaws.models.converse import reply

    template = generation.get("promptTemplate", {}).get("textPromptTemplate", PROMPT)
    if "$search_results$" not in template:
        raise AwsError(
            "ValidationException",
            "The prompt template must have the placeholder $search_results$.",
        )
    results = "\n".join(
        f'<search_result index="{place}">\n{hit.chunk.shown}\n</search_result>'
        for place, hit in enumerate(found, 1)
    )
    told = (
        template.replace("$output_format_instructions$", "")
        .replace("$current_time$", datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
        .replace("$conversation_history$", "")
        .replace("$query$", question)
        .replace("$search_results$", results)
    )
    inference = generation.get("inferenceConfig", {}).get("textInferenceConfig", {})
    messages = [*history, {"role": "user", "content": [{"text": question}]}]
    return reply(model, told, messages, inference, call.state).text


def blocked_message(call: Call, guardrail: Mapping[str, Any], question: str) -> str:
    """Return what a guardrail says instead of an answer to a question that it blocks."""
    message, _ = _guard(call, guardrail).input([question])
    return message or SORRY


def checked(
    call: Call,
    guardrail: Mapping[str, Any],
    question: str,
    said: str,
    found: Sequence[Found],
) -> tuple[str, bool]:
    """Return an answer as the guardrail lets it out, and whether it changed anything."""
    guard = _guard(call, guardrail)
    guard.evidence = [
        {"text": {"text": question, "qualifiers": ["query"]}},
        *({"text": {"text": hit.chunk.shown, "qualifiers": ["grounding_source"]}} for hit in found),
    ]
    message, text = guard.output(said)
    return (text if message is None else message), message is not None or text != said


def _guard(call: Call, guardrail: Mapping[str, Any]) -> Any:
    from localaws.models.guarding import guard

    return guard(
        call,
        {
            "guardrailIdentifier": guardrail["guardrailId"],
            "guardrailVersion": guardrail["guardrailVersion"],
        },
    )


def _citations(base: Record, text: str, found: Sequence[Found]) -> list[dict[str, Any]]:
    return [
        _citation(text, part.start, part.end, base, [found[place] for place in part.sources])
        for part in parts(text, [hit.chunk.shown for hit in found])
    ]


def _citation(
    text: str, start: int, end: int, base: Record, found: Sequence[Found]
) -> dict[str, Any]:
    """One part of an answer. Spans name the first and the last character, as the service's do."""
    return {
        "generatedResponsePart": {
            "textResponsePart": {
                "span": {"start": start, "end": max(start, end - 1)},
                "text": text[start:end],
            }
        },
        "retrievedReferences": [
            {
                "content": {"type": "TEXT", "text": hit.chunk.shown},
                "location": location(base, hit.document),
                "metadata": attributes(hit),
            }
            for hit in found
        ],
    }
