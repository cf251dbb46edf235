"""`python -m codex` is the command `codex`."""

from __future__ import annotations

from codex.cli.app import main

if __name__ == "__main__":
    main()
