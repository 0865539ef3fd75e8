"""A right plugin: two numbers behind a mark. The wrong ones in the tests differ in one thing."""

from __future__ import annotations

import mlup

extensions = (".acme",)
requires = ()
options = {"factor": "what predictions are multiplied with"}


class Line:
    def __init__(self, slope, constant, factor=1):
        self.slope, self.constant, self.factor = slope, constant, factor

    def predict(self, x):
        return self.factor * (self.slope * x + self.constant)

    def save(self, path):
        path.write_bytes(b"ACME\x01" + f"{self.slope} {self.constant}".encode() + b"\nEND")


@mlup.hookimpl
def score(path, head, tail):
    """0.9 for the mark at both ends; the extension adds 0.05."""
    if not (head.startswith(b"ACME\x01") and tail.endswith(b"\nEND")):
        return None
    named = str(path).lower().endswith(extensions)
    return mlup.Score(0.95 if named else 0.9, "ACME mark, version 1")


@mlup.hookimpl
def deserialize(file):
    """A ``Line``."""
    with file.open() as stream:
        data = stream.read()
    if not (data.startswith(b"ACME\x01") and data.endswith(b"\nEND")):
        raise mlup.ModelBinarizationError(f"{file.label} breaks off, or is no ACME file")
    slope, constant = data[5:-4].split()
    return Line(int(slope), int(constant), **file.options)
