"""Lines that tell a waiting user what has been done, and after how many seconds."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """Writes one line for each thing done, with the seconds since the beginning."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _began: float = field(default_factory=time.monotonic)

    def done(self, text: str) -> None:
        """Say that `text` is done by now."""
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", file=self.stream, flush=True)
