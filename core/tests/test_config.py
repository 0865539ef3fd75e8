"""Config: reads mlup's and pymlup's files, keeps what is not its own, saves all or nothing."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

import pytest

import mlup
from mlup import Config, ConfigError, registry
from mlup.constants import BinarizationType
from mlup.discovery import find_entry_points

ACME = '''"""A format for tests: the bytes ACME, then the model."""
import mlup


@mlup.hookimpl
def score(path, head, tail):
    return 0.9 if head.startswith(b"ACME") else None


@mlup.hookimpl
def deserialize(file):
    with file.open() as stream:
        return (stream.read()[4:], dict(file.options))
'''

OWN = """
class MyBinarizer:
    @staticmethod
    def deserialize(file):
        return "mine", file.path, dict(file.options)
"""


@pytest.fixture(autouse=True)
def acme(tmp_path_factory, monkeypatch):
    """One installed binarizer, acme, and a module of the user's own; nothing else scores."""
    site = tmp_path_factory.mktemp("site")
    (site / "mlup_acme_for_config.py").write_text(ACME, encoding="utf-8")
    (site / "own_for_config.py").write_text(OWN, encoding="utf-8")
    info = site / "mlup_acme_for_config-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mlup-acme-for-config\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        "[mlup.binarizers]\nacme = mlup_acme_for_config\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(site))
    for name in ("MLUP_STRICT_PLUGINS", "MLUP_PLUGINS", "MLUP_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    found = [each for each in find_entry_points() if each.name in ("memory", "acme")]
    monkeypatch.setattr(registry, "find_entry_points", lambda: found)
    mlup.refresh()
    yield
    for name in ("mlup_acme_for_config", "own_for_config"):
        sys.modules.pop(name, None)
    mlup.refresh()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model, config files beside it; the working directory is elsewhere."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "model.acme").write_bytes(b"ACMEbeside")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return beside


def written(folder, text, name="config.yaml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- loading the model, and keeping the choice ----------------------------------------------


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "config.json", "config"])
def test_a_saved_config_no_longer_says_auto(folder, name):
    text = {"config.json": '{"binarization_type": "auto", "path": "model.acme"}'}.get(
        name, "binarization_type: auto\npath: model.acme\n"
    )
    path = written(folder, text, name)
    config = Config.load(path)
    assert config.binarization_type == "auto"
    assert config.load_model() == (b"beside", {})
    assert config.binarization_type == "acme"
    assert path.read_text() == text  # nothing is written before it is asked for
    config.save()
    assert "auto" not in path.read_text()
    assert Config.load(path) == Config("acme", "model.acme")
    assert Config.load(path).load_model() == (b"beside", {})


def test_without_a_binarization_type_it_is_auto_and_is_written(folder):
    path = written(folder, "path: model.acme\nother: 1\n")
    config = Config.load(path)
    assert config.binarization_type == "auto"
    config.load_model()
    config.save()
    assert path.read_text() == "path: model.acme\nother: 1\nbinarization_type: acme\n"


@pytest.mark.parametrize("text", ["binarization_type:\npath: model.acme\n", "path: model.acme\n"])
def test_an_empty_binarization_type_is_auto(folder, text):
    assert Config.load(written(folder, text)).load_model() == (b"beside", {})


def test_a_config_made_in_python(folder):
    config = Config(path=str(folder / "model.acme"), options={"mmap_mode": "r"})
    assert config.load_model() == (b"beside", {"mmap_mode": "r"})
    assert config.binarization_type == "acme"
    config.save(folder / "new.yaml")
    assert Config.load(folder / "new.yaml") == config
    config.save(folder / "new.json")
    assert Config.load(folder / "new.json") == config


def test_a_pathlib_path_is_written_as_text(folder):
    config = Config("acme", folder / "model.acme")
    config.save(folder / "new.yaml")
    assert Config.load(folder / "new.yaml").path == str(folder / "model.acme")


def test_saving_without_a_file_says_so():
    with pytest.raises(ConfigError, match=r"save\(file\)"):
        Config().save()


def test_resolving_chooses_without_loading(folder):
    path = written(folder, "binarization_type: auto\npath: model.acme\n")
    config = Config.load(path)
    assert config.resolve() is True
    assert config.binarization_type == "acme"
    assert config.resolve() is False
    config.save()
    assert path.read_text() == "binarization_type: acme\npath: model.acme\n"


def test_resolving_what_nobody_knows(folder):
    (folder / "notes").write_bytes(b"just text")
    path = written(folder, "path: notes\n")
    config = Config.load(path)
    for call in (config.resolve, config.load_model):
        with pytest.raises(mlup.UnknownModelError, match="notes"):
            call()
    assert config.binarization_type == "auto"


def test_ones_own_import_line_stays(folder):
    text = "binarization_type: own_for_config.MyBinarizer\npath: model.acme\noptions: {a: 1}\n"
    path = written(folder, text)
    config = Config.load(path)
    assert config.load_model() == ("mine", str(folder / "model.acme"), {"a": 1})
    config.save()
    assert path.read_text() == text


def test_another_source_than_the_path(folder):
    config = Config.load(written(folder, "path: absent\n"))
    assert config.load_model(b"ACMEother") == (b"other", {})
    assert config.binarization_type == "acme"


def test_options_reach_the_binarizer_and_are_saved(folder):
    path = written(folder, "path: model.acme\noptions:\n  mmap_mode: r\n")
    config = Config.load(path)
    assert config.load_model() == (b"beside", {"mmap_mode": "r"})
    config.options["more"] = [1, 2]
    config.save()
    assert Config.load(path).options == {"mmap_mode": "r", "more": [1, 2]}
    config.options.clear()
    config.save()
    assert Config.load(path).options == {}


def test_trust_and_allow_are_read_saved_and_used(folder):
    path = written(folder, "path: model.acme\ntrust: true\nallow: [my.Name, mine.*]\n")
    config = Config.load(path)
    assert (config.trust, config.allow) == (True, ["my.Name", "mine.*"])
    config.trust = False
    config.allow.append("other.Name")
    config.save()
    again = Config.load(path)
    assert (again.trust, again.allow) == (False, ["my.Name", "mine.*", "other.Name"])
    untouched = written(folder, "path: model.acme\nbinarization_type: acme\n")
    Config.load(untouched).save()
    assert pathlib.Path(untouched).read_text() == "path: model.acme\nbinarization_type: acme\n"


@pytest.mark.parametrize(
    "line", ["trust: 'yes'", "trust: 1", "allow: my.Name", "allow: ['*']", "allow: [1]"]
)
def test_a_trust_or_allow_that_is_none_is_refused(folder, line):
    path = written(folder, f"path: model.acme\n{line}\n")
    with pytest.raises(mlup.ConfigError, match=line.partition(":")[0]):
        Config.load(path)


@pytest.mark.parametrize("member", list(BinarizationType))
def test_the_predecessors_dotted_names_become_todays(folder, member):
    for value in (member, member.value):
        assert Config(value).binarization_type == Config(member).binarization_type
        assert "." not in Config(value).binarization_type
    path = written(folder, f"binarization_type: {member.value}\npath: model.acme\n")
    config = Config.load(path)
    assert config.binarization_type == Config(member).binarization_type
    config.save()
    # It means the same, so the line stays as it was written.
    assert path.read_text() == f"binarization_type: {member.value}\npath: model.acme\n"


# -- relative paths -------------------------------------------------------------------------


def test_a_relative_path_is_beside_the_config_first(folder):
    pathlib.Path("model.acme").write_bytes(b"ACMEworking directory")
    assert Config.load(written(folder, "path: model.acme\n")).load_model()[0] == b"beside"


def test_a_relative_path_may_be_in_the_working_directory(folder):
    pathlib.Path("other.acme").write_bytes(b"ACMEworking directory")
    config = Config.load(written(folder, "path: other.acme\n"))
    assert config.load_model()[0] == b"working directory"


def test_the_predecessors_relative_path_is_in_the_working_directory_first(folder):
    text = "version: '1'\nml:\n  storage_kwargs:\n    path_to_files: model.acme\n"
    path = written(folder, text)
    assert Config.load(path).load_model()[0] == b"beside"
    pathlib.Path("model.acme").write_bytes(b"ACMEworking directory")
    assert Config.load(path).load_model()[0] == b"working directory"


def test_a_relative_path_that_is_nowhere(folder):
    config = Config.load(written(folder, "path: absent.acme\n"))
    with pytest.raises(mlup.SourceError, match=r"absent\.acme does not exist"):
        config.load_model()


def test_a_config_saved_in_another_folder_still_leads_to_its_model(folder):
    config = Config.load(written(folder, "path: model.acme\n"))
    (folder / "deeper").mkdir()
    config.save(folder / "deeper" / "copy.yaml")
    assert Config.load(folder / "deeper" / "copy.yaml").load_model()[0] == b"beside"


# -- the predecessor's files ----------------------------------------------------------------

PREDECESSOR = """\
# Written by hand.
version: '1'
ml:
  name: MyFirstModel
  type: sklearn   # kept
  storage_type: mlup.ml.storage.local_disk.DiskStorage
  storage_kwargs:
    path_to_files: {path}
    {mask}
  binarization_type: auto
  columns: null
web:
  architecture: mlup.web.architecture.directly_to_predict.DirectlyToPredictArchitecture
  host: localhost
  port: 8009
"""


def predecessor(folder, path, mask=None):
    mask = f"files_mask: '{mask}'" if mask is not None else "timeout: 5"
    return written(folder, PREDECESSOR.format(path=path, mask=mask))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_of_the_predecessors(folder, as_json):
    path = predecessor(folder, folder / "model.acme", r"(\w.-_)*\.acme")
    if as_json:
        data = {
            "version": "1",
            "ml": {
                "binarization_type": "auto",
                "storage_kwargs": {"path_to_files": str(folder / "model.acme")},
            },
            "web": {"port": 8009},
        }
        path = written(folder, json.dumps(data, indent=4), "config.json")
    before = path.read_text()
    config = Config.load(path)
    assert config.path == str(folder / "model.acme")
    assert config.load_model() == (b"beside", {})
    config.save()
    assert Config.load(path).binarization_type == "acme"
    after = path.read_text()
    changed = [
        (old, new)
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True)
        if old.split() != new.split() and "columns" not in old
    ]
    assert len(changed) == 1
    assert "auto" in changed[0][0]
    assert "acme" in changed[0][1]


def test_a_mask_picks_one_file_of_a_folder(folder):
    (folder / "notes.txt").write_bytes(b"")
    path = predecessor(folder, folder, r"\.acme$")
    assert Config.load(path).load_model()[0] == b"beside"


def test_a_mask_is_searched_for_not_matched(folder):
    assert Config.load(predecessor(folder, folder, "del")).load_model()[0] == b"beside"


def test_of_several_matches_the_first_by_name_is_taken_with_a_warning(folder, caplog):
    (folder / "a.acme").write_bytes(b"ACMEfirst")
    with caplog.at_level(logging.WARNING, "mlup"):
        assert Config.load(predecessor(folder, folder, "acme")).load_model()[0] == b"first"
    assert "2 files" in caplog.text
    assert "a.acme" in caplog.text


def test_no_file_matches(folder):
    config = Config.load(predecessor(folder, folder, r"\.onnx$"))
    with pytest.raises(mlup.ModelLoadError, match=r"No file in .* matches") as caught:
        config.load_model()
    assert str(folder) in str(caught.value)


def test_the_file_does_not_match_its_mask(folder):
    config = Config.load(predecessor(folder, folder / "model.acme", r"\.onnx$"))
    with pytest.raises(mlup.ModelLoadError, match="does not match files_mask"):
        config.load_model()


def test_a_mask_that_is_no_regular_expression(folder):
    config = Config.load(predecessor(folder, folder, "*.acme"))
    with pytest.raises(ConfigError, match=r"files_mask '\*\.acme' is no regular expression"):
        config.load_model()


def test_the_predecessors_path_is_absent(folder):
    config = Config.load(predecessor(folder, folder / "absent", "x"))
    with pytest.raises(mlup.SourceError, match="absent does not exist"):
        config.load_model()


def test_the_predecessors_path_can_be_changed(folder):
    path = predecessor(folder, "nowhere")
    config = Config.load(path)
    config.path = str(folder / "model.acme")
    config.save()
    again = Config.load(path)
    assert again.path == str(folder / "model.acme")
    assert again.load_model()[0] == b"beside"
    assert "web:" in path.read_text()


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ("storage_kwargs: 5", "storage_kwargs must be a mapping"),
        ("storage_kwargs: {path_to_files: 5}", "path_to_files must be text"),
        ("storage_type: mlup.ml.storage.s3.S3Storage", "storage_type 'mlup.ml.storage.s3"),
    ],
)
def test_a_storage_we_do_not_know(folder, kwargs, said):
    path = written(folder, f"version: '1'\nml:\n  {kwargs}\n")
    with pytest.raises(ConfigError, match=said) as caught:
        Config.load(path)
    assert str(path) in str(caught.value)


# -- what is not ours stays as it is --------------------------------------------------------

HAND_WRITTEN = {
    "comments": "# top\n\nbinarization_type: auto # why\n\n# about the path\npath: m\n# end\n",
    "four spaces": "web:\n    a: 1\n    b:\n        c: 2\n        d: [1, 2]\nbinarization_type: auto\n",
    "lists": "binarization_type: auto\na:\n- x\n- y: 1\n  z: 2\nb:\n- - 1\n  - 2\n",
    "indented lists": "binarization_type: auto\na:\n  - x\n  - y: 1\n    z: 2\nb:\n  - 1\n",
    "four spaces and lists": "binarization_type: auto\nm:\n    a:\n        - x\n        - y: 1\n",
    "quotes": "\"a\": 'x'\n'b': \"y\\n\"\nbinarization_type: auto\nc: '1'\nd: 'it''s'\n",
    "windows": "# c\r\nbinarization_type: auto\r\na:\r\n  b: 1\r\n",
    "byte order mark": "\ufeffbinarization_type: auto\na: 1\n",
    "both of them": "\ufeff# c\r\nbinarization_type: auto\r\na: 1\r\n",
    "long lines": f"binarization_type: auto\na: {'word ' * 60}end\nb: '{'word ' * 60}end'\n",
    "tags": "binarization_type: auto\na: !!python/object:os.system {}\nb: !!python/name:os.system\n",
    "anchors": "base: &base\n  x: 1\nbinarization_type: auto\nagain: *base\n",
    "text blocks": "binarization_type: auto\na: |\n  text\n   more\nb: >-\n  folded\n  more\n",
    "other letters": "имя: модель\nbinarization_type: auto\nname: 模型 😀\n",
    "numbers": "binarization_type: auto\na: 0x1F\nb: 1e-3\nc: 1_000\nd: 1.50\ne: 0o17\nf: .inf\n",
    "words": "binarization_type: auto\na: yes\nb: no\nc: on\nd: 2020-01-01\ne: 1.2.3\n",
    "flow": "binarization_type: auto\na: {x: 1, y: [1, 2]}\nb: []\nc: {}\n",
    "of the predecessor": "version: '1'\nml:\n    name: m # kept\n    binarization_type: auto\n"
    "    storage_kwargs:\n        path_to_files: m.pkl\n        files_mask: (\\w.-_)*.pkl\n",
    "a beginning mark": "---\nbinarization_type: auto\na: 1\n",
    "a beginning mark and a comment": "# licence\n---\n# about\nbinarization_type: auto\na: 1\n",
    "an end mark": "binarization_type: auto\na: 1\n...\n",
    "merged mappings": "base: &base\n  x: 1\nbinarization_type: auto\nb:\n  <<: *base\n  y: 2\n",
    "nulls": "binarization_type: auto\na: null\nb: ~\nc:\n",
    "booleans": "binarization_type: auto\na: True\nb: FALSE\n",
    "times": "binarization_type: auto\na: 2020-01-01T10:00:00Z\nb: 2020-01-01 10:00:00\n",
    "columns": "binarization_type: auto   # why\npath:              m\nother:    5\n",
    "uneven indents": "binarization_type: auto\na:\n  b: 1\nc:\n    d: 1\ne:\n- 1\nf:\n  - 1\n",
    "a folded line": 'binarization_type: auto\na: some words\n  and more\nb: "words\n  and more"\n',
    "no newline at the end": "a: 1\nbinarization_type: auto",
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_only_the_own_line_changes(folder, name):
    before = HAND_WRITTEN[name].encode()
    path = written(folder, before)
    config = Config.load(path)
    config.binarization_type = "acme"
    config.save()
    assert path.read_bytes() == before.replace(b"type: auto", b"type: acme")


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_every_key_keeps_its_meaning(folder, name):
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor

    class Constructor(SafeConstructor):
        """What a tag stands for is not built, only compared."""

    Constructor.add_multi_constructor("", lambda loader, tag, node: [tag, str(node.value)])
    path = written(folder, HAND_WRITTEN[name])
    config = Config.load(path)
    config.binarization_type = "acme"
    config.save()

    def meaning(text):
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = Constructor
        return yaml.load(text.replace("type: auto", "type: acme"))

    assert meaning(path.read_bytes().decode("utf-8-sig")) == meaning(
        HAND_WRITTEN[name].removeprefix("\ufeff")
    )


def test_a_config_that_did_not_change_is_written_as_it_was(folder):
    text = "# c\nbinarization_type:  'acme'\npath: model.acme\n"
    path = written(folder, text)
    Config.load(path).save()
    assert path.read_text().split() == text.split()


@pytest.mark.parametrize("times", [2, 3])
def test_saving_twice_is_saving_once(folder, times):
    path = written(folder, HAND_WRITTEN["four spaces"])
    config = Config.load(path)
    config.binarization_type = "acme"
    config.save()
    once = path.read_bytes()
    for _ in range(times):
        config.save()
        Config.load(path).save()
    assert path.read_bytes() == once


TRAP = "path: model.acme\nx: !!python/object/apply:os.mkdir ['{}']\n"


def test_a_tag_is_never_constructed(folder):
    path = written(folder, TRAP.format(folder / "built"))
    config = Config.load(path)
    config.load_model()
    config.save()
    assert not (folder / "built").exists()
    assert "!!python/object/apply:os.mkdir" in path.read_text()


@pytest.mark.parametrize("indent", [2, 4])
def test_json_keeps_its_other_keys_in_their_order(folder, indent):
    data = {"z": 1, "path": "model.acme", "ü": ["a", {"b": None}], "binarization_type": "auto"}
    path = written(folder, json.dumps(data, indent=indent, ensure_ascii=False) + "\n", "c.json")
    config = Config.load(path)
    config.load_model()
    config.save()
    data["binarization_type"] = "acme"
    assert path.read_text("utf-8") == json.dumps(data, indent=indent, ensure_ascii=False) + "\n"


def test_yaml_can_be_saved_as_json_and_back(folder):
    text = "binarization_type: acme\nother:\n  - 1\n  - two\n  - 3.5\n  - true\nnothing: null\n"
    config = Config.load(written(folder, text))
    config.save(folder / "c.json")
    data = json.loads((folder / "c.json").read_text())
    assert data == {
        "binarization_type": "acme",
        "other": [1, "two", 3.5, True],
        "nothing": None,
    }
    config.save(folder / "back.yaml")
    assert Config.load(folder / "back.yaml").binarization_type == "acme"
    assert "{" not in (folder / "back.yaml").read_text()


# -- all or nothing -------------------------------------------------------------------------


def loaded(folder, text="binarization_type: auto # old\n"):
    path = written(folder, text)
    config = Config.load(path)
    config.binarization_type = "acme"
    return path, config


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(folder, monkeypatch, call):
    path, config = loaded(folder)
    before = sorted(os.listdir(folder))

    def failing(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(ConfigError, match="No space left") as caught:
            config.save()
    assert str(path) in str(caught.value)
    assert path.read_text() == "binarization_type: auto # old\n"
    assert sorted(os.listdir(folder)) == before
    config.save()  # and it can be tried again
    assert path.read_text() == "binarization_type: acme # old\n"


def test_an_interrupted_save_leaves_nothing_behind(folder, monkeypatch):
    path, config = loaded(folder)
    before = sorted(os.listdir(folder))

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            config.save()
    assert path.read_text() == "binarization_type: auto # old\n"
    assert sorted(os.listdir(folder)) == before


KILLED = """
import os, signal, sys
from mlup import Config

config = Config.load(sys.argv[1])
config.binarization_type = "acme"
setattr(os, sys.argv[2], lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
config.save()
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_killed_process_leaves_the_old_file(folder, call):
    text = "binarization_type: auto # old\n" + "# more\n" * 5000
    path = written(folder, text)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), call], check=False, timeout=60)
    assert ended.returncode < 0
    assert path.read_text() == text
    assert Config.load(path).binarization_type == "auto"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_the_mode_is_kept(folder, mode):
    path, config = loaded(folder)
    path.chmod(mode)
    config.save()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_mode(folder):
    before = os.umask(0o027)
    try:
        Config("acme").save(folder / "new.yaml")
        (folder / "usual").write_text("")
        usual = stat.S_IMODE((folder / "usual").stat().st_mode)
        assert stat.S_IMODE((folder / "new.yaml").stat().st_mode) == usual == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@pytest.mark.parametrize("relative", [False, True])
def test_a_link_stays_a_link(folder, relative):
    path, _ = loaded(folder)
    link = folder / "link.yaml"
    link.symlink_to(path.name if relative else path)
    config = Config.load(link)
    config.binarization_type = "acme"
    config.save()
    assert link.is_symlink()
    assert not path.is_symlink()
    assert path.read_text() == "binarization_type: acme # old\n"


READ_ONLY = """
import os, sys
from mlup import Config

config = Config.load(sys.argv[1])
config.binarization_type = "acme"
config.save(sys.argv[2])  # imports what is imported lazily
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    config.save(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_folder_that_cannot_be_written_to(tmp_path):
    open_folder = pathlib.Path(tempfile.mkdtemp())
    try:
        path = written(open_folder, "binarization_type: auto\n")
        path.chmod(0o644)
        open_folder.chmod(0o555)
        said = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path), str(tmp_path / "other.yaml")],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        assert said.startswith(f"ConfigError The configuration {path} was not saved")
        assert path.read_text() == "binarization_type: auto\n"
        assert os.listdir(open_folder) == ["config.yaml"]
    finally:
        open_folder.chmod(0o755)
        shutil.rmtree(open_folder)


def test_a_folder_that_is_not_there(folder):
    _, config = loaded(folder)
    with pytest.raises(ConfigError, match="absent"):
        config.save(folder / "absent" / "config.yaml")


def test_a_folder_cannot_be_replaced_by_a_config(folder):
    _, config = loaded(folder)
    (folder / "sub").mkdir()
    with pytest.raises(ConfigError, match="sub"):
        config.save(folder / "sub")
    assert (folder / "sub").is_dir()


class Foreign:
    """A value that no file can hold."""


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
@pytest.mark.parametrize(
    "value", [Foreign(), [Foreign()], {"deep": Foreign()}, lambda: 0], ids=["1", "2", "3", "4"]
)
def test_a_value_that_cannot_be_written_changes_nothing(folder, name, value):
    text = '{"binarization_type": "auto"}'
    path = written(folder, text, name)
    config = Config.load(path)
    config.options["device"] = value
    before = sorted(os.listdir(folder))
    with pytest.raises(ConfigError):
        config.save()
    assert path.read_text() == text
    assert sorted(os.listdir(folder)) == before
    del config.options["device"]
    config.binarization_type = "acme"
    config.save()
    assert Config.load(path) == Config("acme")


def test_half_a_surrogate_is_written_escaped_or_not_at_all(folder):
    text = '{"path": "model.acme"}'
    for name in ("config.yaml", "config.json"):
        path = written(folder, text, name)
        config = Config.load(path)
        config.options["device"] = "\ud800"
        try:
            config.save()
        except ConfigError:
            assert path.read_text() == text
        else:
            assert Config.load(path).options == {"device": "\ud800"}


def test_a_binarization_type_of_a_wrong_type_is_not_saved(folder):
    path, config = loaded(folder)
    config.binarization_type = 5
    with pytest.raises(ConfigError, match="not a number"):
        config.save()
    assert path.read_text() == "binarization_type: auto # old\n"


# -- what is no config ----------------------------------------------------------------------

NO_CONFIG = {
    "not YAML": ("a: [1, 2\nb: }", "not valid YAML"),
    "not YAML either": ("a: 1\n b: 2\n", "not valid YAML"),
    "a tab": ("a:\n\tb: 1\n", "not valid YAML"),
    "twice the same key": ("path: a\npath: b\n", "not valid YAML"),
    "not UTF-8": (b"path: gr\xfcn\n", "not UTF-8"),
    "UTF-16": ("path: a\n".encode("utf-16"), "not UTF-8"),
    "a pickle": (b"\x80\x04\x95\x05\0\0\0\0\0\0\0]\x94K\x01a.", "not UTF-8"),
    "a list": ("- a\n- b\n", "expected a mapping"),
    "a word": ("auto\n", "expected a mapping"),
    "a number": ("5\n", "expected a mapping"),
    "options that are a list": ("options: [1]\n", "options must be a mapping"),
    "options that are text": ("options: fast\n", "options must be a mapping"),
    "a path that is a number": ("path: 5\n", "path must be text"),
    "a path that is a list": ("path: [a]\n", "path must be text"),
    "a path that is a mapping": ("path: {a: b}\n", "path must be text"),
    "a type that is a number": ("binarization_type: 5\n", "binarization_type"),
    "a type that is a list": ("binarization_type: [auto]\n", "binarization_type"),
    "a type that is a mapping": ("binarization_type: {a: b}\n", "binarization_type"),
    "an unknown anchor": ("a: *b\n", "not valid YAML"),
    "control characters": ("a: \x01\n", "not valid YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "not valid YAML"),
}


@pytest.mark.parametrize("name", NO_CONFIG)
def test_what_is_no_config(folder, name):
    content, said = NO_CONFIG[name]
    path = written(folder, content)
    with pytest.raises(ConfigError, match=said) as caught:
        Config.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ['{"a": 1', "{'a': 1}", "[1]", "5", "path: a\n", ""])
def test_what_is_no_json(folder, text):
    path = written(folder, text, "config.json")
    with pytest.raises(ConfigError) as caught:
        Config.load(path)
    assert str(path) in str(caught.value)


def test_a_comment_alone_is_kept(folder):
    path = written(folder, "# only a comment\n")
    config = Config.load(path)
    config.binarization_type = "acme"
    config.save()
    assert path.read_text() == "# only a comment\nbinarization_type: acme\n"


def test_an_empty_file_is_an_empty_config(folder):
    for text in ("", "# only a comment\n"):
        path = written(folder, text)
        config = Config.load(path)
        assert config == Config()
        with pytest.raises(ConfigError, match="names no model"):
            config.load_model()


def test_a_deeply_nested_file_is_refused(folder):
    for name in ("config.yaml", "config.json"):
        path = written(folder, "[" * (600 if name == "config.yaml" else 200_000), name)
        with pytest.raises(ConfigError) as caught:
            Config.load(path)
        assert str(path) in str(caught.value)


def test_a_file_that_is_too_long_is_not_read(folder):
    path = folder / "config.yaml"
    with open(path, "wb") as stream:
        stream.truncate(10 << 30)
    with pytest.raises(ConfigError, match="longer than"):
        Config.load(path)


@pytest.mark.parametrize("name", ["absent.yaml", "", "a\0b"])
def test_a_config_that_is_not_there(folder, name):
    with pytest.raises(ConfigError, match=r"does not exist|cannot be read|not a file") as caught:
        Config.load(os.path.join(folder, name) if name else "")
    assert repr(name)[1:-1] in str(caught.value)


def test_a_config_that_is_a_folder(folder):
    with pytest.raises(ConfigError, match="is not a file") as caught:
        Config.load(folder)
    assert str(folder) in str(caught.value)


def test_a_config_that_is_a_pipe_does_not_block(folder):
    os.mkfifo(folder / "config.yaml")
    code = (
        "import sys, mlup\n"
        "try: mlup.Config.load(sys.argv[1])\n"
        "except mlup.ConfigError as error: print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(folder / "config.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "config.yaml is not a file" in said


@pytest.mark.parametrize("text", ["{}", "path:\n", "path: ''\n", "options: {a: 1}\n"])
def test_a_config_without_a_path(folder, text):
    path = written(folder, text)
    config = Config.load(path)
    for call in (config.load_model, config.resolve):
        with pytest.raises(ConfigError, match="names no model: set path:") as caught:
            call()
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-such-binarizer", "No binarizer is called 'no-such-binarizer'"),
        ("acne", "Did you mean 'acme'"),
        ("lightgbm", r"pip install 'mlup-core\[lightgbm\]'"),
        (BinarizationType.ONNX_INFERENCE_SESSION.value, r"pip install 'mlup-core\[onnx\]'"),
        ("no_such_module.MyBinarizer", "no_such_module"),
        ("own_for_config.NoSuchClass", "NoSuchClass"),
    ],
)
def test_a_binarizer_that_is_not_to_be_had(folder, name, said):
    path = written(folder, f"binarization_type: {name}\npath: model.acme\n")
    config = Config.load(path)
    with pytest.raises(mlup.ModelLoadError, match=said) as caught:
        config.load_model()
    assert isinstance(caught.value, mlup.BinarizerNotFoundError)
    config.save()
    assert path.read_text() == f"binarization_type: {name}\npath: model.acme\n"


def test_the_error_for_a_binarizer_names_the_config(folder):
    path = written(folder, "binarization_type: lightgbm\npath: model.acme\n")
    with pytest.raises(mlup.ModelLoadError, match="pip install") as caught:
        Config.load(path).load_model()
    assert str(path) in str(caught.value)


def test_a_mask_that_is_no_regular_expression_names_the_config(folder):
    path = predecessor(folder, folder, "*.acme")
    with pytest.raises(ConfigError) as caught:
        Config.load(path).load_model()
    assert str(path) in str(caught.value)


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("binarization_type: auto\npath: model.acme\n")
    config = Config.load(path)
    path.write_text("binarization_type: auto\npath: model.acme\nedited_by_hand: 1\n")
    config.binarization_type = "acme"
    with pytest.raises(ConfigError, match="changed by somebody else"):
        config.save()
    assert "edited_by_hand" in path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]


def test_a_config_may_be_saved_again_and_again(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# about\nbinarization_type: auto\n")
    config = Config.load(path)
    for name in ("one", "two", "three"):
        config.binarization_type = name
        config.save()
        assert path.read_text() == f"# about\nbinarization_type: {name}\n"


@pytest.mark.parametrize(
    "number", ["3.14159265358979323846", "1e400", "1.10", "0.1", "1E5", "-0.0"]
)
def test_json_numbers_stay_as_they_were_written(tmp_path, number):
    path = tmp_path / "config.json"
    path.write_text(f'{{\n  "binarization_type": "auto",\n  "other": [{number}]\n}}\n')
    config = Config.load(path)
    config.binarization_type = "acme"
    config.save()
    assert number in path.read_text()
    json.loads(path.read_text())


def test_a_json_key_that_stands_there_twice_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"path": "a", "path": "b"}')
    with pytest.raises(ConfigError, match="'path' stands there twice"):
        Config.load(path)


def test_aliases_that_multiply_are_refused(tmp_path):
    path = tmp_path / "config.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="aliases"):
        Config.load(path)


@pytest.mark.parametrize("mask", ["'a{99999999999999999999}'", "'" + "(" * 3000 + "'"])
def test_a_mask_that_python_cannot_compile_is_a_config_error(tmp_path, mask):
    path = tmp_path / "config.yaml"
    path.write_text(
        f"ml:\n  storage_kwargs:\n    path_to_files: {tmp_path}\n    files_mask: {mask}\n"
    )
    with pytest.raises(ConfigError, match="no regular expression"):
        Config.load(path).load_model()


def test_a_config_is_never_written_over_a_device_or_a_pipe(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="not a regular file"):
        Config("acme").save(pipe)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def test_a_choice_that_was_made_is_checked(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("binarization_type: pikle\npath: model.acme\n")
    with pytest.raises(
        mlup.BinarizerNotFoundError, match="No binarizer is called 'pikle'"
    ) as caught:
        Config.load(path).resolve()
    assert str(path) in str(caught.value)
