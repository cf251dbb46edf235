"""A whole run on one page: every key, what it is for, its default and its range.

The sentence under a key is its help text: `codex config show`, the reference page, the comments of
`base.yaml` and the JSON schema of editors print it. Conditions that tie keys together stand in `rules.py`.

A size without a unit is a count. Every whole number is below 2**53, so that JSON holds it exactly.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from codex.config.rules import broken_rules

__all__ = [
    "Adapt",
    "Checkpoint",
    "Config",
    "Data",
    "Evaluate",
    "Generate",
    "Model",
    "Run",
    "Section",
    "Tokens",
    "Track",
    "Train",
]

# A list in YAML becomes a tuple here, so that a frozen model is frozen to the bottom.
Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)]


class Section(BaseModel):
    """One section: cannot be changed once made, refuses unknown keys, and takes no text for a number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Run(Section):
    """The run itself: its name, its place and its seed."""

    name: str | None = None
    """Folder name of the run; null takes the file name of the configuration without its ending."""
    directory: str = Field(default="runs", min_length=1)
    """Folder that holds the run folders; relative to the working directory."""
    seed: int = Field(default=0, ge=0, le=2**53 - 1)
    """Seed of weights, batch order and sampling; the same seed on the same data gives the same bytes."""


class Data(Section):
    """Where the text comes from: `corpus`, `paths`, or a corpus that is in these paths."""

    corpus: str | None = Field(default="python-stdlib", min_length=1)
    """Name of a corpus (`codex data list` shows them); null reads all of `data.paths`, whatever they hold."""
    paths: Texts = ()
    """Files, folders and addresses (`s3://bucket/folder`) to read, with everything below them; `python-stdlib` needs none."""
    validation_fraction: float = Field(default=0.1, gt=0, lt=1)
    """Fraction of the records kept from training to measure on while training; chosen by content, never by position."""
    test_fraction: float = Field(default=0.0, ge=0, lt=1)
    """Fraction kept from training and from every measurement of it, to measure on once at the end; 0 makes no such split."""
    near_duplicate_threshold: float | None = Field(default=0.8, ge=0.5, le=1)
    """Share of runs of five words that two texts have in common from which on they go to one split; null: only equal ones do."""
    maximum_file_bytes: int = Field(default=16 * 1024 * 1024, ge=1, le=2**40)
    """Bytes above which a file is skipped and listed as skipped."""
    include: Texts = ()
    """Globs, relative to the corpus, of the files to read; an empty list reads all."""
    exclude: Texts = ()
    """Globs, relative to the corpus, of the files to leave aside; they win over `data.include`."""
    format: Literal["auto", "text", "html", "jsonl", "csv", "tsv", "parquet", "arrow"] = "auto"
    """What files are; `auto` goes by the ending of each name, and takes what has no ending of the others for text."""
    text_key: str = Field(default="text", min_length=1)
    """Key of the text in a line of NDJSON, and name of its column in a table of any format."""
    minimum_characters: int = Field(default=1, ge=1, le=2**40)
    """Characters below which a document is left out."""
    maximum_characters: int | None = Field(default=None, ge=1, le=2**40)
    """Characters above which a document is left out; null: any number."""
    minimum_words: int = Field(default=0, ge=0, le=2**40)
    """Words, between white space, below which a document is left out."""
    languages: Texts = ()
    """Languages of the documents to keep, such as `en` or `zh-cn`; an empty list keeps all."""
    quality: Texts = ()
    """Rules of quality that leave a document out: word_length, symbols, letters, bullets, ellipses, repeated_lines."""
    near_duplicates: Literal["keep", "drop"] = "keep"
    """What becomes of near duplicates besides going to one split: all stay, or of each group the one with the smallest id."""
    encoding: Literal["auto", "declared"] = "auto"
    """Whether files in other encodings than UTF-8 that do not say so are read where the encoding is sure, or skipped."""


class Tokens(Section):
    """How text becomes numbers."""

    tokenizer: str | None = Field(default=None, min_length=1)
    """A `tokenizer.json`, or a folder that holds one, to use instead of learning one; null learns one."""
    vocabulary_size: int = Field(default=4096, ge=257, le=1_000_000)
    """Tokens in the vocabulary that is learned: 256 bytes, `<|endoftext|>`, and merges from the training text."""
    chat_template: str | None = Field(default=None, min_length=1)
    """A Jinja template that makes text of the messages of an example; null takes that of `model.pretrained`, if it has one."""


class Model(Section):
    """The shape of the network."""

    name: str = Field(default="llama", min_length=1)
    """Architecture, by its name in the registry of models."""
    pretrained: str | None = Field(default=None, min_length=1)
    """A checkpoint, or a run, to start the weights from; shape and tokenizer are then its own. Null draws them."""
    width: int = Field(default=128, ge=2, le=65_536)
    """Numbers in the vector that stands for one token; a multiple of `model.heads`."""
    layers: int = Field(default=4, ge=1, le=1024)
    """Blocks of attention and feed-forward, one after the other."""
    heads: int = Field(default=2, ge=1, le=1024)
    """Attention heads per layer; each sees `model.width` / `model.heads` numbers, an even count for RoPE."""
    key_value_heads: int = Field(default=2, ge=1, le=1024)
    """Heads that keys and values have: a divisor of `model.heads`; fewer is grouped-query attention."""
    context: int = Field(default=256, ge=2, le=1_048_576)
    """Tokens the model sees at once; also the length of a training row."""
    feed_forward_width: int = Field(default=384, ge=1, le=1_048_576)
    """Numbers in the hidden layer of the SwiGLU feed-forward."""
    tie_embeddings: bool = True
    """Whether the output layer is the transpose of the embedding, which saves vocabulary x width weights."""
    qk_norm: bool = True
    """Whether queries and keys are normalised per head before they meet."""
    rope_theta: float = Field(default=10_000.0, gt=1, le=1e9)
    """Base of the rotary position encoding; larger for longer contexts."""
    norm_epsilon: float = Field(default=1e-6, gt=0, le=0.1)
    """Added under the square root of RMSNorm."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of what each attention and feed-forward layer adds that is left out, at random, while training."""


class Adapt(Section):
    """Learning a few weights beside those of `model.pretrained`, which stay as they are."""

    lora: bool = False
    """Whether two narrow matrices beside each of `adapt.targets` are all that is learned (LoRA); needs the `hf` extra."""
    rank: int = Field(default=16, ge=1, le=1024)
    """Columns of the one and rows of the other: how much an adapter can hold."""
    alpha: int = Field(default=32, ge=1, le=65_536)
    """What their product is multiplied by, once it is divided by `adapt.rank`."""
    targets: Texts = ()
    """Matrices inside the layers that get an adapter, by the ends of their names; an empty list takes all of them."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of what an adapter sees that is left out, at random, while training."""
    rank_stabilized: bool = False
    """Whether the product is divided by the root of `adapt.rank` instead, so that high ranks learn as fast (rsLoRA)."""
    weight_decomposed: bool = False
    """Whether the length of each row of the adapted matrix is learned apart from its direction (DoRA)."""


class Train(Section):
    """How the weights are learned. A step is one update of the weights."""

    max_steps: int = Field(default=1200, ge=1, le=1_000_000_000)
    """Steps after which the run ends; the clock never ends one."""
    accumulate_steps: int = Field(default=1, ge=1, le=1_048_576)
    """Batches whose gradients are summed before one step."""
    micro_batch_size: int = Field(default=8, ge=1, le=1_048_576)
    """Rows in one batch; a step sees this times `train.accumulate_steps` times `model.context` tokens."""
    packing: Literal["contiguous", "documents"] = "contiguous"
    """Whether a token sees all of its row before it, or with `documents` only what belongs to its own document."""
    objective: Literal["text", "responses", "preferences"] = "text"
    """What is learned: to go on with any `text`, to give `responses` to prompts, or which of two responses is better (DPO)."""
    preference_beta: float = Field(default=0.1, gt=0, le=100)
    """What it costs `preferences` to leave the answers of `model.pretrained`: higher stays closer to them."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """`muon` for the weight matrices with AdamW for the rest, or `adamw` for all."""
    learning_rate: float = Field(default=0.015, gt=0, le=10)
    """Highest learning rate of what Muon updates: the weight matrices inside the layers."""
    adam_learning_rate: float = Field(default=0.02, gt=0, le=10)
    """Highest learning rate of what AdamW updates: embeddings, norms and head; with `adamw`, everything."""
    weight_decay: float = Field(default=0.1, ge=0, le=10)
    """Decoupled weight decay of the matrices inside the layers; it is scaled by the learning rate."""
    warmup_steps: int = Field(default=40, ge=0, le=1_000_000_000)
    """Steps over which the learning rate rises in a line from zero; a shorter run ends while it rises."""
    schedule: Literal["wsd", "cosine", "linear", "constant"] = "wsd"
    """What the rate does then: `cosine` and `linear` fall to the end, `wsd` stays and falls late, `constant` stays."""
    decay_fraction: float = Field(default=0.4, ge=0, le=1)
    """Last fraction of the steps, over which the learning rate of `wsd` falls in a line."""
    final_rate: float = Field(default=0.0, ge=0, le=1)
    """What the learning rate falls to, as a share of the highest."""
    gradient_clip: float | None = Field(default=1.0, gt=0, le=1e6)
    """Largest norm of the gradient, which is scaled down to it; null leaves gradients as they are."""
    z_loss: float = Field(default=0.0, ge=0, le=1)
    """Weight of the squared logarithm of the softmax's sum in what is learned from; it keeps logits small. 1e-4 is usual."""
    skip_spikes: float | None = Field(default=None, gt=0, le=1000)
    """Standard deviations above recent steps from which on a loss or gradient norm changes no weight; null: all do."""
    patience: int | None = Field(default=None, ge=1, le=1_000_000)
    """Measurements in a row, none better than the best before, after which the run ends; null makes all steps."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; `auto` takes a GPU if torch sees one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Type the matrix products are done in; `auto` measures and says which it took and why."""
    threads: int | None = Field(default=None, ge=1, le=4096)
    """CPU threads to compute with; null measures and says how many it took and why."""
    deterministic: bool = True
    """Whether a repeated or resumed run gives the same bits on a GPU too; on a CPU it always does."""
    log_every_steps: int = Field(default=10, ge=1, le=1_000_000_000)
    """Steps between two rows of the journal and two lines of progress."""


class Checkpoint(Section):
    """What is kept, so that a killed run goes on."""

    every_steps: int = Field(default=100, ge=1, le=1_000_000_000)
    """Steps between two checkpoints; the last step always has one."""
    keep_last: int = Field(default=2, ge=1, le=1_000_000)
    """How many of the newest checkpoints stay."""
    keep_every_steps: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Checkpoints at multiples of this many steps stay too; null keeps none for that."""
    keep_best: int = Field(default=1, ge=0, le=1_000_000)
    """How many of the best checkpoints by `checkpoint.best_metric` stay besides those."""
    best_metric: Literal["held_out_bits_per_byte", "loss"] = "held_out_bits_per_byte"
    """What checkpoints are compared by: measured on held-out text where a measurement fell on the step, or trained on."""
    best_direction: Literal["lowest", "highest"] = "lowest"
    """Which values of `checkpoint.best_metric` are the best."""
    digest: Literal["xxh3", "sha256"] = "xxh3"
    """What proves the bytes: `xxh3` keeps up with any disk; `sha256` is cryptographic, and slower."""
    asynchronous: bool = False
    """Whether training goes on while a checkpoint is written; it takes the memory of one more copy of what is saved."""


class Track(Section):
    """Who else is told. The journal in the run folder is always written."""

    mlflow: bool = False
    """Whether the journal is mirrored to MLflow; needs the `mlflow` extra."""
    mlflow_uri: str | None = Field(default=None, min_length=1)
    """Tracking address of MLflow; null is `mlflow.db` in `run.directory`, shared by the runs there."""
    system_metrics: bool = True
    """Whether processor, memory, disk and GPU use are written to `system.ndjson`."""


class Evaluate(Section):
    """Measuring on the held-out records."""

    every_steps: int = Field(default=250, ge=1, le=1_000_000_000)
    """Steps between two measurements while training; the last step always has one."""
    held_out_tokens: int = Field(default=65_536, ge=1, le=1_000_000_000_000)
    """Tokens a measurement while training stops at; the last one takes all."""
    stride: int = Field(default=128, ge=1, le=1_048_576)
    """Tokens the window moves by; each token is predicted once, seeing `model.context` - stride or more."""


class Generate(Section):
    """The sample at the end of a run, and what `codex generate` does unless told otherwise."""

    prompt: str = "def "
    """Text the sample starts with."""
    max_tokens: int = Field(default=256, ge=1, le=1_048_576)
    """Tokens after which the sample ends, if `<|endoftext|>` does not end it before."""
    temperature: float = Field(default=0.8, ge=0, le=100)
    """Divides the logits; 0 always takes the likeliest token."""
    top_k: int | None = Field(default=50, ge=1, le=1_000_000)
    """Choose among this many of the likeliest tokens; null among all."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Choose among the likeliest tokens that together have this probability; 1 is all."""


class Config(Section):
    """A whole run.

    >>> config = Config(train=Train(max_steps=50))
    >>> config.train.max_steps, config.model.width
    (50, 128)
    """

    run: Run = Run()
    """The run itself: its name, its place and its seed."""
    data: Data = Data()
    """Where the text comes from."""
    tokens: Tokens = Tokens()
    """How text becomes numbers."""
    model: Model = Model()
    """The shape of the network."""
    adapt: Adapt = Adapt()
    """Learning a few weights beside those of `model.pretrained`."""
    train: Train = Train()
    """How the weights are learned."""
    checkpoint: Checkpoint = Checkpoint()
    """What is kept, so that a killed run goes on."""
    track: Track = Track()
    """Who else is told."""
    evaluate: Evaluate = Evaluate()
    """Measuring on the held-out records."""
    generate: Generate = Generate()
    """The sample at the end of a run."""

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over the canonical JSON of every key, defaults included."""
        from codex._core import canonical_json

        return f"sha256:{hashlib.sha256(canonical_json(self.model_dump_json())).hexdigest()}"

    def value(self, key: str) -> Any:
        """The value of a dotted key, such as `train.max_steps`."""
        section, _, name = key.partition(".")
        return getattr(getattr(self, section), name)

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        broken = list(broken_rules(self.value))
        if broken:
            said = "; ".join(rule.message for rule in broken)
            raise PydanticCustomError("conflict", "{said}", {"said": said})
        return self
