"""The confusion matrix of whatever is installed is clean, and can be otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import mlup
from mlup_testkit.confusion import confusion
from mlup_testkit.golden import NOBODY, rows


def matrix(*arguments):
    left = {name: value for name, value in os.environ.items() if not name.startswith("MLUP_")}
    command = [sys.executable, "-m", "mlup_testkit", *arguments]
    return subprocess.run(command, env=left, capture_output=True, text=True, timeout=120)


def test_every_golden_file_goes_where_it_belongs():
    found = confusion()
    assert found.clean, "\n".join(found.lines())
    assert found.files == len(rows())


def test_it_is_printed_with_a_row_for_each_label_and_a_column_for_each_binarizer():
    done = matrix()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    scoring = confusion().binarizers
    assert lines[0].split() == [*scoring, NOBODY]
    assert {line.split()[0] for line in lines[1 : lines.index("")]} == {row.label for row in rows()}


def test_a_label_without_its_plugin_is_nobody_s():
    found = confusion()
    installed = {each.name for each in mlup.plugins()}
    without = {row.label for row in rows() if row.label not in installed}
    assert "none" in without
    assert {label for label in without if set(found.matrix[label]) != {NOBODY}} == set()


def test_as_json():
    done = matrix("--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["clean"] is True
    assert found["files"] == sum(sum(each.values()) for each in found["matrix"].values())
