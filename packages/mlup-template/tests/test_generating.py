"""What ``mlup-template`` writes, refuses and says. Copier runs as a program, as it does for users."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlup_template import TEMPLATE, TemplateError, generate
from mlup_template.asking import QUESTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))

TREE = {
    ".github/workflows/ci.yml",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "src/mlup_acme/__init__.py",
    "src/mlup_acme/py.typed",
    "tests/test_contract.py",
}


def run(folder: Path, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlup_template", str(folder), *options]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, input=typed)


def generated(folder: Path, *options: str) -> Path:
    done = run(folder, "--defaults", *options)
    assert done.returncode == 0, done.stderr
    return folder


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def acme(tmp_path_factory) -> Path:
    return generated(tmp_path_factory.mktemp("made") / "mlup-acme")


def files(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def test_it_writes_the_official_tree(acme):
    assert files(acme) == TREE


def test_the_folders_name_answers_for_the_rest(acme):
    project = tomllib.loads(read(acme / "pyproject.toml"))["project"]
    assert project["name"] == "mlup-acme"
    assert project["entry-points"] == {"mlup.binarizers": {"acme": "mlup_acme"}}
    assert project["dependencies"] == ["mlup-core>=0.1"]
    assert project["keywords"] == ["mlup", "acme", "model"]  # as publish-a-plugin.md says
    assert project["optional-dependencies"] == {"test": ["mlup-testkit", "pytest"]}
    assert 'extensions: Final = (".acme",)' in read(acme / "src/mlup_acme/__init__.py")


def test_the_binarizer_is_under_sixty_lines_and_the_test_under_thirty_five(acme):
    assert len(read(acme / "src/mlup_acme/__init__.py").splitlines()) < 60
    assert len(read(acme / "tests/test_contract.py").splitlines()) < 35


def test_what_is_to_be_replaced_is_marked(acme):
    marked = {name for name in files(acme) if "REPLACE" in read(acme / name)}
    assert marked == {"README.md", "src/mlup_acme/__init__.py", "tests/test_contract.py"}


def after_the_mark(text: str) -> str:
    return text.split("REPLACE", 1)[1]


def test_no_statement_about_safety_is_without_a_mark(acme):
    source = ast.parse(code := read(acme / "src/mlup_acme/__init__.py"))
    bodies = {
        node.name: ast.get_source_segment(code, node) or ""
        for node in source.body
        if isinstance(node, ast.FunctionDef)
    }
    assert "imports and runs nothing" in after_the_mark(bodies["inspect"])
    assert "head.startswith(MAGIC)" in after_the_mark(bodies["score"])
    (safe_list,) = [line for line in code.splitlines() if line.startswith("safe_list")]
    assert "REPLACE" in safe_list
    safety = read(acme / "README.md").split("## Safe loading\n")[1].split("\n## ")[0]
    assert "runs nothing" in after_the_mark(safety)


def test_a_framework_that_the_made_up_format_does_not_need_is_marked(tmp_path):
    folder = generated(tmp_path / "mlup-acme", "--framework", "numpy")
    lines = read(folder / "src/mlup_acme/__init__.py").splitlines()
    at = lines.index('requires: Final = ("numpy",)')
    assert lines[at - 1].startswith("# REPLACE: ")


def test_no_placeholder_is_left(acme):
    for name in files(acme):
        text = read(acme / name).replace("${{ matrix.python }}", "")
        assert not any(mark in text for mark in ("{{", "{%", "{#")), name
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), name


def test_the_workflow_tests_every_python_and_publishes_tags_without_a_token(acme):
    jobs = yaml.safe_load(read(acme / ".github/workflows/ci.yml"))["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    assert "${{ matrix.python }}" in read(acme / ".github/workflows/ci.yml")
    assert jobs["publish"]["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert jobs["publish"]["needs"] == ["test", "check", "build"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


ODD = {
    "a dash": {"name": "acme-trees", "class": "TestAcmeTrees"},
    "a digit": {"name": "a2b", "extension": ".2.a-b_c+d"},
    "a word of YAML": {"name": "true", "description": "[1, 2]", "author": "123"},
    "a word of Python": {"name": "class", "framework": "lambda_.def_", "package": "lambda"},
    "quotes": {
        "author": 'Zoë "Q" O\'Néil \\ 😀, Ltd',
        "description": "Modèles d'«Acme» & <b>...  ",
    },
    "no framework": {"framework": ""},
    "a framework": {"framework": "acme.models", "package": "acme-cpu[all]>=2,<3"},
    "a framework by many names": {"framework": "acme", "package": ""},
}


@pytest.mark.parametrize("answers", ODD.values(), ids=ODD)
def test_odd_answers_give_valid_files(tmp_path, answers):
    answers = {"name": "acme", **answers}
    class_name = answers.pop("class", None)
    options = [part for name, value in answers.items() for part in (f"--{name}", value)]
    folder = generated(tmp_path / "made", *options)
    module = "mlup_" + answers["name"].replace("-", "_")

    project = tomllib.loads(read(folder / "pyproject.toml"))
    assert project["project"]["name"] == f"mlup-{answers['name']}"
    entry_points = project["project"]["entry-points"]["mlup.binarizers"]
    assert entry_points == {answers["name"]: module}
    needed = [answers["package"]] if answers.get("package") else []
    assert project["project"]["dependencies"] == ["mlup-core>=0.1", *needed]
    yaml.safe_load(read(folder / ".github/workflows/ci.yml"))

    source = ast.parse(read(folder / f"src/{module}/__init__.py"))
    ast.parse(read(folder / "tests/test_contract.py"))
    named = {node.target.id: node.value for node in source.body if isinstance(node, ast.AnnAssign)}
    framework = answers.get("framework")
    assert ast.literal_eval(named["requires"]) == ((framework,) if framework else ())
    assert ast.literal_eval(named["extensions"]) == (
        answers.get("extension", f".{answers['name']}"),
    )
    if "description" in answers:
        said = answers["description"].strip().rstrip(".")
        assert ast.get_docstring(source) == f"{said}."
        assert project["project"]["description"] == f"mlup binarizer: {said}"
    if "author" in answers:
        assert project["project"]["authors"] == [{"name": answers["author"]}]
        assert answers["author"] in read(folder / "LICENSE")
    if class_name:
        assert f"class {class_name}(BinarizerContract)" in read(folder / "tests/test_contract.py")


REFUSED = {
    "capitals": ("name", "Acme", "lower-case letters and digits"),
    "an underscore": ("name", "acme_trees", "joined by single dashes"),
    "a digit first": ("name", "3d", "a letter first"),
    "a colon": ("name", "acme:trees", "lower-case letters"),
    "a newline": ("name", "acme\n", "lower-case letters"),
    "two dashes": ("name", "acme--trees", "single dashes"),
    "a letter of another script": ("name", "акме", "lower-case letters"),
    "nothing": ("name", "", "lower-case letters"),
    "an official distribution": ("name", "testkit", "taken, it is the distribution mlup-testkit"),
    "an official binarizer": ("name", "torch-jit", "taken, it is a binarizer of mlup-torch"),
    "core's binarizer": ("name", "memory", "taken, it is a binarizer of mlup-core"),
    "the choice": ("name", "auto", "taken, it stands for the choice among all binarizers"),
    "quotes in a docstring": ("description", 'the "best"', "without double quotes"),
    "one word": ("description", "Acme", "two words or more"),
    "a line break": ("description", "one\ntwo", "one line"),
    "an extension without a dot": ("extension", "acme", "a dot, then"),
    "an extension in capitals": ("extension", ".ACME", "lower-case"),
    "no import name": ("framework", "acme-trees", "what stands after import"),
    "no requirement": ("package", 'acme"; evil', "such as acme or acme>=2"),
    "nobody": ("author", "  ", "a licence needs somebody"),
}


@pytest.mark.parametrize(("question", "answer", "said"), REFUSED.values(), ids=REFUSED)
def test_a_bad_answer_is_refused_with_what_is_allowed(tmp_path, question, answer, said):
    answers = {question: answer}
    if question == "package":
        answers["framework"] = "acme"
    with pytest.raises(TemplateError) as refused:
        generate(tmp_path / "mlup-acme", answers)
    assert str(refused.value).startswith(f"{question}: such as ")
    assert said in str(refused.value)
    assert not (tmp_path / "mlup-acme").exists()


def test_an_error_is_a_message_without_a_traceback(tmp_path):
    done = run(tmp_path / "mlup-acme", "--defaults", "--name", "Acme")
    assert done.returncode == 1
    assert done.stderr.startswith('mlup-template: name: such as acme or acme-trees, not "Acme": ')
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("Nothing was written.\n")


def test_a_folder_whose_name_is_no_name_asks_for_one(tmp_path):
    done = run(tmp_path / "My Format", "--defaults")
    assert done.returncode == 1
    assert "The folder's name (My Format) was taken for it" in done.stderr
    generated(tmp_path / "My Format", "--name", "mine")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mlup-acme").mkdir()
    (tmp_path / "mlup-acme" / "README.md").write_text("mine")
    done = run(tmp_path / "mlup-acme", "--defaults")
    assert done.returncode == 1
    assert "not empty (README.md)" in done.stderr
    assert files(tmp_path) == {"mlup-acme/README.md"}


def test_a_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "mlup-acme").write_text("mine")
    done = run(tmp_path / "mlup-acme", "--defaults")
    assert done.returncode == 1
    assert "is no folder" in done.stderr


def test_an_empty_repository_is_filled(tmp_path):
    (tmp_path / "mlup-acme" / ".git").mkdir(parents=True)
    assert files(generated(tmp_path / "mlup-acme")) == TREE


def test_it_says_what_is_next_and_nothing_else(tmp_path):
    done = run(tmp_path / "my plugin", "--defaults", "--name", "acme")
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert said[0].startswith(f"mlup-acme is in {tmp_path / 'my plugin'}. ")
    quoted = subprocess.list2cmdline if sys.platform == "win32" else shlex.join
    assert said[2] == f"  cd {quoted([str(tmp_path / 'my plugin')])}"
    assert len(said) == 9


def test_nobody_to_answer_is_told_how_to_do_without(tmp_path):
    done = run(tmp_path / "mlup-acme")
    assert done.returncode == 1
    assert "--defaults" in done.stderr
    assert not (tmp_path / "mlup-acme").exists()


def test_what_is_typed_is_the_answer_and_enter_takes_the_default(tmp_path):
    done = run(tmp_path / "mlup-acme", typed="gauge\n\n.g\nnumpy\n-\nJane\n")
    assert done.returncode == 0, done.stderr
    for shown in ("[acme]", "[Gauge models]", "[.gauge]", "[none]", "[numpy], or - for none"):
        assert f"{shown}: " in done.stdout
    assert "[the mlup-gauge authors]: " in done.stdout
    project = tomllib.loads(read(tmp_path / "mlup-acme/pyproject.toml"))["project"]
    assert (project["name"], project["dependencies"]) == ("mlup-gauge", ["mlup-core>=0.1"])
    assert project["authors"] == [{"name": "Jane"}]
    code = read(tmp_path / "mlup-acme/src/mlup_gauge/__init__.py")
    assert code.startswith('"""Gauge models."""\n')
    assert 'extensions: Final = (".g",)' in code


def test_a_bad_answer_is_asked_for_again(tmp_path):
    done = run(tmp_path / "My Format", typed="\ntorch\nmine\n\nmine\n\n\n\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The default will not do; such as acme or acme-trees, not ")
    assert "torch is taken" in done.stdout
    assert 'such as .acme, not "mine"' in done.stdout
    assert " on PyPI" not in done.stdout  # there is no framework
    assert 'name = "mlup-mine"' in read(tmp_path / "My Format/pyproject.toml")


def test_a_bad_option_ends_it_before_the_questions(tmp_path):
    done = run(tmp_path / "mlup-acme", "--author", " ", typed="acme\n")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "mlup-template: author: such as Jane Doe" in done.stderr


def test_a_package_of_no_framework_is_wrong_usage(tmp_path):
    done = run(tmp_path / "mlup-acme", "--defaults", "--package", "acme")
    assert done.returncode == 2
    assert "--framework" in done.stderr


def test_copier_itself_takes_the_template(tmp_path, acme):
    command = [sys.executable, "-m", "copier", "copy", "--defaults", str(TEMPLATE), "mlup-acme"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for name in TREE:
        assert read(tmp_path / "mlup-acme" / name) == read(acme / name)


def test_every_question_is_an_option():
    asked = [
        name
        for name, question in CONFIG.items()
        if not name.startswith("_") and question.get("when") is not False
    ]
    assert list(QUESTIONS) == asked


def test_the_template_runs_nothing():
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(CONFIG)
