"""The loop: update, journal, measure, save, until the last step or a signal.

A step ends with everything that belongs to it: its row, its measurement and its checkpoint, in this order, so that a
checkpoint stands on rows that are already on the disk, and a run that was killed writes the same rows again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from codex.checkpoint import Loaded
from codex.config import Config
from codex.errors import DivergedError
from codex.track.run import Run
from codex.train.clock import Clock
from codex.train.interrupt import StopSignals
from codex.train.learner import Learner, Update
from codex.train.machine import Machine
from codex.train.material import Measured
from codex.train.progress import Progress
from codex.train.saves import Saves
from codex.train.state import Best, History, restore, state_of

__all__ = ["COMPUTE_PHASES", "OWN_PHASES", "TRAIN_PHASES", "Loop"]

COMPUTE_PHASES = ("forward", "backward", "optimizer", "wait")
"""Of the clock: what any loop over the same model has to do."""
OWN_PHASES = ("train", "data")
"""Of the clock: what this loop adds: batches, journal, progress, and the loop itself."""
TRAIN_PHASES = (*COMPUTE_PHASES, *OWN_PHASES)


@dataclass(slots=True)
class Loop:
    """A run between its first and its last step.

    Args:
        run: where it is written down.
        config: the whole configuration.
        machine: what it computes on.
        learner: makes the updates.
        history: where it is.
        held_out: what it is measured on while training.
        files: kept in every checkpoint: tokenizer, `config.json`.
        base: digest of the checkpoint that an adapter is learned on; None without one.
        saves: its checkpoints.
        clock, progress: told what happens.
    """

    run: Run
    config: Config
    machine: Machine
    learner: Learner
    history: History
    held_out: Measured
    files: Mapping[str, bytes]
    base: str | None
    saves: Saves
    clock: Clock
    progress: Progress
    _note: str = field(init=False, default="")
    # Mean loss of the steps of the last row of the journal; step and training time there, or where this process began.
    _row_loss: float | None = field(init=False, default=None)
    _row_step: int = field(init=False, default=0)
    _row_s: float = field(init=False, default=0.0)
    _best_before: Best | None = field(init=False, default=None)

    def go_on(self, kept: Loaded, *, is_of_this_run: bool) -> None:
        """Put a checkpoint back; one of another run is saved in this one at once, so that a resume finds it.

        Raises:
            DamageError: if the checkpoint is of another model, or lacks a part.
        """
        self.history = restore(kept, self.learner)
        if is_of_this_run:
            self.saves.adopt(kept.path, kept.step, is_best=self.history.is_best)
        else:
            self._save(kept.state["metrics"])

    def until_done(self, signals: StopSignals) -> bool:
        """Make the steps that are left, or those that `train.patience` allows; False if a signal was noted, after saving.

        Raises:
            DivergedError: if a loss is not finite.
        """
        last = self.config.train.max_steps
        self._row_step, self._row_s = self.history.step, self.clock.total(*TRAIN_PHASES)
        with self.clock.phase("train"), signals.deferred():
            while self.history.step < last and not self._is_out_of_patience and signals.noted is None:
                self._one_step(last)
                if signals.take_save():
                    self._save_here()
            if signals.noted is not None:
                self._save_here()
            self._settle()
        return signals.noted is None

    def _one_step(self, last: int) -> None:
        history, config = self.history, self.config
        update = self.learner.update(history.step)
        history.step += 1
        history.tokens += update.tokens
        if update.is_left_out:
            self._note_left_out(update)
        else:
            history.losses.append(update.loss)
        is_last = history.step == last
        if history.step % config.train.log_every_steps == 0 or is_last:
            self._write_row(update)
        self.progress.step("train", history.step, last, self._note)
        held_out = None
        if history.step % config.evaluate.every_steps == 0 or is_last:
            held_out = self._measure()
            history.note_measured(held_out)
            if self._is_out_of_patience and not is_last:
                is_last = True
                self._say_stopped(update)
        if history.step % config.checkpoint.every_steps == 0 or is_last:
            self._save_here(held_out)
        elif self.saves.is_done:
            self._settle()

    def _note_left_out(self, update: Update) -> None:
        """Say that the weights are as they were before.

        Raises:
            DivergedError: if that has been so for too many steps in a row.
        """
        step, spikes = self.history.step, self.learner.spikes
        assert spikes is not None
        figures = f"loss {update.loss.item():.3f}, gradient norm {update.gradient_norm.item():.3f}"
        if spikes.is_hopeless:
            raise self._diverged(f"the step stands out, as those before it ({figures})", step)
        self.progress.say(f"step {step}: its update is left out, for it stands out ({figures})")

    @property
    def _is_out_of_patience(self) -> bool:
        patience = self.config.train.patience
        return patience is not None and self.history.measured_since >= patience

    def _say_stopped(self, update: Update) -> None:
        """The end before the last step: its row, unless it has one, and why."""
        if self.history.losses:
            self._write_row(update)
        self.progress.say(
            f"step {self.history.step}: {self.history.measured_since} measurements in a row were no better than "
            f"{self.history.lowest:.4f} bits per byte: ending here (`train.patience`)"
        )

    def _save_here(self, held_out: float | None = None) -> None:
        """Save where the run is, with what was measured there.

        Args:
            held_out: bits per byte measured at this step.
        Raises:
            DivergedError: if a loss is not finite; nothing is saved then.
        """
        losses = self._finite_losses()
        measured = {
            "loss": math.fsum(losses) / len(losses) if losses else self._row_loss,
            "held_out_bits_per_byte": held_out,
        }
        self._save({name: value for name, value in measured.items() if value is not None})

    def _save(self, metrics: Mapping[str, float]) -> None:
        config, history, step = self.config, self.history, self.history.step
        self._settle()
        if self.is_saved:
            return
        with self.clock.phase("save"):
            if history.best is not None and history.best.step == self.saves.lost_step:
                history.best = self._best_before
            self._best_before = history.best
            history.note_best(metrics, config.checkpoint.best_metric, config.checkpoint.best_direction)
            state, tensors = state_of(history, metrics, self.learner, config, self.machine)
            parents = [state["data"]["shards"]]
            if self.base is not None:
                state["adapter"] = {"base": self.base}
                parents.append(self.base)
            self.run.journal.sync()
            self.saves.save(
                step,
                is_best=history.is_best,
                model=self.learner.weights,
                optimizer=self.learner.optimizer.state_tensors(),
                state_tensors=tensors,
                state=state,
                files=self.files,
                parents=parents,
            )
        if not config.checkpoint.asynchronous:
            self._settle()

    def _settle(self) -> None:
        with self.clock.phase("save"):
            self.saves.settle()

    @property
    def is_saved(self) -> bool:
        """Whether the last step made is in a checkpoint on the disk."""
        return self.saves.newest_step == self.history.step

    def _measure(self) -> float:
        self._finite_losses()
        with self.clock.phase("evaluate"):
            bits = self.held_out.measure(
                self.learner.model,
                stride=self.config.evaluate.stride,
                documents_apart=self.config.train.packing == "documents",
                autocast=self.machine.autocast(),
            )
        step = self.history.step
        row = {"bits_per_byte": bits.per_byte, "bits_per_token": bits.per_token, "tokens": bits.tokens}
        said = f"step {step}: {bits.per_byte:.4f} bits per byte on {bits.tokens:,} held-out tokens"
        if bits.preferred is not None:
            row["preferred"] = bits.preferred
            said += f", {bits.preferred:.0%} of pairs ranked as chosen"
        self.run.journal.metrics(step, "held_out", **row)
        self.progress.say(said)
        return bits.per_byte

    def _write_row(self, update: Update) -> None:
        """One row of the journal about the steps since the last one."""
        step, train_s = self.history.step, self.clock.total(*TRAIN_PHASES)
        seconds = (train_s - self._row_s) / (step - self._row_step)
        rate = update.tokens / seconds
        losses = self._finite_losses()
        loss = math.fsum(losses) / len(losses) if losses else math.nan  # every update was left out
        self._row_loss = loss if losses else self._row_loss
        spikes = self.learner.spikes
        left_out = {"updates_left_out": spikes.left_out} if spikes else {}
        self.run.journal.metrics(
            step,
            "train",
            loss=loss,
            gradient_norm=update.gradient_norm.item(),
            learning_rate=update.learning_rate,
            tokens=self.history.tokens,
            epoch=update.epoch,
            tokens_per_second=rate,
            step_seconds=seconds,
            **left_out,
        )
        self._note = f"loss {loss:.3f}, {rate:,.0f} tokens/s"
        self.history.losses.clear()
        self._row_step, self._row_s = step, train_s

    def _finite_losses(self) -> list[float]:
        """The losses since the last row, as numbers; on a GPU this waits for them.

        Raises:
            DivergedError: naming the first step whose loss is no number.
        """
        if not self.history.losses:
            return []
        with self.clock.phase("wait"):
            losses: list[float] = torch.stack([loss.cpu() for loss in self.history.losses]).tolist()
        for step, loss in enumerate(losses, start=self.history.step - len(losses) + 1):
            if not math.isfinite(loss):
                raise self._diverged(f"the loss is {loss}", step)
        return losses

    def _diverged(self, what: str, step: int) -> DivergedError:
        self._settle()
        newest = self.saves.newest
        good = f"last good checkpoint: `{newest}`" if newest else "there is no checkpoint before it"
        return DivergedError(
            f"{what} at step {step}; {good}",
            hint="lower `train.learning_rate` and `train.adam_learning_rate`, or raise `train.warmup_steps`",
        )
