"""How documents are read, masked, cut, embedded, ranked and answered from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from rag.config.fields import Principal, Secret, Section, wrong
from rag.config.source import Glob

EMBEDDERS = ("embedded/minilm", "bedrock/", "sagemaker/")
ANSWERERS = (
    *("embedded/extractive", "embedded/extractive-plain", "embedded/smollm2"),
    *("bedrock/", "sagemaker/"),
)
RERANKERS = ("embedded/minilm-reranker", "bedrock/", "sagemaker/")
"""Models by URI; an entry that ends in a slash stands for every name after it."""

Action = Literal["redact", "partial", "pseudonym", "block", "keep", "generalize", "shift", "shape"]
Score = Annotated[float, Field(ge=0, le=1)]
Kinds = Annotated[tuple[str, ...], Field(min_length=1)]


def _model(*known: str) -> AfterValidator:
    def check(uri: str) -> str:
        family, _, name = uri.partition("/")
        if uri not in known and not (name and f"{family}/" in known):
            shown = tuple(f"{one}NAME" if one.endswith("/") else one for one in known)
            raise wrong("is not a known model", given=uri, allowed=shown)
        return uri

    return AfterValidator(check)


class Limits(Section):
    """What one document may cost before it is quarantined."""

    bytes: int = Field(64 * 2**20, gt=0, description="Size of a file")
    characters: int = Field(4_000_000, gt=0, description="Text in one document")
    seconds: float = Field(180, gt=0, description="Parsing time")
    memory_mb: int = Field(3072, ge=256, description="Memory of the parsing process")
    unpacked_bytes: int = Field(512 * 2**20, gt=0, description="An archive's content, unpacked")
    depth: int = Field(3, ge=0, description="Attachments within attachments")


class Parse(Section):
    """How documents are read."""

    ocr: bool = Field(True, description="Read scans and images")
    limits: Limits = Field(default_factory=Limits)


class Guardrail(Section):
    """A Bedrock guardrail that reads what the gate has masked; when it cannot answer, nothing
    passes.
    """

    id: str = Field(pattern=r"^[a-z0-9]+$|^arn:aws\S+$", description="Guardrail id or ARN")
    version: str = Field("DRAFT", pattern=r"^([1-9]\d{0,7}|DRAFT)$", description="Number, or DRAFT")
    on: tuple[Literal["documents", "questions", "answers"], ...] = Field(
        ("documents", "questions", "answers"), min_length=1, description="What it reads"
    )


class Together(Section):
    """Kinds that stop a text when all of them occur in it, each so often."""

    kinds: Kinds = Field(description="Entity kinds")
    count: int = Field(1, ge=1, description="Least occurrences of each")


def _how_given(value: object) -> str:
    return COUNTED if isinstance(value, dict | Together) else LISTED


LISTED, COUNTED = "kinds listed", "kinds counted"
"""The two ways to write a combination, as locations of errors name them."""
Combination = Annotated[
    Annotated[Kinds, Tag(LISTED)] | Annotated[Together, Tag(COUNTED)], Discriminator(_how_given)
]


class Rules(Section):
    """What is personal and what happens to it; a source's own rules say no more than differs."""

    profile: Literal["default", "healthcare", "finance"] = Field(
        "default", description="Kinds looked for, and actions"
    )
    actions: dict[str, Action] = Field(
        default_factory=dict,
        description="Action for an entity kind, over the profile's",
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Least score of a finding; else the profile's, mostly 0.4"
    )
    thresholds: dict[str, Score] = Field(
        default_factory=dict, description="Least score for an entity kind"
    )
    allow: tuple[str, ...] = Field((), description="Texts that are never personal")
    allow_files: tuple[str, ...] = Field(
        (), description="Files of such texts, one a line; relative to this file"
    )
    recognizers: tuple[str, ...] = Field(
        (), description="YAML files with recognizers of your own; relative to this file"
    )
    block: tuple[Combination, ...] = Field(
        (), description="Combinations of kinds that stop a document or question"
    )


class Override(Rules):
    """Rules for some of the source's documents, over those of the section."""

    match: Glob = Field(description="Pattern on the document's key, for example hr/**")


class VaultKey(Section):
    """Where a key-encryption key is; never the key itself. Give one of the three."""

    file: str | None = Field(None, min_length=1, description="Path, relative to SLUICE_HOME")
    env: str | None = Field(None, min_length=1, description="Name of an environment variable")
    kms: str | None = Field(None, min_length=1, description="Id, ARN or alias of an AWS KMS key")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.file, self.env, self.kms)) != 1:
            raise wrong("names one place: {file: PATH}, {env: NAME} or {kms: KEY}")
        return self


class Vault(Section):
    """Keeps, sealed, who is behind each pseudonym."""

    on: bool = Field(True, description="Whether originals are kept at all")
    key: VaultKey = Field(
        default_factory=lambda: VaultKey(file="keys/vault.key"),
        description="Key-encryption key; by default a file under SLUICE_HOME, made on first use",
    )
    old: tuple[VaultKey, ...] = Field((), description="Keys before it, until all is rotated")
    reveal: tuple[Principal, ...] = Field(
        ("group:privacy",), description="Who may see originals; each time is audited"
    )


class Privacy(Rules):
    """What happens to personal data before anything is written."""

    overrides: tuple[Override, ...] = Field(
        (), description="Rules by document; of those that match, the last one counts"
    )
    language: Literal["en"] = Field("en", description="Of the documents")
    key: Secret | None = Field(
        None, description="Pseudonym key; by default a file under SLUICE_HOME, made on first use"
    )
    guardrail: Guardrail | None = Field(None, description="A second net over the masked text")
    vault: Vault = Field(default_factory=Vault, description="Who is behind the pseudonyms")

    def under(self, place: int) -> Privacy:
        """Return the rules that hold where an override counts, itself without overrides.

        What the override does not name is as in the section; actions, thresholds, texts and
        files to allow, recognizers and combinations are added to the section's.

        Args:
            place: Of the override, from 0; -1 for none of them.
        """
        if place < 0:
            return self.model_copy(update={"overrides": ()})
        one = self.overrides[place]
        changes: dict[str, object] = {"overrides": ()}
        for name in Rules.model_fields:
            ours, own = getattr(self, name), getattr(one, name)
            if isinstance(ours, dict):
                changes[name] = {**ours, **own}
            elif isinstance(ours, tuple):
                changes[name] = ours + tuple(item for item in own if item not in ours)
            elif name in one.model_fields_set:
                changes[name] = own
        return self.model_copy(update=changes)


class Chunking(Section):
    """How documents are cut into passages."""

    strategy: Literal["by_title"] = Field("by_title", description="Where cuts may be")
    max_tokens: int = Field(256, ge=32, le=512, description="Of a passage with its heading")
    overlap_tokens: int = Field(32, ge=0, le=128, description="Repeated from the passage before")

    @model_validator(mode="after")
    def _some_progress(self) -> Self:
        if self.overlap_tokens * 2 > self.max_tokens:
            raise wrong("overlap_tokens must be at most half of max_tokens")
        return self


class Embedding(Section):
    """What turns passages into vectors."""

    model: Annotated[str, _model(*EMBEDDERS)] = Field(
        "embedded/minilm",
        description="Model URI: embedded/minilm, bedrock/MODEL_ID or sagemaker/ENDPOINT",
    )
    dimensions: int | None = Field(
        None, ge=64, le=4096, description="Of a vector, where the model leaves the choice"
    )


class Aws(Section):
    """Where AWS is and who we are there; credentials are never in this file.

    Endpoints come from ``AWS_ENDPOINT_URL_…`` variables or from the connection.
    """

    region: str | None = Field(
        None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Else AWS_REGION or the profile's"
    )
    connection: str | None = Field(
        None,
        min_length=1,
        description="Id of an Airflow connection of type aws; else boto3's default chain",
    )
    concurrency: int = Field(
        8, ge=1, le=256, description="Most calls under way to one model, of each process"
    )
    deadline_seconds: float = Field(
        120, gt=0, description="Longest that one call may take with all its retries"
    )


class Recency(Section):
    """How much newer documents are preferred, by the day that their source tells."""

    half_life_days: float = Field(
        365, gt=0, description="Age at which a document has half of the preference of a new one"
    )
    weight: float = Field(
        0.5,
        ge=0,
        le=10,
        description="What a document of today gains, in standard deviations of the scores",
    )


class Search(Section):
    """How passages are ranked."""

    rerank: Annotated[str, _model(*RERANKERS)] | None = Field(
        "embedded/minilm-reranker",
        description="Reranker URI: embedded/minilm-reranker, bedrock/MODEL_ID, "
        "sagemaker/ENDPOINT; null: none",
    )
    candidates: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Passages that the reranker reads; by default 16 an embedded one, 50 others",
    )
    fusion: Literal["scores", "ranks"] = Field(
        "scores", description="How the legs are joined: by weighted scores, or by ranks (RRF)"
    )
    weights: dict[Literal["vector", "text"], Annotated[float, Field(ge=0, le=10)]] = Field(
        default_factory=dict, description="Weight of a leg in the fusion of scores, else 1"
    )
    centred: bool = Field(
        True, description="Take what all passages share out of the question's vector"
    )
    feedback: float = Field(
        0.3, ge=0, le=0.9, description="Share of the first passages in a second search; 0: none"
    )
    related: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of its neighbours' scores in a passage's, after the first 20; 0: none",
    )
    exact: bool = Field(
        True, description="Prefer passages that hold the codes and quotes of the question"
    )
    collapse: bool = Field(True, description="Put near-duplicates behind all else")
    recency: Recency | None = Field(
        None, description="Prefer newer documents; {} does it by its defaults, null not at all"
    )
    diversity: float = Field(
        0, ge=0, le=1, description="Share of unlikeness in the choice of passages (MMR)"
    )
    neighbours: int = Field(
        0, ge=0, le=5, description="Passages before and after each one found that come with it"
    )
    language: Literal["english"] = Field(
        "english", description="Of stems and common words in the text leg"
    )

    @property
    def reranked(self) -> int:
        """How many passages the reranker reads; 0: there is none."""
        if self.rerank is None:
            return 0
        return self.candidates or (16 if self.rerank.startswith("embedded/") else 50)


class Spending(Section):
    """What one question may cost at most, where the call does not say; hard."""

    tokens: int | None = Field(None, ge=64, description="Of context and answer together")
    usd: float | None = Field(None, ge=0, description="List price of all calls to models")
    seconds: float | None = Field(None, gt=0, description="From the call to the last word")


class AnswerCache(Section):
    """Answers given again to the same question in other words, within exactly the same rights."""

    seconds: float = Field(3600, gt=0, description="How long an answer is kept")
    similarity: float = Field(
        0.97, ge=0.8, le=1, description="Least cosine of two questions' vectors"
    )


class Answering(Section):
    """How questions are answered."""

    model: Annotated[str, _model(*ANSWERERS)] = Field(
        "embedded/extractive",
        description="Model URI: embedded/extractive (with -plain it reads less, and is faster), "
        "bedrock/MODEL_ID or sagemaker/ENDPOINT",
    )
    max_tokens: int = Field(512, ge=16, le=8192, description="Of an answer by a chat model")
    context_tokens: int = Field(1500, ge=64, description="Most evidence that a model is given")
    count: Literal["estimate", "service"] = Field(
        "estimate",
        description="Who counts a Bedrock model's tokens: we, rather too many, or CountTokens, "
        "which takes two or three calls a question",
    )
    min_support: float = Field(0.6, ge=0, le=1, description="Abstain under this support")
    budget: Spending = Field(default_factory=Spending, description="Of one question")
    cache: AnswerCache | None = Field(None, description="Answers kept; none unless given")
    unsupported: Literal["drop", "refuse"] = Field(
        "drop",
        description="What a sentence without support costs: itself, or the whole answer",
    )
    self_check: bool = Field(
        False, description="Ask the chat model once more whether its quotes say what it wrote"
    )
    prompt: int = Field(1, ge=1, description="Version of the chat model's prompt")

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.count == "service" and not self.model.startswith("bedrock/"):
            raise wrong("asks the service to count, which only a bedrock/ model can")
        return self


class Rights(Section):
    """How it is found out who an asker is."""

    expand: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="module:function that makes an asker's principals, with their groups, of "
        "those given",
    )


class Auditing(Section):
    """What is recorded of questions, and who may read it."""

    readers: tuple[Principal, ...] = Field(
        (), description="Who may read all records; else only who asked, what they may read"
    )
    retain_days: int | None = Field(
        None, ge=1, description="After that questions, evidence and answers go; the chain stays"
    )
    principals: Literal["hashed", "plain"] = Field(
        "hashed", description="How records name who asked"
    )
    searches: bool = Field(True, description="Whether searches without an answer are recorded")
