"""Generations of an index: ``ALIAS-000001``, ``ALIAS-000002``…; the alias says which is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag import config
from rag.errors import ConfigError, TargetFailed
from rag.targets.opensearch import mapping

if TYPE_CHECKING:
    from rag.targets.opensearch.connection import Connection


@dataclass(frozen=True, slots=True)
class Generation:
    """One index, as it was made.

    Attributes:
        index: Its name.
        embedding: The model that its passages were embedded with.
        dimensions: Of its vectors.
        search: How its vectors are searched: engine, method and their parameters as they were
            when it was made; the corpus file may say something else by now.
        pipeline: The search pipeline for hybrid queries; empty where the cluster has none, or
            would rank otherwise than we do.
        replaces: The generation that was served before; empty for the first.
        layout: Which fields it has: see `mapping.LAYOUT`.
    """

    index: str
    embedding: config.Embedding
    dimensions: int
    search: config.OpenSearchTarget
    pipeline: str = ""
    replaces: str = ""
    layout: int = mapping.LAYOUT

    @property
    def number(self) -> int:
        return int(self.index.rpartition("-")[2])


def served(
    connection: Connection, alias: str, target: config.OpenSearchTarget
) -> Generation | None:
    """Return what the alias points to; None: nothing is there yet.

    Raises:
        ConfigError: The name is taken by something that is not ours.
    """
    answer: Any = connection.ask(lambda client: client.indices.get(index=alias), missing={})
    if not answer:
        return None
    if len(answer) > 1 or alias in answer:
        raise ConfigError(
            f"The name {alias} belongs to an index, or to several, in this cluster.",
            "Give the target a name of its own: targets: [{index: NAME}].",
        )
    ((index, about),) = answer.items()
    return _generation(index, about, target)


def named(connection: Connection, index: str, target: config.OpenSearchTarget) -> Generation | None:
    """Return one generation; None: it is gone."""
    answer: Any = connection.ask(lambda client: client.indices.get(index=index), missing={})
    return _generation(index, answer[index], target) if answer else None


def _generation(index: str, about: Any, target: config.OpenSearchTarget) -> Generation:
    meta = about["mappings"].get("_meta", {}).get("sluice")
    if meta is None:
        raise ConfigError(
            f"The index {index} was not made by Sluice.",
            "Give the target a name of its own: targets: [{index: NAME}].",
        )
    return Generation(
        index=index,
        embedding=config.Embedding(model=meta["model"], dimensions=meta["asked_dimensions"]),
        dimensions=meta["dimensions"],
        search=target.model_copy(update=meta["search"]),
        pipeline=meta["pipeline"],
        replaces=meta["replaces"],
        layout=meta.get("layout", 1),
    )


def every(connection: Connection, alias: str) -> list[str]:
    """Return the names of all generations there are, oldest first."""
    answer: Any = connection.ask(lambda client: client.indices.get(index=f"{alias}-*"), missing={})
    numbered = [name for name in answer or {} if name.removeprefix(f"{alias}-").isdecimal()]
    return sorted(numbered)


_SEARCH = ("engine", "method", "m", "ef_construction", "analyzer")
"""What an index is made with; `ef_search` may change with the corpus file."""


def create(
    connection: Connection,
    alias: str,
    target: config.OpenSearchTarget,
    embedding: config.Embedding,
    dimensions: int,
    replaces: str = "",
) -> Generation:
    """Make the next generation; it is served at once when it replaces nothing.

    Raises:
        TargetFailed: The cluster refuses its settings.
    """
    numbers = [int(name.rpartition("-")[2]) for name in every(connection, alias)]
    made = Generation(
        index=f"{alias}-{max(numbers, default=0) + 1:06d}",
        embedding=embedding,
        dimensions=dimensions,
        search=target,
        # The cluster ranks by shard: fused there, the first of each of several are all the best.
        pipeline=_pipeline(connection) if target.shards == 1 and not connection.serverless else "",
        replaces=replaces,
    )
    shape = mapping.body(target, dimensions, serverless=connection.serverless)
    shape["mappings"]["_meta"] = {
        "sluice": {
            "model": embedding.model,
            "asked_dimensions": embedding.dimensions,
            "dimensions": dimensions,
            "search": {field: getattr(target, field) for field in _SEARCH},
            "pipeline": made.pipeline,
            "layout": made.layout,
            "replaces": replaces,
        }
    }
    template = {
        "index_patterns": [f"{alias}-*"],
        # Where one corpus's name begins with another's, the longer pattern is the right one.
        "priority": 500 + len(alias),
        "template": shape,
    }
    connection.ask(lambda client: client.indices.put_index_template(name=alias, body=template))
    body = shape if replaces else shape | {"aliases": {alias: {}}}
    connection.ask(lambda client: client.indices.create(index=made.index, body=body, ignore=[400]))
    there = named(connection, made.index, target)
    if there is None:
        raise TargetFailed(
            f"OpenSearch did not make the index {made.index}.",
            "Check that engine, method and analyzer of the target are ones that it has.",
        )
    return there


def _pipeline(connection: Connection) -> str:
    """Return the name of the search pipeline, made when needed; empty: the cluster cannot."""
    path = f"/_search/pipeline/{mapping.PIPELINE}"

    def put(client: Any) -> Any:
        return client.transport.perform_request("PUT", path, body=mapping.pipeline())

    try:
        connection.ask(put)
    except TargetFailed:
        return ""
    return mapping.PIPELINE


def serve(connection: Connection, alias: str, index: str, instead_of: str) -> None:
    """Point the alias to another generation, in one step: no search comes between."""
    actions = [
        {"remove": {"index": instead_of, "alias": alias}},
        {"add": {"index": index, "alias": alias}},
    ]
    connection.ask(lambda client: client.indices.update_aliases(body={"actions": actions}))


def drop(connection: Connection, index: str) -> None:
    """Delete a generation that is not served."""
    connection.ask(lambda client: client.indices.delete(index=index), missing={})
