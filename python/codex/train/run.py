"""The main job: raw text to a checkpoint, measured, sampled and summed up.

`train` is the function to start from; every step of it has a file of its own beside this one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codex.adapt import adapter_config, attach, find_targets
from codex.checkpoint import Loaded
from codex.checkpoint.layout import ADAPTER_CONFIG_FILE
from codex.config import LoadedConfig
from codex.config.changes import Change
from codex.errors import DiskFullError, Interrupted, UsageError
from codex.generate import LanguageModel
from codex.models import build
from codex.models.causal import CausalModel
from codex.models.names import is_named, tokenizer_config, transformers_config
from codex.tokens import Tokenizer
from codex.track.run import Run
from codex.train.clock import Clock
from codex.train.command import command_line
from codex.train.generators import seed_generators
from codex.train.interrupt import Stopped, StopSignals
from codex.train.learner import Learner
from codex.train.loop import OWN_PHASES, TRAIN_PHASES, Loop
from codex.train.machine import Machine, choose_machine, require_device
from codex.train.material import Material, gather
from codex.train.optimizer import build_optimizer
from codex.train.pretrained import adopt, load_weights
from codex.train.progress import Progress, Silent
from codex.train.report import make_report, read_report
from codex.train.resume import (
    check_config,
    check_tokens,
    newest_of,
    open_checkpoint,
    recorded_config,
    recorded_machine,
    remember_machine,
)
from codex.train.saves import Saves, checkpoint_path
from codex.train.state import History
from codex.train.summary import Summary

__all__ = ["train"]


def train(
    loaded: LoadedConfig,
    *,
    resume: bool = False,
    resume_from: Path | None = None,
    allow_changes: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Prepare what is missing, train to `train.max_steps`, measure, sample.

    Equal configuration, data and machine give equal bytes of weights, optimizer and journal (times and rates aside), however
    often the run is killed and resumed. Seeds the global generators of Python, NumPy and torch.

    Args:
        loaded: the configuration, as `codex.config.load` gives it.
        resume: go on with the newest run of this name from its newest checkpoint that verifies. A run without a checkpoint
            starts from step 0; without a run, a fresh one is begun.
        resume_from: a checkpoint, or a run, to go on from in a fresh run folder.
        allow_changes: go on even if keys differ under which the steps done would have been others.
        progress: told what happens; default nobody.
    Raises:
        DeviceError: before any work, if the device is not there.
        ConfigError, DataError: on resume, if configuration or data are not those the run began with.
        DivergedError: if a loss is not finite.
        DiskFullError: if the last step could not be saved.
        Interrupted: after SIGINT or SIGTERM, saved.
    """
    if resume and resume_from is not None:
        raise UsageError("`--resume` and `--resume-from` were both given, expected one of them")
    if allow_changes and not (resume or resume_from):
        raise UsageError(
            "`--allow-changes` was given without `--resume` or `--resume-from`, expected one of them"
        )
    require_device(loaded.config.train.device)
    progress = progress or Silent()
    kept = None
    changes: Sequence[Change] = ()
    if resume_from is not None:
        kept = open_checkpoint(resume_from, progress)
        loaded = adopt(loaded, recorded_config(kept))
        changes = check_config(kept, loaded.config, allowed=allow_changes)
    else:
        loaded = adopt(loaded, Run.recorded(loaded) if resume else None)
    if loaded.config.adapt.lora:
        shape = loaded.config.model
        narrow = {"width": 2 * shape.heads, "feed_forward_width": 1, "context": 2}  # names are the same
        find_targets(build(shape.model_copy(update=narrow), vocabulary_size=1), loaded.config.adapt)
    with (
        StopSignals(progress.warn) as signals,
        Run.start(loaded, resume=resume, allow_changes=allow_changes, warn=progress.warn) as run,
    ):
        if changes:
            run.record_changes(changes)
        job = _Job(loaded, run, progress, Clock(), resume_command=command_line("train", loaded, "--resume"))
        try:
            return job.work(signals, kept, changes or run.changes, wants_resume=resume)
        except Stopped as stopped:
            raise Interrupted(
                "stopped at once; nothing since the last checkpoint is kept",
                signal_number=stopped.signal_number,
                hint=job.resume_command,
            ) from None


@dataclass(slots=True)
class _Job:
    """One call of `train`."""

    loaded: LoadedConfig
    run: Run
    progress: Progress
    clock: Clock
    resume_command: str

    def work(
        self, signals: StopSignals, kept: Loaded | None, changes: Sequence[Change], *, wants_resume: bool
    ) -> Summary:
        config, run, progress = self.loaded.config, self.run, self.progress
        for change in changes:
            progress.say(f"changed: {change}")
        if run.is_resumed:
            kept = newest_of(run, progress)
        elif wants_resume:
            progress.say(f"there is no earlier run: starting `{run.folder}`")
        recorded = recorded_machine(run, kept, changes)
        machine = choose_machine(config.train, say=progress.say, recorded=recorded)
        remember_machine(run, machine)
        resumed = None
        if kept is not None:
            resumed = kept.path if run.is_resumed else checkpoint_path(run, kept.step)
        with (
            machine.applied(deterministic=config.train.deterministic),
            Saves(run, config.checkpoint, resumed, progress) as saves,
        ):
            with self.clock.phase("prepare"):
                material = gather(config, progress)
                run.record_data(material.lineage)
                loop = self._loop(material, machine, saves, kept)
            if kept is not None:
                check_tokens(kept, material.batches.digest)
            first_step = 0 if kept is None else kept.step
            run.begin(first_step)
            if kept is not None:
                loop.go_on(kept, is_of_this_run=run.is_resumed)
            if not loop.until_done(signals):
                raise self._interrupted(loop, signals.noted or 0)
            if not loop.is_saved:
                raise DiskFullError(
                    f"step {loop.history.step} could not be saved: the disk is full; newest checkpoint: `{saves.newest}`",
                    hint=f"make room, then {self.resume_command}",
                )
            saves.release()
            return self._finish(loop, material, first_step)

    def _model(
        self, tokenizer: Tokenizer, kept: Loaded | None
    ) -> tuple[CausalModel, dict[str, bytes], str | None]:
        """The model a first step begins with, what a checkpoint says of its adapter, and the digest of what that stands on.

        Of a run that is gone on with, all but what an adapter stands on comes from its checkpoint.
        """
        config, pretrained = self.loaded.config, self.loaded.config.model.pretrained
        seed_generators(config.run.seed)
        model = build(config.model, tokenizer.vocab_size)
        if pretrained is None or (kept is not None and not config.adapt.lora):
            return model, {}, None
        base = None if kept is None else kept.state["adapter"]["base"]
        source = load_weights(model, pretrained, base)
        self.run.lineage.record_pretrained(source.step, source.digest)
        self.progress.say(f"weights of step {source.step} of `{pretrained}`")
        if not config.adapt.lora:
            return model, {}, None
        is_turned = model.has_input_first
        targets = attach(model, config.adapt, has_input_first=is_turned)
        named = adapter_config(config.adapt, targets, base=str(source.folder), has_input_first=is_turned)
        return model, {ADAPTER_CONFIG_FILE: _json(named)}, source.digest

    def _loop(self, material: Material, machine: Machine, saves: Saves, kept: Loaded | None) -> Loop:
        """Everything a first step needs, at step 0."""
        config, tokenizer = self.loaded.config, material.tokenizer
        model, files, base = self._model(tokenizer, kept)
        model.to(machine.device)
        files |= {
            "tokenizer.json": tokenizer.to_json(),
            "tokenizer_config.json": _json(tokenizer_config(config.model.context)),
        }
        if (template := tokenizer.settings.chat_template) is not None:
            files["chat_template.jinja"] = template.encode()
        if is_named(config.model.name):
            named = transformers_config(config.model, tokenizer.vocab_size, tokenizer.end_of_document_id)
            files["config.json"] = _json(named)
        learner = Learner(
            model,
            build_optimizer(model, config.train),
            material.batches,
            config.train,
            tokenizer.end_of_document_id,
            machine,
            self.clock,
        )
        return Loop(
            run=self.run,
            config=config,
            machine=machine,
            learner=learner,
            history=History(),
            held_out=material.held_out_first,
            files=files,
            base=base,
            saves=saves,
            clock=self.clock,
            progress=self.progress,
        )

    def _interrupted(self, loop: Loop, signal_number: int) -> Interrupted:
        step = loop.history.step
        newest = loop.saves.newest
        where = f"saved in `{newest}`" if loop.is_saved else f"NOT saved, newest checkpoint: `{newest}`"
        return Interrupted(
            f"interrupted after step {step}, {where}", signal_number=signal_number, hint=self.resume_command
        )

    def _finish(self, loop: Loop, material: Material, first_step: int) -> Summary:
        step, run, seconds = loop.history.step, self.run, self.clock.seconds
        steps_made = step - first_step
        report = read_report(run, step) if steps_made <= 0 else None
        was_finished = report is not None
        if report is None:
            report = make_report(
                run,
                step,
                LanguageModel(loop.learner.model.eval(), material.tokenizer),
                material.held_out,
                material.held_out_texts(),
                config=self.loaded.config,
                machine=loop.machine,
                clock=self.clock,
                progress=self.progress,
            )
        run.finish(bits_per_byte=report.bits_per_byte)
        train_s = self.clock.total(*TRAIN_PHASES)
        tokens = loop.history.tokens * steps_made / step
        phases = {name: seconds.get(name, 0.0) for name in ("prepare", "evaluate", "save", "sample")}
        assert loop.saves.newest is not None
        return Summary(
            run=run.folder,
            checkpoint=loop.saves.newest,
            step=step,
            first_step=first_step,
            was_finished=was_finished,
            parameters=loop.learner.model.parameter_count,
            learned_parameters=sum(tensor.numel() for tensor in loop.learner.weights.values()),
            tokens=loop.history.tokens,
            report=report,
            seconds={"prepare": phases.pop("prepare"), "train": train_s, **phases},
            tokens_per_second=tokens / train_s if steps_made > 0 else None,
            own_share=self.clock.total(*OWN_PHASES) / train_s if steps_made > 0 else None,
            resume_command=self.resume_command,
            generate_command=f"codex generate --from {run.folder}",
        )


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"
