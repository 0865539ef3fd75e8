"""Safe loading of pickles: what is refused by name, what a caller may let in, what a report says.

The opcodes and the lists are tested with ``mlup-safepickle``; this is what the binarizer adds.
"""

from __future__ import annotations

import collections
import io
import json
import os
import pickle
import subprocess
import sys

import pytest

import mlup

PROTOCOLS = range(6)
MODEL = {"coef": [0.25, -1.5], "classes": collections.OrderedDict(no=0, yes=1)}


@pytest.fixture(scope="module", autouse=True)
def _only_pickle():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLUP_PLUGINS", "pickle")
        patch.delenv("MLUP_DISABLE_PLUGINS", raising=False)
        mlup.refresh()
        yield
    mlup.refresh()


class Call:
    """Pickles as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> object:
        return self.reduced


def spelled(function: object) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("behind", [b"", b"\n", b"N.", b"\x80\x04N."])
def test_a_call_is_refused_by_name_and_not_made(tmp_path, protocol, behind):
    mark = tmp_path / "mark"
    data = pickle.dumps({"first": MODEL, "x": Call(os.mkdir, str(mark))}, protocol) + behind
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    for source in (path, data, io.BytesIO(data)):
        with pytest.raises(mlup.UnsafeModelError) as caught:
            mlup.load(source)
        assert caught.value.refused == (spelled(os.mkdir),)
        assert caught.value.binarizer == "pickle"
        assert spelled(os.mkdir) in str(caught.value)
        assert "trust=True" in str(caught.value)
        assert not mark.exists()


def test_what_the_refusal_names_can_be_allowed_for_one_call(tmp_path):
    mark = tmp_path / "mark"
    data = pickle.dumps(Call(os.mkdir, str(mark)))
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert mlup.load(data, allow=caught.value.refused) is None
    assert mark.is_dir()
    mark.rmdir()
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(data)
    assert not mark.exists()
    assert mlup.load(data, trust=True) is None
    assert mark.is_dir()


def test_a_refusal_names_everything_that_would_come_next():
    data = pickle.dumps([Call(os.mkdir, "a"), Call(os.rmdir, "a"), Call(os.mkdir, "b")])
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(data)
    assert caught.value.refused == (spelled(os.mkdir), spelled(os.rmdir))


def test_a_class_of_ones_own_is_allowed_by_name_or_by_package(tmp_path, monkeypatch):
    (tmp_path / "own_package_of_test").mkdir()
    (tmp_path / "own_package_of_test" / "__init__.py").write_text("")
    (tmp_path / "own_package_of_test" / "models.py").write_text(
        "import os\n\n\nclass Model:\n    def predict(self, X):\n        return self.answer\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_package_of_test.models import Model

    model = Model()
    model.answer = 42
    data = pickle.dumps(model)
    through = (
        b"\x80\x04\x8c\x1aown_package_of_test.models\x94\x8c\x08os.mkdir\x94\x93\x8c\x01x\x85R."
    )
    with pytest.raises(mlup.UnsafeModelError):
        mlup.load(data)
    for allow in (["own_package_of_test.models.Model"], ["own_package_of_test.*"]):
        assert mlup.load(data, allow=allow).predict(None) == 42
        with pytest.raises(mlup.UnsafeModelError):
            mlup.load(through, allow=allow)
    with pytest.raises(mlup.OptionError):
        mlup.load(data, allow="own_package_of_test.*")


def test_a_stream_that_ends_early_or_within_marks_is_damaged_and_no_model():
    for data in (b"\x80\x04](K\x01.", b"\x80\x04]\x94(K\x01K\x02", b"\x80\x04(}.", b"\x80\x04."):
        with pytest.raises(mlup.ModelBinarizationError):
            mlup.load(data, "pickle")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_report_says_what_a_load_would_use(protocol):
    safe = mlup.inspect(pickle.dumps(MODEL, protocol))
    assert safe.format == "pickle"
    assert [str(each) for each in safe.imports] == ["collections.OrderedDict"]
    assert [(each.role, each.verdict) for each in safe.imports] == [("call", "safe")]
    assert (safe.refused, safe.notes) == ((), ())

    data = pickle.dumps([Call(os.mkdir, "a"), os.rmdir], protocol)
    report = mlup.inspect(data)
    assert {str(each): (each.role, each.verdict) for each in report.imports} == {
        spelled(os.mkdir): ("call", "refused"),
        spelled(os.rmdir): ("reference", "refused"),
    }
    assert report.refused == (spelled(os.mkdir), spelled(os.rmdir))
    assert mlup.inspect(data, allow=report.refused).refused == ()


def test_a_report_tells_of_what_follows_and_of_damage():
    data = pickle.dumps(MODEL) + pickle.dumps(Call(os.mkdir, "a"))
    report = mlup.inspect(data)
    assert report.refused == (spelled(os.mkdir),)
    assert any("follow" in note for note in report.notes)

    data = pickle.dumps([Call(os.mkdir, "a"), "x" * 500])[:-100]
    report = mlup.inspect(data, "pickle")
    assert report.refused == (spelled(os.mkdir),)
    assert any("cannot be followed to its end" in note for note in report.notes)


def test_a_report_leaves_a_callers_stream_usable(tmp_path):
    stream = io.BytesIO(b"a header" + pickle.dumps(MODEL))
    stream.seek(8)
    assert mlup.inspect(stream).refused == ()
    assert mlup.load(stream) == MODEL


REPORTING = """
import json, sys
import mlup
reports = [mlup.inspect(path) for path in sys.argv[1:]]
loaded = [name for name in ("numpy", "sklearn", "joblib", "torch", "turtle") if name in sys.modules]
print(json.dumps([[report.refused for report in reports], loaded]))
"""


def test_a_report_imports_nothing(tmp_path):
    names = {"a": ("turtle", "Turtle"), "b": ("numpy", "ndarray"), "c": ("sklearn", "os.system")}
    for name, (module, attribute) in names.items():
        text = "".join(f"\x8c{chr(len(each))}{each}\x94" for each in (module, attribute))
        (tmp_path / name).write_bytes(b"\x80\x04" + text.encode("latin-1") + b"\x93\x94.")
    run = subprocess.run(
        [sys.executable, "-c", REPORTING, *(str(tmp_path / name) for name in names)],
        capture_output=True,
        check=True,
        timeout=50,
        env={**os.environ, "MLUP_PLUGINS": "pickle"},
    )
    assert json.loads(run.stdout) == [[["turtle.Turtle"], [], ["sklearn.os.system"]], []]


def test_the_lists_of_other_plugins_are_not_needed():
    """Alone, with the lists of ``mlup-safepickle`` itself."""
    assert [each.name for each in mlup.plugins() if each.status == "ok"] == ["pickle"]
    assert mlup.load(pickle.dumps(MODEL)) == MODEL
