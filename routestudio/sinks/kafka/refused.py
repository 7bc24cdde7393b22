"""Codes and outcomes that stand for those of a record between the producers of a sink."""

from __future__ import annotations

from typing import Final

from routestudio.model.outcome import kept_back

TOO_LARGE: Final = "MSG_SIZE_TOO_LARGE"
REFUSED_TOGETHER: Final = "refused_together"
"""Code of what was refused as part of a batch; the reason is the name of librdkafka's error."""

GAP: Final = "_GAPLESS_GUARANTEE"
STOPPED: Final = kept_back("stopped", "another record was refused, and nothing was sent after it")
"""What a producer that stops did not send any more."""
