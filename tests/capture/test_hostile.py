"""Whatever a program hands the compiled probes, and whenever: an error at most, and never a crash.

`scripts/sanitize` does the same under AddressSanitizer and UndefinedBehaviorSanitizer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .fake_session import compiled

HOSTILE = Path(__file__).parent / "programs" / "hostile.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_that_a_program_can_hand_to_probes(seed: int) -> None:
    compiled()
    command = [sys.executable, "-X", "faulthandler", str(HOSTILE), "--seed", str(seed), "--runs", "40"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stdout) == (0, "40 runs\n"), ended.stderr
