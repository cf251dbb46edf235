"""What a run would take, without making it: model, operations, memory, steps. Nothing is written and no text is read.

The model, its optimizer and one forward pass are made of torch's fake tensors, which have shapes and no memory, so what is
counted is what the code that trains would keep, whatever the architecture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from codex.adapt import attach
from codex.config import Config
from codex.data.source import source_of
from codex.data.store import cache_folder
from codex.kernels.attention.documents import Documents
from codex.models import build
from codex.tokens import load_tokenizer
from codex.train.machine import Machine, choose_machine, require_device
from codex.train.optimizer import build_optimizer, is_layer_matrix
from codex.train.progress import Progress

if TYPE_CHECKING:
    from codex.models.causal import CausalModel

__all__ = ["Memory", "Plan", "kept_for_backward", "plan_run"]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a step holds at once; torch itself and what its allocator keeps free come on top."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    """What the forward pass of one micro-batch keeps for the backward pass."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that has not been begun."""

    name: str
    files: int
    """Of the corpus."""
    text_bytes: int
    """Of those files."""
    skipped_files: int
    vocabulary_size: int
    parameters: int
    embedding_parameters: int
    """Those of the embedding, and of the head where it is not the embedding."""
    flops_per_token: int
    """Forward and backward: 6 for each weight of a matrix, and attention over half of the context on average.

    Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1; the head is counted, the embedding is not.
    """
    steps: int
    tokens_per_step: int
    memory: Memory
    checkpoint_bytes: int
    """Of the tensors of one checkpoint."""
    device: str
    precision: str
    threads: int

    def facts(self) -> dict[str, Any]:
        """Plain values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        memory = {name: getattr(self.memory, name) for name in Memory.__slots__}
        return {**values, "memory": {**memory, "total": self.memory.total}}

    def lines(self) -> list[str]:
        """For a person."""
        memory, tokens = self.memory, self.steps * self.tokens_per_step
        return [
            f"run         {self.name}: {self.steps:,} steps of {self.tokens_per_step:,} tokens, {tokens:,} tokens",
            f"corpus      {self.files:,} files, {_megabytes(self.text_bytes)}; {self.skipped_files:,} are not read",
            f"model       {self.parameters:,} parameters, {self.embedding_parameters:,} of them for"
            f" {self.vocabulary_size:,} tokens; {self.flops_per_token / 1e6:,.1f} MFLOP a token",
            f"machine     {self.device}, {self.precision}, {self.threads} threads",
            f"memory      {_megabytes(memory.total)} besides torch itself: weights {_megabytes(memory.weights)},"
            f" gradients {_megabytes(memory.gradients)}, optimizer {_megabytes(memory.optimizer)},"
            f" activations {_megabytes(memory.activations)}",
            f"checkpoint  {_megabytes(self.checkpoint_bytes)} each",
        ]


def plan_run(config: Config, name: str, progress: Progress) -> Plan:
    """What training with `config` would take.

    Args:
        config: the whole configuration.
        name: of the run.
        progress: told what is measured.
    Raises:
        DeviceError: if the device is not there.
        DataError: if the corpus is not there.
    """
    require_device(config.train.device)
    data, sizes, tokens = config.data, config.train, config.tokens
    listing = source_of(data, not_input=[cache_folder()]).listing
    vocabulary = tokens.vocabulary_size
    if tokens.tokenizer is not None:
        vocabulary = load_tokenizer(Path(tokens.tokenizer)).vocab_size
    machine = choose_machine(sizes, say=progress.say)

    from torch._subclasses.fake_tensor import FakeTensorMode  # seconds to import, so only here

    with torch.device("meta"):  # peft moves the layers that it makes, which fake tensors do not stand
        model = build(config.model, vocabulary)
        if config.adapt.lora:
            attach(model, config.adapt, has_input_first=model.has_input_first)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device(machine.device):
        model.to_empty(device=machine.device)
        weights = sum(p.nbytes for p in model.parameters())
        learned = sum(p.nbytes for p in model.parameters() if p.requires_grad)
        state = build_optimizer(model, sizes).state_tensors().values()
        memory = Memory(
            weights=weights,
            gradients=learned,
            optimizer=sum(tensor.nbytes for tensor in state),
            activations=kept_for_backward(model, config, machine),
        )
        return Plan(
            name=name,
            files=listing.totals[0],
            text_bytes=listing.totals[1],
            skipped_files=len(listing.skipped),
            vocabulary_size=vocabulary,
            parameters=model.parameter_count,
            embedding_parameters=sum(p.numel() for p in _vocabulary_weights(model)),
            flops_per_token=_flops_per_token(model),
            steps=sizes.max_steps,
            tokens_per_step=sizes.micro_batch_size * sizes.accumulate_steps * config.model.context,
            memory=memory,
            checkpoint_bytes=learned + memory.optimizer,
            device=machine.device,
            precision=machine.precision,
            threads=machine.threads,
        )


def kept_for_backward(model: CausalModel, config: Config, machine: Machine) -> int:
    """Bytes that the forward pass of one micro-batch keeps besides the weights; works on real and on fake tensors."""
    paired = 2 if config.train.objective == "preferences" else 1
    rows = torch.zeros(
        paired * config.train.micro_batch_size, config.model.context, dtype=torch.int64, device=machine.device
    )
    documents = None if config.train.packing == "contiguous" else Documents(rows == 0)
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), machine.autocast():
        loss = model.summed_loss(rows, rows, documents=documents)
    own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    total = sum(storage.nbytes() for key, storage in kept.items() if key not in own)
    del loss
    return total


def _vocabulary_weights(model: CausalModel) -> Iterator[Tensor]:
    yield model.embedding.weight
    if model.lm_head is not None:
        yield model.lm_head.weight


def _flops_per_token(model: CausalModel) -> int:
    matrices = sum(p.numel() for name, p in model.named_parameters() if is_layer_matrix(name, p))
    config = model.config
    return 6 * (matrices + model.head_weight.numel() + config.layers * config.width * config.context)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
