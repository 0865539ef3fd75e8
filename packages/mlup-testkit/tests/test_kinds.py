"""Binarizers that only load, whose models are folders, or that have hostile files of their own."""

from __future__ import annotations

FOLDERS = """
    def models(self):
        return {"line": plugin.Line(2, 1), "other.acme": plugin.Line(3, 0)}

    def write(self, model, path):
        path.mkdir()
        (path / "acme.txt").write_text(f"{model.slope} {model.constant} END")
        (path / "notes").write_text("nobody reads them")
"""
LINE = """import mlup

extensions = (".acme",)
requires = ()
options = ()


class Line:
    def __init__(self, slope, constant):
        self.slope, self.constant = slope, constant

    def predict(self, x):
        return self.slope * x + self.constant
"""
FOLDER_PLUGIN = f'''"""Lines in folders."""
import os
{LINE}

@mlup.hookimpl
def score(path, head, tail):
    """A folder with a file acme.txt that ends."""
    found = path.member("acme.txt") if path.is_dir() else None
    return 0.95 if found and found.read_at(0, 100).endswith(b" END") else None


@mlup.hookimpl
def deserialize(file):
    """A ``Line``."""
    with open(os.path.join(file.path, "acme.txt")) as stream:
        slope, constant, end = stream.read().split()
    if end != "END":
        raise mlup.ModelBinarizationError(file.label + " breaks off")
    return Line(int(slope), int(constant))
'''
HOSTILE = """
    def hostile(self, marker):
        return {"own.acme": b"ACME\\\\x01RUN " + str(marker).encode() + b"\\\\nEND"}
"""
RUNS = """
    if data.startswith(b"ACME\\x01RUN "): open(data[9:-4], "w").close()
"""
READ = "        data = stream.read()\n"
ENDS = "test_hostile_files_do_not_end_the_process"


def test_a_binarizer_that_only_loads_skips_what_is_about_scoring(contract):
    start, end = (
        contract.right.index(each)
        for each in ("@mlup.hookimpl\ndef score", "@mlup.hookimpl\ndef des")
    )
    source = contract.right[:start] + contract.right[end:]
    contract.install("mlup_acme", {"mlup_acme": source}, "acme = mlup_acme")
    ran = contract.run("", "-rs")
    assert (ran.code, ran.failed) == (0, set()), ran.output
    assert "acme has no score(): it loads only when it is asked for" in ran.output
    assert ran.passed >= 15


def test_models_may_be_folders(contract):
    contract.install("mlup_acme", {"mlup_acme": FOLDER_PLUGIN}, "acme = mlup_acme")
    ran = contract.run(FOLDERS, "-rs")
    assert (ran.code, ran.failed) == (0, set()), ran.output
    assert ran.skipped == 2
    assert "its models are folders" in ran.output


def test_the_author_s_own_hostile_files_are_loaded(contract):
    source = contract.right.replace(READ, READ + RUNS)
    contract.install("mlup_acme", {"mlup_acme": source}, "acme = mlup_acme")
    assert contract.run("", "-k", "test_nothing_in_a_file_runs").code == 0
    ran = contract.run(HOSTILE.replace("\\\\", "\\"), "-k", "test_nothing_in_a_file_runs")
    assert ran.failed == {"test_nothing_in_a_file_runs"}, ran.output
    assert "own.acme of hostile()" in ran.output


FORBIDDING = f'''"""Lines in zips of pickles, read with a list of what is forbidden."""
import io, pickle, zipfile
{LINE}    def save(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("line.pkl", pickle.dumps((self.slope, self.constant)))


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if module in ("builtins", "__builtin__", "os", "posix", "nt"):
            raise mlup.UnsafeModelError(module)
        return super().find_class(module, name)


@mlup.hookimpl
def score(path, head, tail):
    """A zip that begins with a line."""
    return 0.95 if head[30:38] == b"line.pkl" else None


@mlup.hookimpl
def deserialize(file):
    """A ``Line``."""
    with file.open() as stream, zipfile.ZipFile(stream) as archive:
        return Line(*Unpickler(io.BytesIO(archive.read("line.pkl"))).load())
'''


def test_a_list_of_what_is_forbidden_is_not_enough(contract):
    contract.install("mlup_acme", {"mlup_acme": FORBIDDING}, "acme = mlup_acme")
    ran = contract.run("", "-k", "test_nothing_in_a_file_runs")
    assert ran.failed == {"test_nothing_in_a_file_runs"}, ran.output
    assert "line.acme with an import for the member line.pkl, loaded by acme" in ran.output
    assert "with a call" not in ran.output


def test_what_ran_is_told_though_it_ended_the_process(contract):
    runs = RUNS.rstrip() + "; import os; os._exit(3)\n"
    source = contract.right.replace(READ, READ + runs)
    contract.install("mlup_acme", {"mlup_acme": source}, "acme = mlup_acme")
    ran = contract.run(HOSTILE.replace("\\\\", "\\"), "-k", "nothing_in_a_file_runs or hostile")
    assert ran.failed == {"test_nothing_in_a_file_runs", ENDS}, ran.output
    assert "own.acme of hostile(), loaded by acme: what is in the file ran" in ran.output
    assert "the process ended, exit code 3" in ran.output
