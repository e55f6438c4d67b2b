from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import CorpusConfig, json_schema
from rag.config.fields import names_secret
from rag.corpus_file import CorpusFileError, find, load, parse
from rag.errors import ConfigError

HERE = Path("corpora/x.yaml")
SHORTEST = "corpus: x\nsource: {url: documents}\n"


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(CorpusFileError) as caught:
        parse(text, HERE)
    return [(one.line, one.field, one.problem) for one in caught.value.problems]


def lines_of_problems(text: str) -> list[int]:
    try:
        parse(text, HERE)
    except CorpusFileError as error:
        return [one.line for one in error.problems]
    return []


def only(text: str) -> tuple[int, str, str]:
    (found,) = problems(text)
    return found


def test_the_shortest_corpus_is_a_name_and_a_url() -> None:
    config = parse(SHORTEST, HERE)
    assert (config.corpus, config.source.url) == ("x", "documents")
    assert config.source.acl.default == ()


def test_on_is_a_key_like_any_other() -> None:
    privacy = "privacy: {guardrail: {id: abc, on: [answers]}}"
    read = parse(f"corpus: notes\nsource: {{url: /tmp}}\n{privacy}\n", Path("notes.yaml"))
    assert read.privacy.guardrail is not None
    assert read.privacy.guardrail.on == ("answers",)


def test_an_error_names_file_line_and_field() -> None:
    with pytest.raises(CorpusFileError) as caught:
        parse(SHORTEST + "chunk:\n  max_tokens: 9000\n", HERE)
    assert caught.value.message == "corpora/x.yaml:4: chunk.max_tokens: must be at most 512"
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_all_errors_come_at_once_in_the_order_of_lines() -> None:
    text = "corpus: X y\nsource: {}\nshard_documents: 0\nchunk: {max_tokens: many}\n"
    assert [(line, field) for line, field, _ in problems(text)] == [
        (1, "corpus"), (2, "source.url"), (3, "shard_documents"), (4, "chunk.max_tokens"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("sorce: 1", 3, "sorce", 'did you mean "source"?'),
        ("parse: {limits: {byte: 1}}", 3, "parse.limits.byte", 'did you mean "bytes"?'),
        ("targets: [{kind: embeded}]", 3, "targets[0].kind", 'did you mean "embedded"?'),
        ("embed: {model: embeded/minilm}", 3, "embed.model", 'did you mean "embedded/minilm"?'),
        ("answer:\n  model: gpt", 4, "answer.model", "allowed: embedded/extractive"),
        ("privacy: {actions: {PERSON: mask}}", 3, "privacy.actions.PERSON", "allowed: redact"),
        ("privacy: {actions: {PERSONS: redact}}", 3, "privacy.actions.PERSONS", '"PERSON"?'),
        ("privacy: {threshold: high}", 3, "privacy.threshold", "must be a number"),
        ("parse: {ocr: perhaps}", 3, "parse.ocr", "must be true or false"),
        ("schedule: '@hour'", 3, "schedule", 'did you mean "@hourly"?'),
        ("schedule: sometimes", 3, "schedule", "five cron fields"),
        ("targets: [{}]", 3, "targets[0].kind", "is missing"),
        (
            "targets: [{kind: opensearch, url: 'https://x', shard: 1}]",
            3,
            "targets[0].shard",
            'did you mean "shards"?',
        ),
        ("targets: [{kind: opensearch, url: 'https://a:b@x'}]", 3, "targets[0].url", "password"),
        ("embed: {model: bedrok/titan}", 3, "embed.model", "bedrock/NAME"),
        ("targets: []", 3, "targets", "must have at least 1 item"),
        ("targets: [{kind: embedded}, {kind: embedded}]", 3, "targets", "twice"),
        ("chunk: {max_tokens: 40, overlap_tokens: 30}", 3, "chunk", "at most half"),
        ("chunk: 3", 3, "chunk", "must be a mapping"),
    ],
)
def test_an_error_says_what_is_allowed_and_what_is_near(
    text: str, line: int, field: str, words: str
) -> None:
    found = only(SHORTEST + text)
    assert found[:2] == (line, field)
    assert words in found[2]


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ("acl: {form: sidecar}", "source.acl.form", 'did you mean "from"?'),
        ("acl: {from: sidecars}", "source.acl.from", 'did you mean "sidecar"?'),
        ("acl: {default: [staff]}", "source.acl.default[0]", "user:NAME or group:NAME"),
        ("acl: {rules: [{glob: a}]}", "source.acl.rules[0].allow", "is missing"),
        ("include: '**'", "source.include", "must be a list"),
        ("include: [/a]", "source.include[0]", "leave out /"),
        ("exclude: [a/../b]", "source.exclude[0]", "leave out /"),
        ("options: {a: {b: c}}", "source.options.a", "is text, a number"),
        ("options: {a: [1]}", "source.options.a", "is text, a number"),
        ("options: {a: {env: A, connection: b}}", "source.options.a", "{env: NAME}"),
    ],
)
def test_an_error_in_the_source_names_its_field(settings: str, field: str, words: str) -> None:
    found = only(f"corpus: x\nsource:\n  url: documents\n  {settings}\n")
    assert found[:2] == (4, field)
    assert words in found[2]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("corpus: x\nsource: {url: a}\ncorpus: y\n", 3, "stands twice"),
        ("corpus: x\nsource:\n\turl: a\n", 3, "tab"),
        ("corpus: x\nsource: {url: a\n", 3, "not closed"),
        ("corpus: x\nsource: a: b\n", 2, "colon"),
        ("corpus: x\n---\ncorpus: y\n", 2, "second document"),
        ("corpus: 'x\n", 2, "quotation mark"),
        ("corpus: x\nsource: {url: *a}\n", 2, "anchor"),
        ("corpus: !secret x\n", 1, "tag"),
        ("corpus: x\x00\n", 1, "character"),
        ("corpus: x\nschedule: 2024-99-99\n", 1, "date"),
        ("", 1, "is empty"),
        ("- a\n", 1, "is not a mapping"),
    ],
)
def test_wrong_yaml_is_shown_by_line(text: str, line: int, words: str) -> None:
    found = problems(text)[0]
    assert found[0] == line
    assert words in found[2]


@pytest.mark.parametrize(
    "settings",
    [
        "{url: 'sftp://ana:hunter2@host/x'}",
        "{url: 'https://host/x?token=hunter2'}",
        "{url: 's3://b', options: {secret: hunter2}}",
        "{url: 's3://b', options: {aws_secret_access_key: hunter2}}",
        "{url: 'az://b', options: {connection_string: hunter2}}",
        "{url: 'sftp://h', options: {password: [hunter2]}}",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(settings: str) -> None:
    with pytest.raises(CorpusFileError) as caught:
        parse(f"corpus: x\nsource: {settings}\n", HERE)
    assert "{env: NAME}" in caught.value.message
    assert "{connection: ID}" in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_a_key_in_the_file_is_refused_and_not_repeated() -> None:
    line, field, said = only(SHORTEST + "privacy: {key: hunter2}\n")
    assert (line, field) == (3, "privacy.key")
    assert "{env: NAME}" in said
    assert "hunter2" not in said


def test_options_that_only_sound_like_a_secret_are_fine() -> None:
    options = "{host_key: ssh-ed25519 AAAA, key_filename: ~/.ssh/id, anon: true, token: {env: T}}"
    config = parse(f"corpus: x\nsource: {{url: 's3://b', options: {options}}}\n", HERE)
    assert config.source.options["anon"] is True
    assert names_secret("aws_session_token")
    assert not names_secret("monkey")


@given(st.text(max_size=60))
def test_any_text_is_a_corpus_or_an_error_with_a_line(text: str) -> None:
    assert all(line >= 1 for line in lines_of_problems(text))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["url", "acl", "from", "options", "env"]),
                                      inner, max_size=3), max_leaves=8))  # fmt: skip
def test_any_value_of_a_field_is_right_or_an_error_with_its_field(value: object) -> None:
    for field in ("source", "privacy", "targets", "schedule"):
        text = f"corpus: x\n{field}: {json.dumps(value)}\n"
        if field != "source":
            text += "source: {url: documents}\n"
        assert set(lines_of_problems(text)) <= {2}


# Finding it


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLUICE_CORPORA", raising=False)
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora/x.yaml").write_text(SHORTEST)
    return tmp_path


def test_a_corpus_opens_by_name_and_by_path(project: Path) -> None:
    for way in ("x", "corpora/x.yaml", project / "corpora/x.yaml"):
        loaded = load(way)
        assert loaded.path == project / "corpora/x.yaml"
        assert loaded.base == project


def test_a_corpus_outside_a_folder_of_corpora_starts_from_its_own(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other/mine.yml").write_text(SHORTEST)
    assert load("other/mine.yml").base == project / "other"


def test_the_environment_names_another_folder_which_goes_first(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "etc/prod"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text(SHORTEST)
    monkeypatch.setenv("SLUICE_CORPORA", str(folder))
    for way in ("x", folder / "x.yml"):
        assert load(way).base == project / "etc"


def test_a_misspelt_name_gets_the_nearest(project: Path) -> None:
    (project / "corpora/handbook.yaml").write_text(SHORTEST)
    with pytest.raises(ConfigError) as caught:
        find("handbok")
    assert caught.value.hint == 'Did you mean "handbook"?'


def test_a_file_must_be_named_after_its_corpus(project: Path) -> None:
    (project / "corpora/y.yaml").write_text(SHORTEST)
    with pytest.raises(CorpusFileError, match="give both the same name"):
        load("y")


def test_a_missing_or_unreadable_file_is_an_error_in_words(project: Path) -> None:
    with pytest.raises(ConfigError, match="no corpus file"):
        load("corpora/none.yaml")
    (project / "corpora/z.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusFileError, match="UTF-8"):
        load("z")


# For editors


def test_the_schema_describes_every_field() -> None:
    schema = json_schema()
    assert schema["required"] == ["corpus", "source"]
    definitions = schema["$defs"]
    assert "from" in definitions["Acl"]["properties"]
    for section in (schema, *definitions.values()):
        assert section.get("additionalProperties") is False
        for name, field in section["properties"].items():
            described = "description" in field or "$ref" in field
            assert described or name == "source", name


def test_the_schema_allows_what_the_loader_reads() -> None:
    properties = json_schema()["properties"]
    assert set(properties) == set(CorpusConfig.model_fields)
