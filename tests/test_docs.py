"""The documentation says what is: its snippets run, its tables and headings are those of the code."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import click
import pytest

import mlup
from mlup import hookspecs
from mlup.cli import cli
from mlup.errors import MLupError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "hooks"))

import binarizer_pages  # noqa: E402
import command_pages  # noqa: E402
import docstrings  # noqa: E402
import kit_tests  # noqa: E402
import reference_parts  # noqa: E402
import repository  # noqa: E402


def _tutorial():
    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "tests" / "tutorial.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tutorial"] = module
    spec.loader.exec_module(module)
    return module


tutorial = _tutorial()

PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
FOLLOWED = "write-a-plugin.md"  # by tests/tutorial.py, in a fresh environment

BEFORE = {
    "security.md": """
        import pickle
        import mlup
        with open("model.pkl", "wb") as file:
            pickle.dump({"weights": [0.5]}, file)
        with open("refused.pkl", "wb") as file:
            pickle.dump(__import__("posix").system, file)
    """,
    "test-a-plugin.md": "import sys; sys.modules['acme'] = None",
}
"""What a page takes for granted."""

COMPILED_ONLY = {"test-a-plugin.md"}  # its classes are tests of a plugin that does not exist

ELSEWHERE = {
    'pip install "mlup-core[joblib]" scikit-learn': "noxfile.py, session wheels",
    "pip install mlup-testkit": "tests/tutorial.py",
    "pip install mlup-template": "tests/test_template.py",
    "mlup-template mlup-acme": "tests/test_template.py",
    "python -m mlup_testkit": "tests/test_confusion.py",
}
"""Commands that other tests run."""


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def blocks_of(page):
    return list(tutorial.blocks(text_of(page)))


def code_of(page):
    """A page's Python as one program, and what its comments say that is printed, in order."""
    parts, expected = [inspect.cleandoc(BEFORE.get(page, ""))], []
    for block in blocks_of(page):
        if block.language != "python" or block.title:
            continue
        parts.append(block.text)
        expected += re.findall(r"^\s*print\(.*\)  # (.*)$", block.text, re.MULTILINE)
    return "\n".join(parts), expected


def environment():
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLUP_")}
    return {**clean, "PYTHONPATH": ""}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A function: a page's folder, in which its files are and its Python was run; and what it printed."""
    made = {}

    def of(page):
        if page not in made:
            folder = tmp_path_factory.mktemp(page.replace("/", "-").removesuffix(".md"))
            for block in blocks_of(page):
                if block.title and block.language != "diff":
                    (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
                    (folder / block.title).write_text(block.text, encoding="utf-8")
            (folder / "the_page.py").write_text(code_of(page)[0], encoding="utf-8")
            made[page] = (
                folder,
                subprocess.run(
                    [sys.executable, "the_page.py"],
                    cwd=folder,
                    env=environment(),
                    capture_output=True,
                    text=True,
                    timeout=120,
                ),
            )
        return made[page]

    return of


# -- what is executed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in {FOLLOWED, *COMPILED_ONLY} and code_of(page)[0]]
)
def test_the_python_of_a_page_runs_and_prints_what_its_comments_say(place, page):
    _, done = place(page)
    assert done.returncode == 0, done.stderr
    printed, expected = done.stdout.splitlines(), code_of(page)[1]
    at = 0
    for said in expected:  # what is printed without a comment may stand between
        pattern = re.escape(said).replace("…", ".*")
        found = [n for n in range(at, len(printed)) if re.fullmatch(pattern, printed[n])]
        assert found, f"{page} says {said!r}; printed was {printed[at:]}"
        at = found[0] + 1


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_is_python(page):
    for block in blocks_of(page):
        if block.language == "python":
            compile(block.text, f"{page}:{block.line}", "exec")


def commands_of(page):
    consoles = [block for block in blocks_of(page) if block.language == "console"]
    return [step for block in consoles for step in tutorial.steps(block.text)]


@pytest.mark.parametrize("page", [page for page in PAGES if page != FOLLOWED and commands_of(page)])
def test_the_command_lines_of_a_page_work_one_after_the_other(place, page):
    folder, _ = place(page)
    for step in commands_of(page):
        if step.command in ELSEWHERE:
            continue
        words = shlex.split(step.command)
        variables = dict(word.split("=", 1) for word in words if re.match(r"MLUP_\w+=", word))
        name, *arguments = words[len(variables) :]
        assert name == "mlup", f"{step.command!r} is run by nothing; ELSEWHERE says what does"
        done = subprocess.run(
            [sys.executable, "-m", "mlup", *arguments],
            cwd=folder,
            env={**environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        said = f"$ {step.command}\n{done.stdout}"
        # The doctor of a test environment may find that something there does not fit.
        assert done.returncode in ((0, 1) if arguments[0] == "doctor" else (0,)), said
        # How wide a table is depends on what else is installed.
        printed, shown = (re.sub(r"(?<=\S) {2,}", "  ", each) for each in (done.stdout, step.shown))
        assert tutorial.fits(shown, printed), said


def test_every_command_that_runs_elsewhere_is_still_on_a_page():
    commands = {step.command for page in PAGES for step in commands_of(page)}
    assert set(ELSEWHERE) <= commands


def test_the_refusal_in_security_is_what_is_raised(place):
    folder, _ = place("security.md")
    (block,) = [each for each in blocks_of("security.md") if each.language == "pycon"]
    shown = " ".join(block.text.partition("\n")[2].split())
    with pytest.raises(mlup.UnsafeModelError) as caught:
        mlup.load(folder / "refused.pkl", "pickle")
    said = str(caught.value).replace(str(folder / "refused.pkl"), "model.pkl")
    assert shown == f"mlup.errors.UnsafeModelError: {' '.join(said.split())}"


def test_data_of_other_languages_can_be_read():
    from ruamel.yaml import YAML

    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "yaml":
                assert YAML(typ="safe").load(block.text), f"{page}:{block.line}"
            if block.language == "json":
                json.loads(block.text)


# -- the tutorial ---------------------------------------------------------------------------


def test_the_plugin_of_the_tutorial_is_short():
    own = [block for block in blocks_of(FOLLOWED) if block.section != tutorial.AFTERWARDS]
    files = {block.title: block.text for block in own if block.title}
    assert set(files) == {"oven.bin", "pyproject.toml", "mlup_kiln.py", "test_kiln.py"}
    assert len([line for line in files["mlup_kiln.py"].splitlines() if line.strip()]) < 30


def test_the_tutorials_box_on_binary_formats_works():
    examples = [block for block in blocks_of(FOLLOWED) if "example" in block.classes]
    (code,) = [block.text for block in examples if block.language == "python"]
    made = {}
    exec(compile(code, FOLLOWED, "exec"), made)
    numbers = struct.pack("<2d", 2.0, 1.0)
    header = made["HEADER"].pack(b"KILB", 1, zlib.crc32(numbers), len(numbers))

    def scored(data):
        with mlup.ModelPath.of(data) as path:
            return made["score"](path, path.head, path.tail)

    assert scored(header + numbers) == 0.95
    for data in (b"", b"KILB", header, header + numbers[:-1], b"\0" * 40):
        assert scored(data) is None
    assert made["deserialize"](mlup.LoadedFile(header + numbers)) == (2.0, 1.0)
    with pytest.raises(ValueError, match="checksum"):
        made["deserialize"](mlup.LoadedFile(header + numbers[::-1]))


def test_the_changes_in_the_tutorial_fit_its_files():
    files = {}
    for block in blocks_of(FOLLOWED):
        if block.language == "diff":
            assert tutorial.changed(files[block.title], block.text) != files[block.title]
        elif block.title:
            files[block.title] = block.text


def test_a_follower_of_the_tutorial_sees_a_difference():
    assert tutorial.fits("a ... c\n...\nz\n", "a b c\nd\ne\nz\n")
    assert tutorial.fits("", "")
    assert tutorial.fits("... [100%]\n", f"{'.' * 200} [100%]\n")
    assert not tutorial.fits(f"{'.' * 60} [99%]\n", f"{'.' * 60} [100%]\n")
    assert not tutorial.fits("", "WARNING\n")
    assert not tutorial.fits("a\n", "a\nb\n")
    assert not tutorial.fits("oven.bin: kiln 0.90 (...)\n", "oven.bin: joblib 0.90 (x)\n")
    with pytest.raises(ValueError, match="0 times"):
        tutorial.changed("a\n", "-b\n+c\n")


# -- hooks ----------------------------------------------------------------------------------

HOOKS = [name for name, each in vars(hookspecs).items() if hasattr(each, "mlup_spec")]


def test_every_hook_is_a_heading_with_its_exact_signature():
    documented = re.findall(r"^## (\w+)(\(.*) \{ #\w+ \}$", text_of("hooks.md"), re.MULTILINE)
    actual = [(name, _signature(getattr(hookspecs, name))) for name in HOOKS]
    assert sorted(documented) == sorted(actual)


def _signature(function):
    return str(inspect.signature(function)).replace("'", "")


@pytest.mark.parametrize("name", HOOKS)
def test_every_argument_of_a_hook_is_described_and_has_an_example(name):
    part = text_of("hooks.md").split(f"\n## {name}(")[1].split("\n## ")[0]
    for argument in inspect.signature(getattr(hookspecs, name)).parameters:
        assert f"- `{argument}`: " in part
    assert "**Returns**" in part
    assert f"def {name}(" in part


@pytest.mark.parametrize("kind", [mlup.ModelPath, mlup.LoadedFile])
def test_every_public_member_is_in_the_hook_reference(kind):
    part = repository.section(text_of("hooks.md"), kind.__name__)
    own = {each for each in dir(kind) if not each.startswith("_")} - set(dir(tuple))
    own |= {"size", "remembered"} if kind is mlup.ModelPath else set()
    rows = re.findall(r"^\| (.*?) \|", part, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    for line in re.findall(r"^For mlup's own use: (.*)$", part, re.MULTILINE):
        listed |= set(re.findall(r"`(\w+)`", line))
    assert listed == own


# -- the command line -----------------------------------------------------------------------


def _commands(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from _commands(command.get_command(click.Context(command), name), (*path, name))


def test_the_page_of_the_command_line_is_made_from_all_of_it():
    directive = text_of("command-line.md")
    assert ":module: command_pages" in directive
    assert ":list_subcommands: True" in directive
    shown = {path for path, _ in _commands(command_pages.cli)}
    assert shown == {path for path, _ in _commands(cli)}
    assert ("doctor",) in shown


@pytest.mark.parametrize(
    "command",
    [pytest.param(each, id=" ".join(path)) for path, each in _commands(command_pages.cli)],
)
def test_every_command_and_option_says_what_it_does(command):
    assert command.help
    assert "\b" not in command.help  # command_pages made it a code block
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


# -- JSON -----------------------------------------------------------------------------------


def _table(heading):
    part = text_of("operators.md").split(f"### {heading}\n")[1].split("\n### ")[0]
    return re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE)


def _keys(heading):
    return [key for key, _ in _table(heading)]


def _printed(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "mlup", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(place):
    return place("operators.md")[0]


def test_the_keys_of_plugins_are_those_documented(folder):
    infos = _printed(folder, "plugins", "--json")
    assert infos
    for each in infos:
        assert list(each) == _keys("mlup plugins --json")


def test_the_keys_of_one_plugin_are_those_documented(folder):
    ours = [*_keys("mlup plugins --json"), *_keys("mlup plugins NAME --json")]
    found = _printed(folder, "plugins", "joblib", "--json")
    assert list(found) == ours
    assert found["frameworks"]
    said = dict(_table("mlup plugins NAME --json"))
    assert _inner(said["frameworks"], found["frameworks"][0])


def test_the_keys_of_doctor_are_those_documented(folder):
    found = _printed(folder, "doctor", "--json")
    said = dict(_table("mlup doctor --json"))
    assert list(found) == list(said)
    assert list(found["binarizers"][0]) == _keys("mlup plugins --json")
    for key in ("mlup", "python"):
        assert _inner(said[key], found[key])
    assert _inner(said["dependencies"], found["dependencies"][0])
    from mlup.installed import Problem

    assert _inner(said["problems"], dict.fromkeys(Problem._fields))


def test_the_keys_of_detect_are_those_documented(folder):
    found = _printed(folder, "detect", "--json", "model.bin")
    said = dict(_table("mlup detect --json"))
    assert list(found) == list(said)
    assert _inner(said["candidates"], found["candidates"][0])
    missing = _printed(folder, "detect", "--json", "not-there.bin")
    assert list(missing) == [*said, "error"]


def test_the_keys_of_inspect_are_those_documented(folder):
    found = _printed(folder, "inspect", "--json", "model.bin")
    said = dict(_table("mlup inspect --json"))
    assert list(found) == list(said)
    assert _inner(said["imports"], dict.fromkeys(mlup.Import._fields))
    assert _inner(said["operations"], dict.fromkeys(mlup.Operation._fields))


def test_the_keys_of_load_are_those_documented(folder, place):
    assert list(_printed(folder, "load", "--json", "model.bin")) == _keys("mlup load --json")
    refused = _printed(place("security.md")[0], "load", "--json", "refused.pkl")
    (line,) = re.findall(
        r"^Of a file that was refused: (.*)$", text_of("operators.md"), re.MULTILINE
    )
    assert _inner(line, refused)


def test_every_status_is_documented():
    from mlup.plugin_info import PluginInfo

    rows = re.findall(r"^\| `(\w+)` \|", repository.section(text_of("operators.md"), "See"), re.M)
    assert set(rows) == set(
        re.findall(r"``(\w+)``", PluginInfo.__doc__.split("status:")[1].split("extensions:")[0])
    )


def _inner(said, found):
    """Whether the keys of an object are all named where it is described."""
    return set(found) <= set(re.findall(r"`(\w+)`", said)) | set(
        re.findall(r"what to `(\w+)`", said)
    )


# -- binarizers, the reference, the kit -----------------------------------------------------


def test_every_installed_binarizer_of_ours_has_a_page_that_says_what_it_must():
    pages = binarizer_pages.pages()
    ours = {"mlup-core", *(each.name for each in (ROOT / "plugins").glob("mlup-*"))}
    names = {info.name for info in mlup.plugins() if info.distribution in ours}
    assert set(pages) == {f"binarizers/{name}.md" for name in names}
    for path, text in pages.items():
        assert text.startswith("<!-- Generated"), path
        for heading in ("Recognised by", "Returns", "Options", "Safety"):
            assert repository.section(text, heading), f"{path} has nothing under {heading}"
        assert "does not say" not in text, path
        assert "``" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL), path
        assert not (DOCS / path).exists(), f"{path} is generated; it is not to be committed"


def test_every_public_name_is_in_the_reference():
    text = text_of("reference.md")
    asked = re.findall(r"<!-- generated: (\w+) ?(.*?) -->", text)
    generated = {name for _, names in asked for name in names.split()}
    shown = set(re.findall(r"`mlup\.(\w+)`", text)) | generated
    tree = reference_parts.errors()
    errors = {name for name in mlup.__all__ if _is_error(name)}
    assert all(f"`{name}`" in tree for name in errors)
    assert set(mlup.__all__) - errors <= shown
    for name in mlup.probe.__all__:
        if inspect.isfunction(getattr(mlup.probe, name)):
            assert f"### mlup.probe.{name}\n" in reference_parts.probes()


def _is_error(name):
    value = getattr(mlup, name)
    return isinstance(value, type) and issubclass(value, MLupError)


def test_the_reference_shows_signatures_as_they_are():
    made = reference_parts.signatures("load", "refresh")
    assert "### mlup.load" in made
    assert "refresh() -> None" in made
    for each in inspect.signature(mlup.load).parameters:
        assert f"    {each}: " in made


def test_every_test_of_the_kit_is_on_its_page_with_what_its_failure_means():
    import mlup_testkit

    listed = dict(kit_tests.tests())
    inherited = {name for name in dir(mlup_testkit.BinarizerContract) if name.startswith("test_")}
    assert set(listed) == inherited
    assert all(said.startswith("If this fails, ") for said in listed.values())
    assert "<!-- generated: tests -->" in text_of("test-a-plugin.md")


def test_docstrings_become_markdown():
    made = docstrings.markdown(
        """One ``thing``, see :class:`~mlup.Score`.

        Example::

            x = 1

        Args:
            path: where,
                and why.
        """
    )
    assert made == (
        "One `thing`, see `mlup.Score`.\n\nExample:\n\n```python\n\nx = 1\n\n```\n\n"
        "**Args**\n\n- `path`: where,\n  and why."
    )


# -- the predecessor ------------------------------------------------------------------------


def test_the_table_of_the_predecessors_names_is_complete():
    from mlup.constants import BinarizationType
    from mlup.names import BINARIZER_NAMES

    rows = re.findall(
        r"^\| `(\w+)` \| `([\w.]+)` \| `([\w-]+)` \|$", text_of("from-pymlup.md"), re.MULTILINE
    )
    assert rows == [
        (each.name, each.value, BINARIZER_NAMES[each.value]) for each in BinarizationType
    ]


def test_the_variables_are_documented():
    from mlup import environment as variables

    for each in (variables.ONLY, variables.DISABLED, variables.STRICT):
        assert f"`{each}=" in text_of("configuration.md")


# -- links and the navigation ---------------------------------------------------------------


def _anchors(text):
    ids = set(re.findall(r"^#+ .*\{ #([\w-]+) \}$", text, re.MULTILINE))
    for heading in re.findall(r"^#+ (.*?)(?: \{.*\})?$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\s-]", "", heading.lower())
        ids.add(re.sub(r"[\s-]+", "-", plain).strip("-"))
    return ids


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_lead_somewhere(page):
    made = {*binarizer_pages.pages(), *repository.PAGES.values()}
    source = repository.relinked(text_of(page), f"docs/{page}", page)
    without_code = re.sub(r"^```.*?^```$", "", source, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", without_code):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        where = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if where in made:
            continue
        assert (DOCS / where).is_file(), f"{page}: {target}"
        assert not anchor or anchor in _anchors(text_of(where)), f"{page}: {target}"


def test_every_page_is_in_the_navigation():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"([\w/-]+\.md)$", config.partition("\nnav:\n")[2], re.MULTILINE))
    assert listed == {*PAGES, *repository.PAGES.values()}


def test_the_site_asks_nobody_for_anything():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in config
    assert "strict: true" in config
    assert "http" not in config
    assert "url(" not in (DOCS / "site.css").read_text(encoding="utf-8")
