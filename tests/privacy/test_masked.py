"""Masked text is made in few places, stays masked where it may, and is asked for everywhere."""

from __future__ import annotations

import ast
import copy
import io
import json
import pickle
import re
import sqlite3
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import answerer
from rag.config import Aws
from rag.ingest.store import DocumentResult, Store
from rag.ledger import Ledger, documents
from rag.masked import EMPTY, Masked, NotMasked, configured, fixed, identifier, require
from rag.masked.stored import stored
from rag.models import embedder
from rag.models.chat import generate
from rag.records import Chunk, MaskedDocument, MaskedElement
from rag.retrieve.query import Query
from rag.retrieve.rerank import rerank
from rag.targets.embedded import EmbeddedIndex
from tests.masked import masked
from tests.targets.documents import DIMENSIONS, make
from tests.test_ledger import entry, failure

ROOT = Path(__file__).parents[2]
RAW = "Ingrid Solberg"
MAY = {
    "passed": ("rag/privacy/",),
    "stored": ("rag/ledger/", "rag/ingest/store.py", "rag/targets/"),
    "received": ("localaws/",),
    "text": ("rag/masked/",),
}
"""Who may import which module of `rag.masked`, beginnings of paths."""
NOT_LITERAL = {"rag/masked/text.py", "rag/telemetry.py", "rag/ingest/failures.py"}
"""Where `fixed` is given more than literals: sentences of a closed set, names of fields."""


def parsed() -> Iterator[tuple[str, ast.Module]]:
    for room in ("rag", "connectors", "localaws", "dags", "samples"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


TREES = dict(parsed())


def makers(tree: ast.Module) -> Iterator[str]:
    """Modules of `rag.masked` that a module imports, in any of Python's ways."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name[11:] for one in node.names if one.name.startswith("rag.masked."))
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.startswith("rag.masked."):
                yield node.module.removeprefix("rag.masked.")
            elif node.module == "rag.masked":
                yield from (one.name for one in node.names if one.name in MAY)


def test_each_maker_is_used_where_it_may_be_and_nowhere_else() -> None:
    used = {(maker, path) for path, tree in TREES.items() for maker in makers(tree)}
    wrong = {
        (maker, path)
        for maker, path in used
        if maker not in MAY or not path.startswith((*MAY[maker], "rag/masked/"))
    }
    assert not wrong
    assert {maker for maker, _ in used} == set(MAY), "the check sees what it is about"


def test_nobody_reaches_behind_the_makers() -> None:
    """`str.__new__` makes a Masked of anything, as do the names that are nobody's business."""
    for path, tree in TREES.items():
        if path.startswith("rag/masked/"):
            continue
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not names & {"_unchecked", "_restored", "__new__"}, path
        called = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"Masked", "cast"}
            and any(
                isinstance(one, ast.Name) and one.id == "Masked"
                for one in (node.func, *node.args[:1])
            )
        ]
        assert not called, path


def test_the_programs_own_words_are_literals() -> None:
    for path, tree in TREES.items():
        if path in NOT_LITERAL:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "fixed":
                assert _literal(node.args[0], tree), f"{path}:{node.lineno}"


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _literal(node: ast.expr, tree: ast.Module) -> bool:
    """A string, or a member of a table of strings that is named in capitals."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id.isupper()
    if isinstance(node, ast.Name):  # unpacked from such a table
        return any(
            isinstance(one, ast.Assign)
            and isinstance(one.value, ast.Subscript)
            and _literal(one.value, tree)
            and any(isinstance(n, ast.Name) and n.id == node.id for n in ast.walk(one.targets[0]))
            for one in ast.walk(tree)
        )
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_it_cannot_be_made_by_its_name() -> None:
    called: Any = Masked
    for arguments in ((RAW,), (), (b"x", "utf-8")):
        with pytest.raises(TypeError):
            called(*arguments)


texts = st.text(st.sampled_from([*string.ascii_letters, *" .,\n<>_漢é{}"]), max_size=40)


@given(texts, texts, st.integers(-50, 50), st.integers(-50, 50))
def test_what_is_done_to_it_is_what_is_done_to_a_string(
    one: str, two: str, start: int, end: int
) -> None:
    first, second = masked(one), masked(two)
    pairs = [
        (first[start:end], one[start:end]),
        (first.cut(start, end), one[start:end]),
        (first.strip(), one.strip()),
        (first.lstrip(" ."), one.lstrip(" .")),
        (first.rstrip(), one.rstrip()),
        (first.removeprefix("a"), one.removeprefix("a")),
        (first.removesuffix("a"), one.removesuffix("a")),
        (first.lower(), one.lower()),
        (first.upper(), one.upper()),
        (first + second, one + two),
        (first.join([second, second]), one.join([two, two])),
        (first.replace(" ", second), one.replace(" ", two)),
        (first.sub(re.compile("[a-e]"), second), re.sub("[a-e]", lambda _: two, one)),
        (fixed("{} › {}", first, second), f"{one} › {two}"),
        *zip(first.split(), one.split(), strict=True),
        *zip(first.splitlines(keepends=True), one.splitlines(keepends=True), strict=True),
        *zip(first.partition(","), one.partition(","), strict=True),
        *zip(first.rpartition(","), one.rpartition(","), strict=True),
    ]
    for made, expected in pairs:
        assert made == expected
        assert type(made) is Masked


@given(texts, texts)
def test_what_a_raw_string_goes_into_is_not_masked(one: str, raw: str) -> None:
    text = masked(one)
    for made in (
        text + raw,
        raw + text,
        text.join([text, raw]),
        raw.join([text, text]),
        text.replace("a", raw),
        f"{text}",
        str(text),
        "%s" % text,  # noqa: UP031
    ):
        assert type(made) is str


def test_places_take_numbers_and_masked_text_only() -> None:
    with pytest.raises(NotMasked):
        fixed("By {}.", RAW)  # type: ignore[arg-type]
    with pytest.raises(NotMasked):
        masked("a b").sub(re.compile("b"), lambda match: match[0])  # type: ignore[arg-type, return-value]
    for wrong in ("4111111111111111", "Solberg", "", "ABCDEF" * 6):
        with pytest.raises(NotMasked):
            identifier(wrong)
    for wrong in ("two words", "", "-x", "a" * 200):
        with pytest.raises(NotMasked):
            configured(wrong)


def test_it_is_a_string_to_every_library_that_carries_it(tmp_path: Path) -> None:
    import orjson
    import pyarrow as pa
    import pyarrow.parquet
    import yaml
    from opensearchpy.serializer import JSONSerializer
    from sqlalchemy import create_engine
    from sqlalchemy import text as sql
    from tokenizers import Tokenizer

    text = masked("Ask <PERSON> at 7, é漢")
    copies = [pickle.loads(pickle.dumps(text, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    for same in (*copies, copy.copy(text), copy.deepcopy(text), copy.deepcopy([text])[0]):
        assert (type(same), same) == (Masked, text)
    assert json.loads(json.dumps({text: [text]})) == {text: [text]}
    assert orjson.loads(orjson.dumps([text])) == [text]
    assert json.loads(JSONSerializer().dumps({"text": text})) == {"text": text}
    assert yaml.safe_load(yaml.dump(str(text))) == text
    table = pa.table({"text": pa.array([text], pa.string())})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    assert pyarrow.parquet.read_table(file).to_pylist() == [{"text": text}]
    assert sqlite3.connect(":memory:").execute("SELECT ?", (text,)).fetchone() == (text,)
    with create_engine("sqlite://").connect() as db:
        assert db.scalar(sql("SELECT :text"), {"text": text}) == text
    model: Any = embedder("embedded/minilm")
    assert model.count([text]) == model.count([str(text)])
    assert isinstance(model.offsets(text), list)
    assert Tokenizer
    assert {text: 1}[str(text)] == 1
    assert hash(text) == hash(str(text))


RESULT = DocumentResult(
    "d", None, masked("d.txt"), "", "v", 1, "c", "text/plain", masked("T"), (), {}, ()
)
CHUNK = Chunk("c", "d", 0, EMPTY, masked("text"), 1)
BAD: Any = RAW


def test_models_refuse_what_is_not_masked() -> None:
    local = embedder("embedded/minilm")
    aws = Aws(region="us-east-1", deadline_seconds=1)
    remote = [
        embedder("bedrock/amazon.titan-embed-text-v2:0", aws=aws),
        embedder("sagemaker/tei", dimensions=384, aws=aws),
    ]
    for model in (local, *remote):
        for asked in (model.embed, model.embed_documents):
            _refused(asked, [fixed("fine"), BAD])
        _refused(model.embed_query, BAD)
    _refused(rerank, "bedrock/cohere.rerank-v3-5:0", BAD, [_hit(), _hit()], 2, aws)
    raw = replace(_hit(), chunk=replace(CHUNK, text=BAD))
    _refused(rerank, "bedrock/cohere.rerank-v3-5:0", fixed("Who?"), [_hit(), raw], 2, aws)
    _refused(generate, "bedrock/amazon.nova-lite-v1:0", aws, 9, fixed("Answer."), BAD)
    _refused(answerer, "bedrock/amazon.nova-lite-v1:0")


def test_the_guardrail_refuses_what_is_not_masked() -> None:
    from rag.config import Guardrail
    from rag.privacy.guardrail import guardrail

    net = guardrail(Guardrail(id="abcdefghij", version="1"), Aws(region="us-east-1"))
    _refused(net.check, [fixed("fine"), BAD])
    _refused(net.check_answer, BAD, fixed("Who?"), [fixed("fine")])
    _refused(net.check_answer, fixed("It."), fixed("Who?"), [BAD])


@pytest.mark.parametrize("field", ["name", "title", "heading", "text", "html", "section"])
def test_a_target_refuses_what_is_not_masked_whole(field: str, tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index", DIMENSIONS)
    good = make("a", "one", "two")
    if field in ("name", "title"):
        bad = replace(good, **{field: BAD})
    else:
        value = (BAD,) if field == "section" else BAD
        bad = replace(good, chunks=(good.chunks[0], replace(good.chunks[1], **{field: value})))
    _refused(index.apply, [good, bad], [])
    assert not list(tmp_path.rglob("*.lance"))
    _refused(index.legs, Query(BAD, None, ("group:staff",)), 5)


def test_the_working_store_refuses_what_is_not_masked(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    element = MaskedElement("text", masked("fine"))
    for bad in (
        MaskedDocument("text/plain", BAD, ()),
        MaskedDocument("text/plain", masked("T"), (replace(element, text=BAD),)),
        MaskedDocument("text/plain", masked("T"), (replace(element, section=(BAD,)),)),
        MaskedDocument("text/plain", masked("T"), (replace(element, rows=((BAD,),)),)),
    ):
        _refused(store.keep_masked, "c", "f", bad)
    for result in (
        replace(RESULT, name=BAD),
        replace(RESULT, chunks=(replace(CHUNK, text=BAD),), vectors=np.zeros((1, 2))),
    ):
        _refused(store.write_result, "run", "1", [result])
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.zst"))
    assert not written


def test_what_the_store_gives_back_is_masked(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    element = MaskedElement("table", masked("a | b"), rows=((masked("a"), masked("b")),))
    store.keep_masked("c", "f", MaskedDocument("text/plain", masked("T"), (element,)))
    found = store.masked("c", "f")
    assert found is not None
    texts = (found.title, found.elements[0].text, *found.elements[0].rows[0])
    assert {type(text) for text in texts} == {Masked}


def test_the_ledger_refuses_what_is_not_masked(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db").write() as db:
        for field in ("name", "title"):
            bad = replace(entry("a"), **{field: BAD})
            _refused(documents.record, db, "handbook", None, [bad])
        for field in ("name", "reason", "action"):
            waiting = replace(failure("a"), **{field: BAD})
            _refused(documents.record, db, "handbook", None, [], [waiting])


def test_text_is_asked_for_by_whom_it_goes_to() -> None:
    assert require(stored("x"), "A test") == "x"
    _refused(require, RAW, "A test")


def _hit() -> Any:
    from rag.records import Hit

    return Hit(CHUNK, masked("d.txt"), 1.0)


def _refused(call: Any, *arguments: Any) -> None:
    with pytest.raises(NotMasked) as raised:
        call(*arguments)
    assert RAW not in f"{raised.value!r} {raised.value.__cause__!r}"
