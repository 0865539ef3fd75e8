"""Every test of the contract can fail: a plugin wrong in one thing fails it, and it alone."""

from __future__ import annotations

import inspect
from typing import NamedTuple

import pytest

from mlup_testkit import BinarizerContract

TESTS = {name for name in dir(BinarizerContract) if name.startswith("test_")}
AFTER_MARK = "    if not (head.startswith"
MARKED = "    if head.startswith(b'ACME\\x01'):\n"
RIVAL = """
'''Claims what is another's.'''
import mlup
extensions = ()
requires = ()

@mlup.hookimpl
def score(path, head, tail):
    return 0.97 if head.startswith(b"ACME") and {when} else None

@mlup.hookimpl
def deserialize(file):
    return None
"""


class Wrong(NamedTuple):
    """What is wrong, mostly as a replacement in the right plugin's source.

    Attributes:
        more: what stands in the test class beside what must.
        also: tests that cannot but fail as well.
        modules: what is installed with it.
        rival: another plugin.
    """

    old: str = ""
    new: str = ""
    more: str = ""
    also: frozenset[str] = frozenset()
    version: str = "1.0"
    modules: dict[str, str] = {}
    rival: str = ""
    removed: str = ""

    def source(self, right: str) -> str:
        for old, new in ((self.old, self.new), (self.removed, "")):
            if old:
                assert right.count(old) == 1
                right = right.replace(old, new)
        return right


def in_score(code: str, **others) -> Wrong:
    """Code at the beginning of score()."""
    return Wrong(AFTER_MARK, f"{code}\n{AFTER_MARK}", **others)


def in_deserialize(code: str, **others) -> Wrong:
    """Code at the beginning of deserialize()."""
    place = "    with file.open() as stream:\n        data = "
    return Wrong(place, f"{code}\n{place}", **others)


def with_data(code: str) -> Wrong:
    """Code in deserialize(), behind the reading."""
    place = "    if not (data.startswith"
    return Wrong(place, f"{code}\n{place}")


WRONG = {
    "test_it_is_installed": Wrong(version=""),
    "test_it_has_a_description": Wrong('"""A right plugin: two numbers', '"""Acme\n\n'),
    "test_it_lists_its_extensions": Wrong('extensions = (".acme",)', 'extensions = (".Acme",)'),
    "test_it_lists_what_it_requires": Wrong("requires = ()\n", ""),
    "test_it_lists_its_options": Wrong('"what predictions are multiplied with"', '" "'),
    "test_its_hooks_say_what_they_do": Wrong('    """A ``Line``."""\n', ""),
    "test_nothing_heavy_is_imported": Wrong(
        "requires = ()\n",
        "import acme_framework\nrequires = ('acme_framework',)\n",
        modules={"acme_framework": ""},
    ),
    "test_importing_it_is_cheap": Wrong(
        "import mlup\n",
        "import time\nstart = time.process_time()\n"
        "while time.process_time() < start + 0.6: pass\nimport mlup\n",
    ),
    "test_score_opens_no_file": in_score(
        MARKED + "        if path.location: open(path, 'rb').close()"
    ),
    "test_score_reads_little_of_a_large_file": in_score(
        MARKED + "        path.read_at(0, path.size)"
    ),
    "test_score_says_the_same_of_bytes": in_score(
        MARKED + "        if path.location is None and str(path) == 'line.acme': return 0.85"
    ),
    "test_it_is_sure_of_its_own_files": Wrong("if named else 0.9", "if named else 0.7"),
    "test_it_is_chosen_for_its_own_files": Wrong(
        rival=RIVAL.format(when="not str(path).endswith('.acme')")
    ),
    "test_nothing_is_not_its_file": in_score("    if head == b'A': return 0.9"),
    "test_golden_files_of_other_formats_are_not_its": in_score(
        "    if head.startswith(b'PK'): return 0.2"
    ),
    "test_its_extension_does_not_make_other_files_its": in_score(
        "    if head.startswith(b'PK') and str(path).endswith('.acme'): return 0.4"
    ),
    "test_its_scores_are_in_the_scale": Wrong("mlup.Score(0.95 if", "mlup.Score(1.0 if"),
    "test_its_scores_do_not_change": in_score(
        MARKED
        + "        global last\n        last, before = path.location, globals().get('last')\n"
        "        if last and last == before: return 0.93"
    ),
    "test_damaged_files_do_not_make_score_fail": in_score(
        "    if head.startswith(b'ACME'): head[4]"
    ),
    "test_it_loads_what_was_written": in_deserialize(
        "    if file.path and file.path.endswith('samples/line.acme'): return Line(0, 0)",
        also=frozenset(("test_it_is_loaded_without_being_named",)),
    ),
    "test_it_loads_bytes": in_deserialize(
        "    if file.path is None and isinstance(file.raw_data, bytes): raise ValueError"
    ),
    "test_it_loads_an_open_file": in_deserialize(
        "    if hasattr(file.raw_data, 'read'):\n"
        "        data = file.raw_data.read()\n        file.raw_data.close()\n"
        "        file = file._replace(raw_data=data)"
    ),
    "test_it_loads_under_any_name": in_deserialize(
        "    if file.path and not file.path.endswith('.acme'): raise ValueError(file.path)"
    ),
    "test_it_is_loaded_without_being_named": Wrong(
        rival=RIVAL.format(when="str(path).endswith('line.acme')"),
        also=frozenset(("test_it_is_chosen_for_its_own_files",)),
    ),
    "test_unknown_options_are_refused": Wrong(
        "**file.options",
        "",
        removed='options = {"factor": "what predictions are multiplied with"}\n',
    ),
    "test_damaged_files_are_refused": Wrong(
        """    slope, constant = data[5:-4].split()""",
        """    slope, constant = (data[5:].split() + [b"0"])[:2]""",
        removed="""    if not (data.startswith(b"ACME\\x01") and data.endswith(b"\\nEND")):
        raise mlup.ModelBinarizationError(f"{file.label} breaks off, or is no ACME file")
""",
    ),
    "test_nothing_in_a_file_runs": with_data(
        "    import pickle\n    if data[:1] == b'\\x80': return pickle.loads(data)"
    ),
    "test_hostile_files_do_not_end_the_process": with_data(
        "    import os\n    if data[:2] == b'\\x80\\x04': os._exit(3)"
    ),
    "test_no_test_was_removed_or_replaced": Wrong(more="    test_it_loads_bytes = None"),
}


def test_a_wrong_plugin_is_known_for_every_test():
    assert set(WRONG) == TESTS


@pytest.mark.parametrize("name", sorted(TESTS))
def test_a_plugin_wrong_in_one_thing_fails_this_test_alone(contract, name):
    wrong = WRONG[name]
    modules = {"mlup_acme": wrong.source(contract.right), **wrong.modules}
    contract.install("mlup_acme", modules, "acme = mlup_acme", wrong.version)
    if wrong.rival:
        contract.install("mlup_rival", {"mlup_rival": wrong.rival}, "rival = mlup_rival")
    ran = contract.run(wrong.more)
    assert ran.failed == {name, *wrong.also}, ran.output
    assert ran.code == 1


def test_a_right_plugin_passes_and_its_golden_files_are_counted(contract):
    contract.install("mlup_acme", {"mlup_acme": contract.right}, "acme = mlup_acme")
    ran = contract.run()
    assert (ran.code, ran.failed, ran.skipped, ran.passed) == (0, set(), 0, len(TESTS)), ran.output
    assert "acme                  716 files, claimed wrongly: 0" in ran.output


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_says_what_to_do_if_it_fails(name):
    said = inspect.getdoc(getattr(BinarizerContract, name))
    assert said.startswith("If this fails, ")
    assert len(said.splitlines()) > 2
