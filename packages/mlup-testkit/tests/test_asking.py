"""A process may take as long as it has much to do, and is ended when it no longer answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlup_testkit import asking

WORKING = """
import sys, time
start = time.monotonic()
while time.monotonic() < start + 6:
    with open(sys.argv[1], "a") as answers:
        answers.write("one more")
    time.sleep(0.1)
"""
SILENT = "import sys, time\nsys.stderr.write('stuck')\nsys.stderr.flush()\ntime.sleep(600)\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [(WORKING, ("", "exit code 0")), (SILENT, ("stuck", "no answer within 4 s"))],
)
def test_a_process_that_answers_is_waited_for(tmp_path, monkeypatch, code, expected):
    monkeypatch.setattr(asking, "_SECONDS", 4)
    answers = tmp_path / "answers"
    answers.touch()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(answers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking._watched(process, "{}", answers) == expected
    assert process.returncode is not None
