"""An adapter for a model that people use, SmolLM2-135M-Instruct, by the commands that one would give.

What it answers before is right, so that the import is; what it answers after is what the examples taught; and peft says so too.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from codex.checkpoint import load
from codex.cli.app import run as codex_in_process
from codex.generate import LanguageModel
from tests.train.smollm2 import CARRIED, write_folder

for needed in ("peft", "transformers", "gguf"):
    pytest.importorskip(needed, reason="needs requirements/dev.txt")
pytestmark = [
    pytest.mark.skipif(not CARRIED.is_file(), reason="needs requirements/vocabularies.txt"),
    # peft asks transformers 5 for it
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning"),
]

CAPITALS = {
    **{"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Portugal": "Lisbon", "Greece": "Athens"},
    **{
        "Austria": "Vienna",
        "Hungary": "Budapest",
        "Poland": "Warsaw",
        "Norway": "Oslo",
        "Sweden": "Stockholm",
    },
    **{
        "Finland": "Helsinki",
        "Denmark": "Copenhagen",
        "Ireland": "Dublin",
        "Japan": "Tokyo",
        "Egypt": "Cairo",
    },
}


def test_lora_on_smollm2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import peft
    import transformers

    monkeypatch.chdir(tmp_path)
    (tmp_path / "chat.jinja").write_text(write_folder(tmp_path / "smollm2"))
    examples = [
        {"prompt": f"What is the capital of {land}?", "response": f"{city.upper()}!"}
        for land, city in CAPITALS.items()
    ]
    (tmp_path / "examples.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in examples))

    assert codex_in_process(["checkpoint", "import", "smollm2", "--out", "base"]) == 0
    before = LanguageModel.open(tmp_path / "base")[0]
    ids = before.tokenizer.encode("The capital of France is")
    with torch.inference_mode():
        answer = before.model(torch.tensor([ids]))
        assert before.tokenizer.decode([int(answer[0, -1].argmax())]) == " Paris"
    del before

    keys = {
        "model.pretrained": "base",
        "model.context": 128,
        "adapt.lora": "true",
        "adapt.rank": 8,
        "tokens.chat_template": "chat.jinja",
        "train.max_steps": 4,
        "train.warmup_steps": 1,
        "train.micro_batch_size": 4,
        "train.adam_learning_rate": 2e-3,
        "train.precision": "fp32",
        "train.threads": 1,
        "evaluate.every_steps": 1,
        "checkpoint.every_steps": 4,
        "track.system_metrics": "false",
        "generate.max_tokens": 1,
        "data.validation_fraction": 0.2,
    }
    words = [f"{key}={value}" for key, value in keys.items()]
    assert codex_in_process(["train", "--config", "responses", *words]) == 0
    run = tmp_path / "runs" / "responses"
    rows = [json.loads(line) for line in (run / "metrics.ndjson").read_text().splitlines()]
    measured = [row["metrics"]["bits_per_byte"] for row in rows if row["split"] == "held_out"]
    assert measured[-1] < 0.8 * measured[0]

    step = run / "checkpoints" / "step-00000004"
    assert sum(tensor.numel() for tensor in load(step, parts=("model",)).model.values()) == 2_442_240
    after = LanguageModel.open(run)[0]
    asked = [{"role": "user", "content": "What is the capital of Italy?"}]
    template = after.tokenizer.with_settings(chat_template=(tmp_path / "chat.jinja").read_text())
    ids = template.encode_chat(asked, add_generation_prompt=True).ids
    plain = transformers.LlamaForCausalLM.from_pretrained(tmp_path / "smollm2", dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(plain, step).eval()
    with torch.inference_mode():
        ours = after.model(torch.tensor([ids]))
        torch.testing.assert_close(theirs(torch.tensor([ids])).logits, ours, rtol=0, atol=1e-3)
        assert (ours - answer[0, -1]).abs().max() > 1
    assert after.tokenizer.decode([int(ours[0, -1].argmax())]).isupper()
