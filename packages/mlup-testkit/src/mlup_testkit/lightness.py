"""Does it cost nothing to have it installed: what is imported, opened and read while it scores."""

from __future__ import annotations

from mlup_testkit import golden
from mlup_testkit.asking import Scored, cost_of_import, scored_in_a_fresh_process
from mlup_testkit.author import Author
from mlup_testkit.samples import Upload
from mlup_testkit.subject import Subject

FRAMEWORKS = frozenset(
    [
        "catboost",
        "cloudpickle",
        "coremltools",
        "dask",
        "dill",
        "flax",
        "gguf",
        "google",
        "h5py",
        "jax",
        "joblib",
        "keras",
        "lightgbm",
        "lz4",
        "matplotlib",
        "numpy",
        "onnx",
        "onnxruntime",
        "pandas",
        "paddle",
        "polars",
        "pyarrow",
        "safetensors",
        "scipy",
        "skl2onnx",
        "sklearn",
        "skops",
        "spacy",
        "tensorflow",
        "tf_keras",
        "tokenizers",
        "torch",
        "transformers",
        "xgboost",
    ]
)
"""What has no business in a process that only detects, whatever a plugin lists as required."""

TIMES_MLUP = 1.0
"""What importing a plugin may cost, as a multiple of what importing mlup costs."""

_LARGE = 4 * 1024 * 1024


class Lightness(Author):
    """What it costs to have the plugin installed, for files that are another's."""

    def test_nothing_heavy_is_imported(self, subject: Subject) -> None:
        """If this fails, importing your plugin, or scoring with it, imports a framework.

        Every ``mlup detect`` of any file pays for it. Import inside ``deserialize``, only there::

            @mlup.hookimpl
            def deserialize(file):
                import acme

        If the framework itself ships the plugin, it is here whenever the plugin is: leave it out
        of ``requires``, and keep the import of its package light.
        """
        required = {name.partition(".")[0] for name in subject.info.requires}
        _ = subject.plugin
        found = _report(subject).modules
        heavy = sorted(found & (FRAMEWORKS | required))
        assert not heavy, f"imported without a load: {', '.join(heavy)}"

    def test_importing_it_is_cheap(self, subject: Subject) -> None:
        """If this fails, importing your plugin costs more than importing mlup itself.

        Every start of ``mlup`` pays for it. Do not compute, read files or compile patterns at the
        top of the module; import what ``score`` rarely needs where it needs it.
        ``python -X importtime -c "import mlup_acme"`` shows where the time goes.
        """
        _ = subject.plugin
        module = subject.info.entry_point.partition(":")[0].strip()
        mine, core = cost_of_import(module)
        assert mine <= TIMES_MLUP * core, (
            f"importing {module} took {mine * 1000:.1f} ms of processor time, importing mlup "
            f"{core * 1000:.1f} ms (the best of several tries each)"
        )

    def test_score_opens_no_file(self, subject: Subject) -> None:
        """If this fails, ``score`` opened a file itself.

        What it is asked about may be bytes in memory, an upload, or a remote object, and what it
        reads is bounded: use ``head``, ``tail``, ``path.read_at(offset, n)``, and for folders
        ``path.members()`` and ``path.member(name)``.
        """
        _ = subject.scorer
        opened = _report(subject).opened
        assert not opened, "while scoring:\n" + "\n".join(opened[:10])

    def test_score_reads_little_of_a_large_file(self, subject: Subject) -> None:
        """If this fails, ``score`` reads more the larger the file is, past the limit of 1 MiB.

        Its answer is void then. Read where the structure is, in pieces whose size is yours, not the
        file's: ``path.read_at(0, path.size)`` is what this test is against.
        """
        _ = subject.scorer
        for sample in subject.samples:
            for path in sample.files():
                data = path.read_bytes()
                fill = (data * (_LARGE // (len(data) or 1)))[:_LARGE]
                for large in (
                    data + bytes(_LARGE),
                    data + fill,
                    data[: len(data) // 2] + fill + data,
                ):
                    found = subject.ask(Upload(large, path.name))
                    assert found.problem is None, f"{path.name}, made longer: {found.problem}"

    def test_score_says_the_same_of_bytes(self, subject: Subject) -> None:
        """If this fails, ``score`` says something else of bytes than of the file they are in.

        Do not ask whether the path exists, and do not look beside the file for what is in it.
        """
        _ = subject.scorer
        for sample in subject.samples:
            if not sample.is_dir:
                on_disk, data = subject.ask(sample.path), sample.data()
                as_bytes = subject.ask(Upload(data, sample.name))
                assert on_disk == as_bytes, f"{sample.name}: {on_disk}, as bytes {as_bytes}"


def _report(subject: Subject) -> Scored:
    """Scored once for both tests."""

    def score() -> Scored:
        paths = [row.file for row in golden.rows()]
        if subject.info.status == "ok":
            paths += [sample.path for sample in subject.samples]
        return scored_in_a_fresh_process(subject.name, paths)

    return subject.remember("scored", score)
