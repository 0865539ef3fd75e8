"""``trust`` and ``allow`` on their way from the caller to a plugin, and what a refusal says."""

from __future__ import annotations

import pickle

import pytest

import mlup
from mlup.report import CALL, REFERENCE, REFUSED, SAFE

REPORTING = """
import mlup

@mlup.hookimpl
def score(path, head, tail):
    return 0.9 if head.startswith(b"ACME") else None

@mlup.hookimpl
def deserialize(file):
    if not file.allows("acme.Thing"):
        raise mlup.UnsafeModelError(
            "it holds a Thing", path=file.label, binarizer="acme", refused=["acme.Thing"]
        )
    return file.trust, file.allow

@mlup.hookimpl
def inspect(file):
    if file.open is None or b"broken" in file.raw_data:
        raise RuntimeError("lost")
    verdict = "safe" if file.allows("acme.Thing") else "refused"
    return mlup.Report(imports=(mlup.Import("acme", "Thing", "call", verdict),), notes=("seen",))
"""


@pytest.fixture
def acme(site):
    site.distribution("dist-acme", {"acme": "reporting_acme"}, {"reporting_acme": REPORTING})


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ({"trust": True}, (True, ())),
        ({"allow": ["acme.Thing"]}, (False, ("acme.Thing",))),
        ({"allow": ("x.*", "acme.Thing"), "trust": True}, (True, ("x.*", "acme.Thing"))),
        ({"allow": iter(["acme.Thing"])}, (False, ("acme.Thing",))),
    ],
)
def test_what_the_caller_says_arrives_at_the_plugin(acme, given, arrives):
    assert mlup.load(b"ACME", **given) == arrives


def test_it_holds_for_its_call_alone(acme):
    assert mlup.load(b"ACME", allow=["acme.Thing"])
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(b"ACME")


def test_a_loaded_file_may_carry_it(acme):
    file = mlup.LoadedFile(raw_data=b"ACME", allow=("acme.Thing",))
    assert mlup.load(file, allow=["b"]) == (False, ("acme.Thing", "b"))
    assert mlup.load(mlup.LoadedFile(raw_data=b"ACME", trust=True)) == (True, ())


def test_a_refusal_says_what_and_how_to_allow_it(acme, tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"ACME")
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(path)
    error = caught.value
    assert isinstance(error, mlup.ModelLoadError)
    assert (error.path, error.binarizer, error.refused) == (str(path), "acme", ("acme.Thing",))
    assert str(error) == f"{path} (acme) was not loaded: it holds a Thing.\n{error.hint}"
    assert error.hint == (
        "If you trust the file: trust=True (CLI: --trust). "
        'To accept just this name: allow=["acme.Thing"] (--allow acme.Thing).'
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.refused, again.hint) == (str(error), error.refused, error.hint)


def test_many_names_are_shortened_in_the_message_alone():
    names = [f"a.b{number}" for number in range(99)]
    error = mlup.UnsafeModelError("x", path="m", binarizer="b", refused=names)
    assert error.refused == tuple(names)
    assert "these 99 names" in error.hint
    assert len(error.hint) < 800


@pytest.mark.parametrize(
    "allow",
    [
        "acme.Thing",
        b"x",
        5,
        None,
        ["*"],
        ["acme*"],
        ["*.Thing"],
        ["a.*.b"],
        [""],
        [5],
        ["os.*"],
        ["builtins.*"],
        ["a b"],
        [".*"],
    ],
)
def test_an_allow_that_says_too_much_is_refused(acme, allow):
    with pytest.raises(mlup.OptionError, match="allow"):
        mlup.load(b"ACME", allow=allow)
    with pytest.raises(mlup.OptionError, match="allow"):
        mlup.inspect(b"ACME", allow=allow)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("a.b,c.d", "2 names in one: write allow=['a.b', 'c.d'] (--allow a.b --allow c.d)"),
        ("a.b, c.d,e.f", "3 names in one: write allow=['a.b', 'c.d', 'e.f']"),
        ("a.b,my_package.*", "write allow=['a.b', 'my_package.*']"),
        ("posix:getcwd", "write allow=['posix.getcwd'] (--allow posix.getcwd), with a dot"),
        ("a.models:Tree.Node", "write allow=['a.models.Tree.Node']"),
    ],
)
def test_an_allow_that_could_never_match_says_how_to_write_it(acme, entry, said):
    for function in (mlup.load, mlup.inspect):
        with pytest.raises(mlup.OptionError) as caught:
            function(b"ACME", allow=["acme.Thing", entry])
        assert repr(entry) in str(caught.value)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "aten::save",
        "torch.classes.a.B",
        "WriteFile",
        "C:weights",
        "../w,1.bin",
        "a,b.bin",
        "Custom>My",
    ],
)
def test_names_of_operations_and_of_files_are_no_misspellings(acme, entry):
    assert mlup.load(b"ACME", allow=["acme.Thing", entry]) == (False, ("acme.Thing", entry))


@pytest.mark.parametrize("trust", ["no", 1, None, "True", []])
def test_trust_is_a_bool_and_nothing_like_one(acme, trust):
    with pytest.raises(mlup.OptionError, match="trust"):
        mlup.load(b"ACME", trust=trust)


# -- inspect --------------------------------------------------------------------------------------


def test_a_report_is_the_plugins_with_the_format_filled_in(acme):
    report = mlup.inspect(b"ACME")
    assert report == mlup.Report(
        "acme", (mlup.Import("acme", "Thing", CALL, REFUSED),), ("seen",), ()
    )
    assert report.refused == ("acme.Thing",)
    assert mlup.inspect(b"ACME", allow=["acme.Thing"]).refused == ()
    assert mlup.inspect(b"ACME", "acme", allow=["acme.Thing"]).imports[0].verdict == SAFE
    assert str(report.imports[0]) == "acme.Thing"
    assert CALL != REFERENCE


def test_a_plugin_without_inspect_says_so(site):
    site.plugin("acme")
    report = mlup.inspect(b"ACME")
    assert report.format == "acme"
    assert report.imports == ()
    assert not report.checked
    assert "has no inspect(file)" in report.notes[0]


def test_an_inspection_that_fails_is_an_error_that_says_so(acme):
    with pytest.raises(
        mlup.ModelBinarizationError, match="not inspected by acme: RuntimeError: lost"
    ):
        mlup.inspect(b"ACMEbroken")


def test_what_nobody_knows_cannot_be_inspected(acme):
    with pytest.raises(mlup.UnknownModelError):
        mlup.inspect(b"text")


def test_operations_are_refused_by_their_names():
    report = mlup.Report(
        operations=(mlup.Operation("WriteFile", REFUSED), mlup.Operation("Add", SAFE))
    )
    assert report.refused == ("WriteFile",)


def test_a_name_that_lies_is_in_the_notes(acme, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"ACME")
    assert any(".onnx" in note for note in mlup.inspect(tmp_path / "m.onnx").notes)
