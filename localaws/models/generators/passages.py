"""Reading a prompt as a person does: which parts are passages, which is the question, and whether
citations are asked for.

Prompts for retrieval look alike but for their marks: ``[1] …``, ``Passage 1: …``,
``<document index="1">…``, or ``Context: … Question: …``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from localaws.models.prompt import Part, Prompt

_ITEM_TAGS = "document|doc|passage|search_result|result|chunk|excerpt|snippet|item|source"
_ITEM = re.compile(
    rf"<(?P<tag>{_ITEM_TAGS})(?P<attributes>\s[^<>]*)?>(?P<body>.*?)</(?P=tag)>",
    re.DOTALL | re.IGNORECASE,
)
_BODY = re.compile(
    r"<(document_content|content|text|passage_text)>(?P<text>.*?)</\1>", re.DOTALL | re.IGNORECASE
)
_TITLE = re.compile(r"<(title|source|name)>(?P<text>.*?)</\1>", re.DOTALL | re.IGNORECASE)
_INNER_ID = re.compile(r"<(?:id|index|number)>\s*(?P<id>[^<>]{1,60}?)\s*</", re.IGNORECASE)
_ATTRIBUTE_ID = re.compile(
    r"\b(?:index|id|number|n|ref)\s*=\s*[\"']?(?P<id>[^\"'\s>]+)", re.IGNORECASE
)
_TAGGED_QUESTION = re.compile(
    r"<(?P<tag>question|query|user_question|user_query)>(?P<text>.*?)</(?P=tag)>",
    re.DOTALL | re.IGNORECASE,
)
_WRAPPER = re.compile(
    r"<(?P<tag>context|contexts|passages|documents|sources|search_results)>(?P<text>.*?)</(?P=tag)>",
    re.DOTALL | re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"^[ \t]*(?:#+[ \t]*)?(?:"
    r"\[(?P<bracket>(?=[^\]]*\d)[\w.-]{1,40})\][ \t]*:?"
    r"|(?:passage|document|source|excerpt|chunk|search result|result|context|doc)[ \t]*"
    r"[\[(#]?(?P<named>\d{1,3})[\])]?[ \t]*[:.)-]?"
    r")[ \t]*(?=\S|\n)",
    re.IGNORECASE | re.MULTILINE,
)
_QUESTION = re.compile(
    r"^[ \t]*(?:user |the )?(?:question|query|frage|vraag|pregunta)[ \t]*:[ \t]*\n?"
    r"(?P<text>[^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_CONTEXT = re.compile(
    r"^[ \t]*(?:relevant )?(?:context|passages?|documents?|sources?|excerpts?|information|"
    r"background|text|article|search results?)[ \t]*:[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(
    r"^[ \t]*(?:helpful |final |your )?(?:answer|instructions?|task|assistant|response|output|"
    r"question|query|frage)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_SAY = "say|reply|respond|answer|write|output|return|state"
_INSTRUCTION = re.compile(
    rf"^\W*(?:use|you are|you're|given|please|if\b.{{0,120}}\b(?:{_SAY})|do not|don't|based on|"
    rf"cite|quote|only|{_SAY})\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"\[(?:\d+|n|i|number|id|x)\]|\bcit(?:e|es|ing|ation|ations)\b", re.IGNORECASE)
_ABSTAIN = re.compile(
    rf"(?:{_SAY})\b[^.\n\"“'‘`]{{0,60}}"
    r"(?:\"(?P<a>[^\"\n]{2,200})\"|“(?P<b>[^”\n]{2,200})”|'(?P<c>[^'\n]{2,200})'"
    r"|‘(?P<d>[^’\n]{2,200})’|`(?P<e>[^`\n]{2,200})`)",
    re.IGNORECASE,
)


_HEADING = re.compile(r"^[^\S\n]*(?:#+[^\S\n]+(?P<a>[^\n]+)|(?P<b>[^\n]*[^\S\n]›[^\S\n][^\n]*))\n")
"""A first line that heads what follows: Markdown's, or a path of sections."""


@dataclass(frozen=True, slots=True)
class Given:
    """A passage of the prompt.

    Attributes:
        label: As the prompt names it: a number or an id.
        place: Of a document or search result among all of the prompt's; -1 for a text's passage.
    """

    label: str
    text: str
    title: str = ""
    place: int = -1
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt, understood.

    Attributes:
        marked: Whether sentences shall end in markers like ``[1]``.
        abstention: Words that the prompt wants where nothing answers, or empty.
    """

    question: str
    passages: tuple[Given, ...]
    marked: bool
    abstention: str


def read(prompt: Prompt) -> Reading:
    """Find question, passages and instructions in a prompt."""
    passages: list[Given] = []
    instructions: list[str] = []
    rest = found_question = ""
    if prompt.system:
        found, _, left = understood(prompt.system, asks=False)
        passages += found
        instructions.append(left)
    asked = prompt.asked
    for turn in prompt.turns:
        if turn.role != "user" or not turn.text.strip():
            continue
        found, question, left = understood(turn.text, asks=turn.text == asked)
        passages += found
        instructions.append(left)
        if turn.text == asked:
            found_question, rest = question, left
    passages += _parts(prompt, len(passages))
    passages = [_headed(given) for given in passages]
    told = "\n".join(instructions)
    wish = _ABSTAIN.search(told)
    return Reading(
        question=" ".join((found_question or rest or asked).split()),
        passages=tuple(passages),
        marked=_MARKED.search(told) is not None,
        abstention=next((word for word in wish.groups() if word), "") if wish else "",
    )


def understood(text: str, asks: bool = True) -> tuple[list[Given], str, str]:
    """Return passages, question and what is left of a text.

    Args:
        asks: Whether the question stands in it; if not, only marked passages are looked for.
    """
    question = ""
    if tagged := _TAGGED_QUESTION.search(text):
        question = tagged["text"].strip()
        text = text[: tagged.start()] + text[tagged.end() :]
    elif asks and (lines := list(_QUESTION.finditer(text))):
        question = lines[-1]["text"].strip()
        text = text[: lines[-1].start()] + "\n\n" + text[lines[-1].end() :]
    passages, left = _tagged(text)
    if not passages:
        passages, left = _numbered(text)
    if not passages:
        passages, left = _plain(text, headed_only=not question)
    if asks and not question:
        question = _last_question(left)
    return passages, question, left


def _tagged(text: str) -> tuple[list[Given], str]:
    items = [item for item in _ITEM.finditer(text) if item["body"].strip()]
    passages = []
    for number, item in enumerate(items, 1):
        body, attributes = item["body"], item["attributes"] or ""
        named = _ATTRIBUTE_ID.search(attributes) or _INNER_ID.search(body)
        inner, title = _BODY.search(body), _TITLE.search(body)
        passages.append(
            Given(
                label=named["id"] if named else str(number),
                text=(inner["text"] if inner else _TITLE.sub("", body)).strip(),
                title=title["text"].strip() if title and inner else "",
            )
        )
    if passages:
        return passages, _ITEM.sub(" ", text)
    for wrapper in _WRAPPER.finditer(text):
        inside, _ = _numbered(wrapper["text"])
        passages += inside or _paragraphs(wrapper["text"], len(passages))
    return passages, _WRAPPER.sub(" ", text)


def _numbered(text: str) -> tuple[list[Given], str]:
    marks = list(_NUMBERED.finditer(text))
    if not marks:
        return [], text
    passages, left, at = [], [], 0
    for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(text)], strict=True):
        stop = _HEADER.search(text, mark.end(), end)
        body_end = stop.start() if stop else end
        if mark is marks[-1] and not stop:
            body_end = _tail(text, mark.end(), end)
        body = text[mark.end() : body_end].strip()
        left.append(text[at : mark.start()])
        at = body_end
        if body:
            passages.append(Given(mark["bracket"] or mark["named"], body))
    left.append(text[at:])
    return passages, "\n".join(left)


def _tail(text: str, start: int, end: int) -> int:
    """Where the last passage ends: before a last paragraph that asks or instructs."""
    last = text.rstrip().rfind("\n\n", start, end)
    if last < 0:
        return end
    words = text[last:end].strip()
    return last if words.endswith("?") or _INSTRUCTION.match(words) else end


def _plain(text: str, headed_only: bool) -> tuple[list[Given], str]:
    head = _CONTEXT.search(text)
    if head:
        stop = _HEADER.search(text, head.end())
        end = stop.start() if stop else _tail(text, head.end(), len(text))
        return _paragraphs(text[head.end() : end], 0), f"{text[: head.start()]}\n{text[end:]}"
    if headed_only:
        return [], text
    blocks = re.split(r"\n\s*\n", text)
    told = [b for b in blocks if _INSTRUCTION.match(b) or _HEADER.match(b)]
    return _paragraphs("\n\n".join(b for b in blocks if b not in told), 0), "\n\n".join(told)


def _paragraphs(text: str, before: int) -> list[Given]:
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return [Given(str(before + at), block) for at, block in enumerate(blocks, 1)]


def _last_question(text: str) -> str:
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    asking = [block for block in blocks if "?" in block]
    if asking:
        return asking[-1]
    return blocks[-1] if blocks else ""


def _headed(given: Given) -> Given:
    heading = None if given.title or given.cited else _HEADING.match(given.text)
    if heading is None:
        return given
    title = (heading["a"] or heading["b"]).strip()
    return replace(given, title=title, text=given.text[heading.end() :].strip())


def _parts(prompt: Prompt, before: int) -> Iterator[Given]:
    place = 0
    number = before
    for turn in prompt.turns:
        for part in turn.parts:
            if part.kind in ("document", "search_result"):
                if part.text.strip():
                    number += 1
                    yield _given(part, number, place)
                place += 1
    for part in prompt.turns[-1].parts if prompt.turns else ():
        if part.kind == "tool_result" and part.text.strip():
            number += 1
            yield Given(str(number), part.text)


def _given(part: Part, number: int, place: int) -> Given:
    return Given(str(number), part.text, part.title or part.name, place, part.cited)
