"""Everything about one plugin, and the optional attributes that it may have."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import mlup
from mlup import hookspecs, log
from mlup.adapting import ATTRIBUTES
from mlup.cli import cli
from mlup.plugin_details import (
    PluginDetails,
    counted_safe_list,
    details_of,
    to_do,
    whole_problem,
)
from mlup.registry import current

WHOLE = '''
"""Acme models.

More of it.
"""
import mlup

extensions = (".acme",)
requires = ("json", "pluggy", "no_such_framework")
options = {"device": "where tensors are put", "mmap": "maps them"}
safe_list = {"acme.Tree", "acme.Forest"}

@mlup.hookimpl
def score(path, head, tail):
    """An ACME header: 0.9.

    Returns:
        Not shown.
    """
    return 0.9 if head.startswith(b"ACME") else None

@mlup.hookimpl
def deserialize(file):
    """The tree.

    By Acme's own reader.

    Raises:
        ValueError: not shown.
    """
    return "loaded"
'''


@pytest.fixture
def details(site):
    """What is known of the binarizer ``acme``, after its module was written."""

    def of(source: str, name: str = "acme") -> PluginDetails:
        site.distribution(f"dist-{name}", {name: f"mod_{name}"}, {f"mod_{name}": source})
        ((info, binarizer),) = [each for each in current().entries() if each[0].name == name]
        return details_of(info, binarizer)

    return of


def changed(**lines: str) -> str:
    """``WHOLE`` with other values of its attributes."""
    source = WHOLE
    for name, value in lines.items():
        source = re.sub(rf"^{name} = .*$", f"{name} = {value}", source, flags=re.MULTILINE)
    return source


def test_everything_that_a_plugin_says_of_itself(site, details):
    found = details(WHOLE)
    assert found.info.description == "Acme models."
    assert found.file == str(site.folder / "mod_acme.py")
    assert found.hooks == ("deserialize", "score")
    assert found.info.options == ("device", "mmap")
    assert found.options == {"device": "where tensors are put", "mmap": "maps them"}
    assert (found.safe_list_size, found.safe_list_problem) == (2, None)
    assert found.recognises == "An ACME header: 0.9."
    assert found.returns == "The tree.\n\nBy Acme's own reader."
    assert found.inspects is None


def test_the_frameworks_are_found_with_their_versions_and_not_imported(details):
    from importlib.metadata import version

    found = details(WHOLE)
    assert found.info.status == "unavailable"
    assert [tuple(each) for each in found.frameworks] == [
        ("json", None, None, True),
        ("pluggy", "pluggy", version("pluggy"), True),
        ("no_such_framework", None, None, False),
    ]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("top_level.txt", "acme_lib"),
        ("RECORD", "acme_lib/__init__.py,sha256=47DEQ,0"),
        ("RECORD", "acme_lib.cpython-311-x86_64-linux-gnu.so,,"),
    ],
)
def test_a_framework_of_a_distribution_with_another_name(site, details, file, line):
    site.module("acme_lib", "raise RuntimeError('imported')")
    site.distribution("acme-docs", {}, refresh=False)
    (site.folder / "acme_docs-1.0.dist-info" / "RECORD").write_text(
        "acme_lib.libs/a.so,,\n", "utf-8"
    )
    site.distribution("acme-cpu", {}, version="2.5", refresh=False)
    (site.folder / "acme_cpu-2.5.dist-info" / file).write_text(f"more\n{line}\n", "utf-8")
    (found,) = details(changed(requires="('acme_lib.inner',)")).frameworks
    assert tuple(found) == ("acme_lib.inner", "acme-cpu", "2.5", True)
    assert "acme_lib" not in sys.modules


def test_options_as_a_tuple_have_no_lines(details):
    found = details(changed(options="('device',)"))
    assert (found.info.options, found.options) == (("device",), {"device": None})


def test_what_a_plugin_did_not_say_is_none(details):
    source = "import mlup\n@mlup.hookimpl\ndef deserialize(file):\n    return 1\n"
    found = details(source)
    assert found.hooks == ("deserialize",)
    assert (found.options, found.safe_list_size, found.safe_list_problem) == (None, None, None)
    assert (found.recognises, found.returns, found.inspects) == (None, None, None)
    assert found.frameworks == ()


def test_options_of_a_mapping_are_checked_like_those_of_a_tuple(site, details):
    details(changed(requires="()"))
    assert mlup.load(b"ACME", options={"device": "cpu"}) == "loaded"
    with pytest.raises(mlup.OptionError, match="it takes device, mmap"):
        mlup.load(b"ACME", options={"devise": "cpu"})


@pytest.mark.parametrize(
    ("value", "size"),
    [("()", 0), ("['a.b', 'a.b', 'a.c']", 2), ("lambda: {'a.b': 1}", 1), ("lambda: iter('ab')", 2)],
)
def test_a_safe_list_is_a_collection_or_a_function(details, value, size):
    found = details(changed(safe_list=value))
    assert (found.safe_list_size, found.safe_list_problem) == (size, None)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("lambda: 1 / 0", "ZeroDivisionError"),
        ("lambda: exit('gone')", "SystemExit"),
        ("lambda: 'a.b'", "'a.b'"),
        ("lambda: None", "None"),
        ("lambda: [3]", "3, which is no text"),
        ("['a.b', b'c']", "b'c', which is no text"),
        ("lambda one: []", "TypeError"),
    ],
)
def test_a_safe_list_that_cannot_be_counted_costs_that_line_alone(details, value, said):
    found = details(changed(safe_list=value, requires="()"))
    assert found.info.status == "ok"
    assert found.safe_list_size is None
    assert said in found.safe_list_problem
    assert (found.options, found.returns) != (None, None)
    assert mlup.load(b"ACME") == "loaded"


def test_a_safe_list_is_not_asked_for_by_a_detection(details):
    details(changed(safe_list="lambda: exit('asked')"))
    assert mlup.detect(b"ACME").best.binarizer == "acme"
    assert mlup.plugins()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"options": "'device'"}, "options is the string 'device'"),
        ({"options": "(1,)"}, "options must be a tuple of strings"),
        ({"options": "{1: 'line'}"}, "options must be a tuple of strings"),
        ({"options": "{'device': None}"}, r"options\['device'\] is None; write one line"),
        ({"options": "3"}, "not iterable"),
        ({"safe_list": "'acme.Tree'"}, "safe_list is 'acme.Tree'; write a collection"),
        ({"safe_list": "3"}, "safe_list is 3; write a collection"),
        ({"safe_list": "b'a'"}, "safe_list is b'a'"),
        ({"extensions": "'.acme'"}, "extensions is the string '.acme'"),
        ({"requires": "3"}, "not iterable"),
    ],
)
def test_metadata_of_another_type_break_the_plugin(details, line, said):
    found = details(changed(**line))
    assert found.info.status == "broken"
    assert re.search(said, found.info.problem)


def test_the_documented_attributes_are_the_ones_that_core_reads(details):
    documented = re.findall(r"^``(\w+)``$", hookspecs.__doc__, re.MULTILINE)
    assert tuple(documented) == ATTRIBUTES
    for number, name in enumerate(documented):  # it reads each: 3 is none of them
        assert details(changed(**{name: "3"}), f"acme{number}").info.status == "broken", name


def test_a_plugin_that_is_broken_is_shown_with_the_line_at_which_it_failed(site, details):
    site.module("deep", "def fall():\n    raise RuntimeError('no such luck')\n")
    found = details("import deep\n\ndeep.fall()\n")
    path = str(site.folder / "mod_acme.py")
    assert (found.info.status, found.file, found.info.failed_at) == ("broken", path, f"{path}:3")
    problem = found.as_dict()["problem"]
    assert "RuntimeError: no such luck" in problem
    assert f"at {path}:3" in problem
    assert "pip install --upgrade dist-acme" in problem
    assert found.as_dict()["hooks"] == []


def test_a_broken_plugin_s_page_says_it_once(site, caplog):
    site.distribution("dist-acme", {"acme": "mod_acme"}, {"mod_acme": "raise OSError('gone')"})
    caplog.clear()
    result = CliRunner().invoke(cli, ["plugins", "acme"])
    assert (result.exit_code, result.output.count("gone"), caplog.messages) == (0, 1, [])
    result = CliRunner().invoke(cli, ["plugins", "acne"])
    assert result.exit_code == 1
    assert "gone" in caplog.text  # this time it is on no page
    assert not log.silent


@pytest.mark.parametrize("way", ["editable", "elsewhere"])
def test_a_broken_plugin_in_a_checkout_is_to_be_looked_at(site, details, tmp_path, way):
    site.distribution("dist-acme", {"acme": "mod_acme"})
    folder = site.folder
    if way == "editable":
        about = '{"dir_info": {"editable": true}, "url": "file:///home/me/acme"}'
        (folder / "dist_acme-1.0.dist-info" / "direct_url.json").write_text(about, "utf-8")
    else:  # found by a .pth file, as older tools install it
        folder = tmp_path / "checkout"
        folder.mkdir()
        sys.path.append(str(folder))
    (folder / "mod_acme.py").write_text("\nraise OSError('gone')\n", "utf-8")
    mlup.refresh()
    try:
        ((info, _),) = [each for each in current().entries() if each[0].name == "acme"]
        said = to_do(info)
    finally:
        if folder != site.folder:
            sys.path.remove(str(folder))
    assert said.startswith(f"look at {folder / 'mod_acme.py'}:2, from which dist-acme is imported")
    assert "pip install" not in said
    assert "MLUP_DISABLE_PLUGINS=acme" in said


def test_a_plugin_that_is_no_python_is_shown_with_the_line(site, details):
    found = details("import mlup\nx = = 1\n")
    assert found.info.failed_at == f"{site.folder / 'mod_acme.py'}:2"


def test_a_plugin_that_is_not_marked_has_no_line_but_a_file(site, details):
    found = details("def score(path, head, tail): ...\ndef deserialize(file): ...\n")
    assert (found.info.status, found.info.failed_at) == (
        "broken",
        f"{site.folder / 'mod_acme.py'}:1",
    )
    assert found.file == str(site.folder / "mod_acme.py")


def test_the_file_of_a_plugin_in_a_package_is_found_without_an_import(site, monkeypatch):
    site.distribution("dist-acme", {"acme": "pack.inner.mod:Thing"}, {"pack.inner.mod": "exit()"})
    monkeypatch.setenv("MLUP_DISABLE_PLUGINS", "acme")
    mlup.refresh()
    ((info, binarizer),) = [each for each in current().entries() if each[0].name == "acme"]
    found = details_of(info, binarizer)
    assert (info.status, binarizer) == ("disabled", None)
    assert found.file == str(site.folder / "pack" / "inner" / "mod.py")
    assert not {"pack", "pack.inner", "pack.inner.mod"} & set(sys.modules)
    assert to_do(info) == "to use it, take it out of MLUP_DISABLE_PLUGINS"


def test_a_module_that_is_not_there_has_no_file(site):
    site.distribution("dist-acme", {"acme": "no_such.module"})
    ((info, binarizer),) = [each for each in current().entries() if each[0].name == "acme"]
    assert details_of(info, binarizer).file is None


CLASSES = """
import mlup
from mlup.ml.binarization.base import BaseBinarizer

class Marked:
    '''Acme models, by a class.'''
    options = {"device": "where"}
    @mlup.hookimpl
    def score(self, path, head, tail):
        '''A header.'''
    @mlup.hookimpl
    def deserialize(self, file):
        '''The model.'''

class Before(BaseBinarizer):
    safe_list = ("acme.Tree",)
    @classmethod
    def deserialize(cls, data):
        '''What the predecessor gave.'''
"""


def test_classes_and_the_predecessors_way(site):
    entries = {"marked": "shapes:Marked", "before": "shapes:Before"}
    site.distribution("dist-shapes", entries, {"shapes": CLASSES})
    found = {info.name: details_of(info, it) for info, it in current().entries()}
    marked, before = found["marked"], found["before"]
    assert marked.file == before.file == str(site.folder / "shapes.py")
    assert (marked.recognises, marked.returns) == ("A header.", "The model.")
    assert marked.options == {"device": "where"}
    assert (before.recognises, before.returns) == (None, "What the predecessor gave.")
    assert before.safe_list_size == 1


def test_a_wrapper_is_shown_too(details):
    source = """
import mlup

@mlup.hookimpl(wrapper=True)
def deserialize(file):
    '''Writes every load down.'''
    return (yield)
"""
    found = details(source, "audit")
    assert (found.info.kind, found.hooks) == ("wrapper", ("deserialize",))
    assert found.returns == "Writes every load down."


def test_cores_own_binarizer_says_all():
    found = {info.name: details_of(info, it) for info, it in current().entries()}["memory"]
    assert (found.options, found.safe_list_size) == ({}, 0)
    assert found.returns == "The object itself, as it was given."
    assert Path(found.file).name == "memory.py"


@pytest.mark.parametrize(
    "status", ["broken", "incompatible", "conflict", "unavailable", "disabled"]
)
def test_every_status_but_ok_has_something_to_do(status):
    info = mlup.PluginInfo("acme", "dist-acme", "1.0", status, problem="it is so")
    assert to_do(info)
    assert whole_problem(info).startswith("it is so")
    assert to_do(info._replace(status="ok")) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torch-jit", "'torch-jit' is not installed: pip install 'mlup-core[torch]'"),
        ("lightgbn", "Did you mean lightgbm (pip install 'mlup-core[lightgbm]')?"),
        ("acne", "Did you mean acme?"),
        ("Dist.Acme", "'Dist.Acme' is a distribution; it has acme: mlup plugins acme"),
    ],
)
def test_a_name_that_is_not_installed_gets_the_nearest_and_what_to_install(details, name, said):
    details(WHOLE)
    result = CliRunner().invoke(cli, ["plugins", name])
    assert result.exit_code == 1
    assert said in result.output


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import itertools\n    return map(str, itertools.count())", "is there an end?"),
        ("print('[]')\n    return ('a.b', 'c.d')", None),
        ("class E(Exception):\n        __str__ = lambda self: exit()\n    raise E", "E: "),
    ],
    ids=["endless", "prints", "an exception that exits"],
)
def test_a_safe_list_that_misbehaves_costs_its_line_alone(site, capsys, body, said):
    source = "import mlup\n@mlup.hookimpl\ndef deserialize(file):\n    return 1\n"
    source += f"\ndef safe_list():\n    {body}\n"
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": source})
    ((_, binarizer),) = [
        (info, found) for info, found in current().entries() if info.name == "good"
    ]
    size, problem = counted_safe_list(binarizer)
    assert (size, problem) == (2, None) if said is None else said in problem
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["lost", "dist-lost"])
def test_a_name_in_a_group_that_is_not_read_is_said(site, name):
    site.distribution("dist-lost", {"lost": "lost"}, refresh=False)
    file = site.folder / "dist_lost-1.0.dist-info" / "entry_points.txt"
    file.write_text("[mlup.binarizer]\nlost = lost\n", "utf-8")
    mlup.refresh()
    result = CliRunner().invoke(cli, ["plugins", name])
    assert result.exit_code == 1
    assert "entry point 'lost' in the group 'mlup.binarizer', which mlup does not" in result.output
    assert "write mlup.binarizers in its pyproject.toml" in result.output
