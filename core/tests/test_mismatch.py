"""A name that promises another format than the content holds is worth one warning."""

from __future__ import annotations

import logging

import pytest

import mlup


@pytest.fixture
def formats(site):
    """Two formats, one of which lists an extension that says nothing too."""
    for name, mark, extensions in (
        ("acme", b"ACME", (".acme", ".ac", ".bin")),
        ("other", b"OTHER", (".other",)),
    ):
        site.plugin(
            name,
            f"return 0.9 if head.startswith({mark!r}) else None",
            top=f"extensions = {extensions!r}",
        )


@pytest.mark.parametrize(
    ("name", "data", "promised"),
    [
        ("m.acme", b"OTHER", "acme"),
        ("m.AC", b"OTHER", "acme"),
        ("m.other", b"ACME", "other"),
        ("m.onnx", b"ACME", "onnx"),  # not installed, and still a promise
        ("m.pt", b"ACME", "torch or torch-jit"),
        ("m.safetensors", b"ACME", "safetensors"),  # not installed here, and still a promise
        ("m.acme", b"ACME", None),
        ("m.bin", b"OTHER", None),  # listed by acme, and promises nothing
        ("m.txt", b"OTHER", None),
        ("m", b"OTHER", None),
        ("m.new", b"OTHER", None),
        (".acme", b"OTHER", None),
    ],
)
@pytest.mark.usefixtures("formats")
def test_a_mismatch_is_said(tmp_path, caplog, name, data, promised):
    path = tmp_path / name
    path.write_bytes(data)
    detection = mlup.detect(path)
    with caplog.at_level(logging.WARNING, "mlup"):
        mlup.load(path)
    if promised is None:
        assert detection.mismatch is None
        assert not caplog.records
    else:
        best = detection.best.binarizer
        assert (
            detection.mismatch
            == f"its name ({path.suffix.lower()}) says {promised}, its content {best}"
        )
        assert [each.getMessage() for each in caplog.records] == [f"{path}: {detection.mismatch}"]


@pytest.mark.usefixtures("formats")
def test_nothing_is_said_of_what_nobody_claims_or_what_has_no_name(tmp_path):
    (tmp_path / "m.acme").write_bytes(b"neither")
    assert mlup.detect(tmp_path / "m.acme").mismatch is None
    assert mlup.detect(b"ACME").mismatch is None


@pytest.mark.parametrize(("other", "warned"), [("pair", False), ("alone", True)])
def test_another_reading_of_the_same_format_is_no_contradiction(
    site, tmp_path, caplog, other, warned
):
    """A binarizer without a score, of the distribution whose binarizer claims the file."""
    claims = "import mlup\n@mlup.hookimpl\ndef score(path, head, tail):\n    return 0.95\n"
    loads = "import mlup\n@mlup.hookimpl\ndef deserialize(file):\n    return 'all of it'\n"
    own = {"plain": "mlup_plain"} | ({"other": "mlup_other"} if other == "pair" else {})
    modules = {"mlup_plain": claims + loads.partition("\n")[2], "mlup_other": loads}
    site.distribution("mlup-plain", own, modules)
    if other == "alone":
        site.distribution("mlup-foreign", {"other": "mlup_other"})
    (tmp_path / "m").write_bytes(b"PLAIN")
    with caplog.at_level(logging.WARNING, "mlup"):
        assert mlup.load(tmp_path / "m", "other") == "all of it"
    assert bool(caplog.records) is warned
