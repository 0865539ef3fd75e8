"""Lines in text, for the first contract of mlup."""

import mlup

extensions = (".acme",)
requires = ()


class Line:
    def __init__(self, slope, constant):
        self.slope = slope
        self.constant = constant

    def predict(self, x):
        return self.slope * x + self.constant

    def save(self, path):
        path.write_bytes(b"PREVIOUS LINE %d %d END\n" % (self.slope, self.constant))


@mlup.hookimpl
def score(path, head):
    """Text that begins with PREVIOUS LINE."""
    if not head.startswith(b"PREVIOUS LINE "):
        return None
    return 0.95 if path.suffix == ".acme" else 0.9


@mlup.hookimpl
def deserialize(file):
    """A ``Line``."""
    with file.open() as stream:
        mark, kind, slope, constant, end = stream.read().split()
    if (mark, kind, end) != (b"PREVIOUS", b"LINE", b"END"):
        raise ValueError("this is no line")
    return Line(int(slope), int(constant), **file.options)
