"""A parsed document as detection reads it, and how its masked strings go back to their places."""

from __future__ import annotations

from collections.abc import Callable

from rag.masked import EMPTY, Masked, fixed
from rag.privacy.detect import Passage, Segment
from rag.records import Element, Failure, MaskedElement, ParsedDocument


class Node:
    """A document of a tree, with the places of its strings among the tree's segments."""

    def __init__(self, document: ParsedDocument | Failure) -> None:
        self.document = document
        self.own: list[int] = []
        self.name = self.title = -1
        self.elements: list[Callable[[Callable[[int], Masked]], MaskedElement]] = []
        self.children: list[Node] = []


class Tree:
    """A document with its attachments as one passage: a person of the mail is known in them."""

    def __init__(self, document: ParsedDocument) -> None:
        self.segments: list[Segment] = []
        self._seen: dict[Segment, int] = {}
        self.root = self._node(document)
        self.passage = Passage(self.segments)

    def _add(self, node: Node, segment: Segment, shared: bool = False) -> int:
        if shared:
            index = self._seen.get(segment)
            if index is None:
                index = self._seen[segment] = len(self.segments)
                self.segments.append(segment)
        else:
            index = len(self.segments)
            self.segments.append(segment)
        if not node.own or node.own[-1] != index:
            node.own.append(index)
        return index

    def _node(self, document: ParsedDocument | Failure) -> Node:
        node = Node(document)
        node.name = self._add(node, Segment(document.name))
        if isinstance(document, Failure):
            return node
        node.title = self._add(node, Segment(document.title), shared=True)
        for element in document.elements:
            node.elements.append(self._element(node, element))
        node.children = [self._node(child) for child in document.attachments]
        node.own = list(dict.fromkeys(node.own))
        return node

    def _element(
        self, node: Node, element: Element
    ) -> Callable[[Callable[[int], Masked]], MaskedElement]:
        section = [self._add(node, Segment(part), shared=True) for part in element.section]
        label = self._add(node, Segment(element.label), shared=True) if element.label else -1
        rows: list[list[int]] = []
        text = -1
        if element.rows:
            header = element.rows[0]
            for number, row in enumerate(element.rows):
                rows.append([])
                for column, cell in enumerate(row):
                    head = header[column] if number and column < len(header) else ""
                    joint = " | " if column + 1 < len(row) else "\n"
                    rows[-1].append(self._add(node, Segment(cell, head, joint)))
        else:
            text = self._add(node, Segment(element.text, element.label))

        def build(masked: Callable[[int], Masked]) -> MaskedElement:
            cells = tuple(tuple(masked(index) for index in row) for row in rows)
            readable = (
                fixed("\n").join(fixed(" | ").join(row) for row in cells) if cells else masked(text)
            )
            return MaskedElement(
                kind=element.kind,
                text=readable,
                page=element.page,
                section=tuple(masked(index) for index in section),
                rows=cells,
                label=masked(label) if label >= 0 else EMPTY,
            )

        return build
