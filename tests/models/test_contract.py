"""One contract for every embedding model, wherever it runs."""

from __future__ import annotations

import numpy as np
import pytest

from rag.config import Aws
from rag.cost import metered
from rag.errors import ConfigError, ServiceRefused
from rag.models import Embedder, embedder, fingerprint
from tests.masked import all_masked, masked
from tests.services.localaws import LocalAws

MODELS = {
    "embedded/minilm": None,
    "bedrock/amazon.titan-embed-text-v2:0": 512,
    "bedrock/cohere.embed-english-v3": None,
    "bedrock/us.cohere.embed-v4:0": 256,
    "sagemaker/tei-minilm": 384,
}
REMOTE = [uri for uri in MODELS if not uri.startswith("embedded/")]
AWS = Aws(region="us-east-1", deadline_seconds=30)
SENTENCES = all_masked(
    [
        "Infusion pumps are checked by the night shift every two weeks.",
        "Who tests the pumps that give drugs?",
        "The canteen opens at half past six.",
        "PERSON_yafx2q4g asked for parental leave.",
        "Größe, 漢字, עברית, 🚑 and e\u0301",
        "A",
        " ",
    ]
)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, aws: LocalAws) -> Embedder:
    uri: str = request.param
    return embedder(uri, dimensions=MODELS[uri], aws=AWS)


def test_vectors_are_normalised_and_in_order(model: Embedder) -> None:
    vectors = model.embed(SENTENCES)
    assert vectors.shape == (len(SENTENCES), model.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    for place, text in enumerate(SENTENCES):
        assert vectors[place] @ model.embed([text])[0] > 0.999
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_the_same_text_has_the_same_vector(model: Embedder) -> None:
    assert np.array_equal(model.embed(SENTENCES), model.embed(SENTENCES))


def test_nothing_has_no_vectors(model: Embedder) -> None:
    assert model.embed([]).shape == (0, model.dimensions)
    assert model.count([]) == []


def test_a_question_lies_near_its_passage(model: Embedder) -> None:
    question = np.asarray(model.embed_query(masked("When does the canteen open?")))
    assert question.shape == (model.dimensions,)
    assert int((model.embed(SENTENCES[:4]) @ question).argmax()) == 2


def test_a_text_beyond_the_limit_is_cut_not_refused(model: Embedder) -> None:
    assert np.isfinite(model.embed([masked("Fire doors stay closed. " * 1800)])).all()


def test_the_parts_of_a_text_have_as_many_tokens_as_the_whole(model: Embedder) -> None:
    first, second, whole = model.count(["Fire doors", "stay closed.", "Fire doors stay closed."])
    assert first + second == whole == len(model.offsets("Fire doors stay closed."))


def test_langchains_names_say_the_same(model: Embedder) -> None:
    assert np.allclose(model.embed_documents(SENTENCES[:2]), model.embed(SENTENCES[:2]))


@pytest.mark.parametrize("uri", MODELS)
def test_a_fingerprint_needs_no_service_and_tells_models_apart(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable, raising=False)
    prints = [fingerprint(other, dimensions) for other, dimensions in MODELS.items()]
    assert prints.count(fingerprint(uri, MODELS[uri])) == 1
    assert embedder(uri, dimensions=MODELS[uri], aws=AWS).fingerprint in prints


@pytest.mark.parametrize("uri", REMOTE)
def test_what_is_embedded_is_metered(uri: str, aws: LocalAws) -> None:
    with metered() as meter:
        embedder(uri, dimensions=MODELS[uri], aws=AWS).embed(SENTENCES[:3])
    spent = meter.total()
    assert spent.calls == (3 if "titan" in uri else 1)
    assert 20 < spent.input_tokens < 60
    if uri.startswith("sagemaker/"):
        assert spent.usd is None  # an endpoint is paid by the hour
    else:
        assert spent.usd is not None
        assert 0 < spent.usd < 1e-4


def test_vectors_of_another_size_are_refused(aws: LocalAws) -> None:
    with pytest.raises(ServiceRefused, match="384 dimensions, not 100") as raised:
        embedder("sagemaker/tei-minilm", dimensions=100, aws=AWS).embed([masked("a")])
    assert "embed.dimensions" in raised.value.hint


@pytest.mark.parametrize(
    ("uri", "dimensions", "hint"),
    [
        ("bedrock/amazon.titan-embed-text-v2:0", 300, "256 or 512 or 1024"),
        ("bedrock/amazon.titan-embed", None, "amazon.titan-embed-text-v2"),
        ("sagemaker/tei-minilm", None, "embed.dimensions"),
        ("sagemaker/", None, "sagemaker/ENDPOINT"),
    ],
)
def test_a_model_that_cannot_be_is_told_before_any_call(
    uri: str, dimensions: int | None, hint: str
) -> None:
    for ask in (embedder, fingerprint):
        with pytest.raises(ConfigError) as raised:
            ask(uri, dimensions=dimensions)
        assert hint in raised.value.hint


def test_two_hundred_texts_are_three_calls_to_a_model_that_takes_96(aws: LocalAws) -> None:
    aws.forget_calls()
    texts = all_masked(f"Procedure {number}" for number in range(200))
    embedder("bedrock/cohere.embed-english-v3", aws=AWS).embed(texts)
    assert aws.calls("InvokeModel") == 3
