"""What ``mlup doctor`` finds: every kind of damage, in real distributions on ``sys.path``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from packaging.requirements import Requirement

import mlup
from mlup import log
from mlup.doctoring import examine
from mlup.installed import satisfied

GOOD = "import mlup\n@mlup.hookimpl\ndef deserialize(file):\n    return 1\n"


def problems(level: str | None = None) -> list[str]:
    """What is wrong, each with what to do."""
    return [
        f"{each.what} | {each.do}" for each in examine().problems if level in (None, each.level)
    ]


def of(text: str, level: str | None = None) -> str:
    (found,) = [each for each in problems(level) if text in each]
    return found


def test_a_plugin_that_is_well_is_no_problem(site):
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": GOOD})
    found = examine()
    assert "good" in [info.name for info in found.binarizers]
    assert not [each for each in found.problems if "good" in each.what]


def test_a_broken_plugin_is_an_error_with_its_line_and_a_cure(site):
    site.distribution("dist-bad", {"bad": "mod_bad"}, {"mod_bad": "\nraise RuntimeError('lost')"})
    said = of("bad", "error")
    assert "the binarizer bad of dist-bad 1.0 is broken: RuntimeError: lost" in said
    assert f"at {site.folder / 'mod_bad.py'}:2" in said
    assert "pip install --upgrade dist-bad" in said
    assert "MLUP_DISABLE_PLUGINS=bad" in said
    assert examine().failed


def test_a_conflict_is_an_error_for_both(site):
    for name in ("one", "two"):
        site.distribution(f"dist-{name}", {"same": f"mod_{name}"}, {f"mod_{name}": GOOD})
    found = [each for each in problems("error") if "same" in each]
    assert len(found) == 2
    assert all("is in conflict: " in each and "uninstall" in each for each in found)


def test_an_incompatible_plugin_is_an_error(site):
    source = GOOD.replace("(file)", "(file, future)")
    site.distribution("dist-new", {"new": "mod_new"}, {"mod_new": source})
    said = of("incompatible", "error")
    assert "pip install --upgrade mlup-core" in said
    assert "authors: score() may declare path, head, tail; deserialize() may declare file" in said
    assert f"at {site.folder / 'mod_new.py'}:2" in said


def test_a_missing_framework_is_a_warning(site):
    source = f"requires = ('no_such_framework',)\n{GOOD}"
    site.distribution("dist-far", {"far": "mod_far"}, {"mod_far": source})
    said = of("far", "warning")
    assert "no_such_framework cannot be imported here" in said
    assert said.endswith(
        "| install the package that provides no_such_framework (dist-far does not bring it)"
    )


def test_a_safe_list_that_raises_is_an_error(site):
    source = f"def safe_list():\n    raise OSError('unreadable')\n{GOOD}"
    site.distribution("dist-odd", {"odd": "mod_odd"}, {"mod_odd": source})
    assert "OSError: unreadable" in of("safe list of the binarizer odd", "error")


@pytest.mark.parametrize("variable", ["MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS"])
def test_a_name_that_is_not_installed_is_a_warning(site, monkeypatch, variable):
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": GOOD})
    monkeypatch.setenv(variable, "good,dist-good:good,dist-good,god")
    said = of("'god'", "warning")
    assert said.startswith(
        f"{variable} names 'god', which is not installed; did you mean 'good'? | take it out, or write"
    )
    assert "a distribution; write its binarizer: good" in of("'dist-good'")
    assert not [each for each in problems() if "names 'good'" in each]


@pytest.mark.parametrize("group", ["mlup.binarizer", "mlup_binarizers", "mlup.plugins", "mlup"])
def test_a_group_that_mlup_does_not_read_is_a_warning(site, group):
    info = site.folder / "dist_lost-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: dist-lost\nVersion: 1.0\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(f"[{group}]\nlost = lost\n", "utf-8")
    said = of("dist-lost", "warning")
    assert f"in the group '{group}', which mlup does not read" in said
    assert "write mlup.binarizers in its pyproject.toml" in said


def safe_list(site, name: str) -> None:
    info = site.folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[mlup.safelists]\n{name} = {name}_lib\n", "utf-8")
    site.module(f"{name}_lib.inner", "")


def test_the_name_of_a_safe_list_alone_is_installed(site, monkeypatch, caplog):
    safe_list(site, "listing")
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": GOOD})
    monkeypatch.setenv("MLUP_PLUGINS", "good,listing,listing:listing,gone")
    assert not [each for each in problems() if "'listing" in each]
    mlup.refresh()
    caplog.clear()
    mlup.plugins()
    assert [each for each in caplog.messages if "MLUP_PLUGINS" in each] == [
        "MLUP_PLUGINS names 'gone', which is not installed"
    ]


def test_strict_is_shown_and_heeded_afterwards(site, monkeypatch):
    site.distribution("dist-bad", {"bad": "mod_bad"}, {"mod_bad": "raise RuntimeError('lost')"})
    monkeypatch.setenv("MLUP_STRICT_PLUGINS", "1")
    found = examine()
    assert found.failed
    assert found.environment["MLUP_STRICT_PLUGINS"] == "1"
    with pytest.raises(mlup.PluginError, match="lost"):
        mlup.plugins()


def test_what_it_tells_is_not_logged_as_well(site, caplog):
    site.distribution("dist-bad", {"bad": "mod_bad"}, {"mod_bad": "raise RuntimeError('lost')"})
    caplog.clear()
    examine()
    assert (caplog.messages, log.silent) == ([], False)
    mlup.refresh()
    mlup.plugins()
    assert "lost" in caplog.text


def test_two_versions_of_a_distribution_are_a_warning(site, tmp_path, monkeypatch):
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": GOOD}, version="2.0")
    other = tmp_path / "other"
    for version in ("1.0", "2.0"):  # the same version twice is an editable install
        info = other / f"dist_good-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: dist-good\nVersion: {version}\n", "utf-8")
        (info / "entry_points.txt").write_text("[mlup.binarizers]\ngood = mod_good\n", "utf-8")
    sys.path.append(str(other))
    try:
        said = of("versions of dist-good", "warning")
    finally:
        sys.path.remove(str(other))
    assert f"2 versions of dist-good are on sys.path: 2.0 in {site.folder}, which is used" in said
    assert f"1.0 in {other}" in said


def test_a_damaged_entry_points_file_is_a_warning(site):
    foreign = site.folder / "foreign-1.0.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Name: foreign\nVersion: 1.0\n", "utf-8")
    (foreign / "entry_points.txt").write_bytes(b"\xff\xfe\x00 no text")
    assert "pip install --force-reinstall foreign" in of("foreign-1.0.dist-info", "warning")


def test_a_plugin_for_another_core_is_a_warning(site):
    site.distribution("dist-good", {"good": "mod_good"}, {"mod_good": GOOD})
    metadata = site.folder / "dist_good-1.0.dist-info" / "METADATA"
    for line, wrong in (
        ("mlup-core>=99", True),
        ("mlup-core (<0.0.1)", True),
        ("mlup-core>=99; extra == 'odd'\nProvides-Extra: odd", True),
        ("mlup-core>=99; python_version < '3'", False),
        ("mlup-core>=99; and no marker", False),
        ("mlup-core", False),
    ):
        metadata.write_text(f"Name: dist-good\nVersion: 1.0\nRequires-Dist: {line}\n", "utf-8")
        found = [each for each in problems("warning") if "dist-good 1.0 requires mlup-core" in each]
        assert bool(found) is wrong
        assert all("pip install --upgrade dist-good mlup-core" in each for each in found)


def test_cores_dependencies_are_told_with_their_versions():
    from importlib.metadata import version

    found = {each.name: each for each in examine().dependencies}
    assert {"pluggy", "click", "importlib-metadata"} <= set(found)
    assert (found["pluggy"].version, found["pluggy"].satisfied) == (version("pluggy"), True)
    assert not any("mlup" in name for name in found)  # those of the extras are no dependencies


def test_a_dependency_that_is_too_old_is_an_error(site):
    site.distribution("pluggy", {}, version="0.1")
    assert "pip install 'pluggy>=" in of("mlup-core requires pluggy", "error")


def test_the_examination_has_the_published_keys(site):
    found = examine().as_dict()
    keys = ["mlup", "python", "platform", "environment", "dependencies", "binarizers", "problems"]
    assert list(found) == keys
    assert found["mlup"]["version"] == mlup.__version__
    assert list(found["environment"]) == [
        "MLUP_PLUGINS",
        "MLUP_DISABLE_PLUGINS",
        "MLUP_STRICT_PLUGINS",
    ]
    assert set(found["environment"].values()) == {None}
    assert list(found["dependencies"][0]) == ["name", "required", "version", "satisfied"]


@pytest.mark.parametrize(
    ("required", "version", "expected"),
    [
        ("acme", "1.0", True),
        ("acme>=0.1", "0.1.0rc1", False),
        ("acme>=0.1", "0.2.0rc1", True),
        ("acme>=1", "2!1.0", True),
        ("acme>=1", "unknown", None),
        ("acme @ https://example.org/acme-1.0.whl", "1.0", None),
    ],
)
def test_a_version_is_one_that_is_required(required, version, expected):
    assert satisfied(Requirement(required), version) is expected


def test_without_packaging_all_else_is_examined(site, monkeypatch):
    site.distribution("dist-bad", {"bad": "mod_bad"}, {"mod_bad": "raise RuntimeError('lost')"})
    for name in [each for each in sys.modules if each.partition(".")[0] == "packaging"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert "versions were not compared" in of("cannot be imported, so", "error")
    assert of("lost", "error")


def test_versions_are_compared_by_the_doctor_alone():
    code = (
        "import sys, mlup\nfrom click.testing import CliRunner\nfrom mlup.cli import cli\n"
        "assert CliRunner().invoke(cli, ['plugins', 'memory']).exit_code == 0\n"
        "assert mlup.detect(b'ACME').candidates == ()\n"
        "assert 'packaging' not in sys.modules\n"
        "CliRunner().invoke(cli, ['doctor'])\n"
        "assert 'packaging' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
