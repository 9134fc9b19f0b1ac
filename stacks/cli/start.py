"""The program `region`: an interrupt ends it in words, also while its modules still load, which takes a second.

Imports nothing of the project until then.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point."""
    try:
        from stacks.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        raise SystemExit(130) from None
