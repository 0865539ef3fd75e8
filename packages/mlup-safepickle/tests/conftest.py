"""What these tests share: loading in a process of its own, for what may hang, eat memory or crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

_TRY = """
import io, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
import mlup_safepickle
try:
    mlup_safepickle.load(io.BytesIO(sys.stdin.buffer.read()))
except mlup_safepickle.Refused:
    print("Refused")
else:
    print("loaded")
"""


@pytest.fixture
def loaded_apart() -> Callable[[bytes], str]:
    """Loads a pickle within 3 seconds of processor time and 1 GB: "loaded", "Refused" or how it ended."""
    if sys.platform != "linux":
        pytest.skip("limits are Linux's")
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # each takes address space

    def loaded_apart(data: bytes) -> str:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY],
            input=data,
            capture_output=True,
            timeout=60,
            env=one_thread,
        )
        return (
            tried.stdout.decode().strip() or f"{tried.returncode}: {tried.stderr.decode()[-500:]}"
        )

    return loaded_apart
