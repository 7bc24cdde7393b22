"""The engine process: `python -m routestudio.engine`, speaking frames on its standard streams."""

from __future__ import annotations

import asyncio
import logging
import sys

from routestudio.engine.server import serve_stdio
from routestudio.system import current as system


def main() -> int:
    """Run the engine until its input ends."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        with asyncio.Runner(loop_factory=system.streaming.loop) as runner:
            return runner.run(serve_stdio())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
