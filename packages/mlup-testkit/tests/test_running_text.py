"""A plugin whose own code runs text is found, over its own files and hostile ones; a library's is not."""

from __future__ import annotations

import pytest

ONE = "test_nothing_in_a_file_runs"
SPLIT = "    slope, constant = data[5:-4].split()\n"
EVALUATED = "    slope, constant = eval(data[5:-4].replace(b' ', b','))\n"
COMPILED = """    code = compile(data[5:-4].replace(b' ', b','), file.label, 'eval')
    slope, constant = eval(code)
"""
UNPICKLED = """    import pickle
    if data[5:7] == b"\\x80\\x02": return pickle.loads(data[5:-4])
"""
PICKLE = """
    def hostile(self, marker):
        import pickle

        class Sum:
            def __reduce__(self):
                return eval, ("1 + 1",)

        return {"own.acme": b"ACME\\x01" + pickle.dumps(Sum(), 2) + b"\\nEND"}
"""
OF_A_LIBRARY = """    import ast, collections, dataclasses, json
    slope, constant = ast.literal_eval(data[5:-4].replace(b' ', b',').decode())
    collections.namedtuple("Pair", "a b"), dataclasses.make_dataclass("Two", ["a", "b"])
    import acme_later, acme_framework
    acme_framework.evaluated("1 + 1")
"""
LATER = "made = eval('1 + 1')\n"
FRAMEWORK = "def evaluated(text): return eval(text)\n"


def install(contract, old, new, **modules):
    assert contract.right.count(old) == 1
    source = contract.right.replace(old, new)
    contract.install("mlup_acme", {"mlup_acme": source, **modules}, "acme = mlup_acme")
    return source


@pytest.mark.parametrize("code", [EVALUATED, COMPILED])
def test_text_of_its_own_files_that_its_code_runs_is_told_with_the_line(contract, code):
    source = install(contract, SPLIT, code)
    ran = contract.run()
    assert ran.failed == {ONE}, ran.output
    number = source[: source.index(code)].count("\n") + 1
    told = [
        f"line {at} of mlup_acme runs text as Python: {line.strip()}"
        for at, line in enumerate(code.splitlines(), number)
    ]
    assert f"line.acme, loaded by acme: {'; '.join(told)}" in ran.output


def test_what_a_pickle_calls_is_its_own_code_s_doing(contract):
    install(contract, SPLIT, UNPICKLED + SPLIT)
    ran = contract.run(PICKLE, "-k", ONE)
    assert ran.failed == {ONE}, ran.output
    assert "own.acme of hostile(), loaded by acme: line " in ran.output
    assert "pickle.loads(data[5:-4])" in ran.output


def test_what_libraries_and_imports_compile_is_not(contract):
    modules = {"acme_later": LATER, "acme_framework": FRAMEWORK}
    install(contract, SPLIT, OF_A_LIBRARY, **modules)
    ran = contract.run("", "-k", ONE)
    assert (ran.code, ran.passed) == (0, 1), ran.output


@pytest.mark.parametrize(("required", "failed"), [("mlup-core>=0.1", {ONE}), ("", set())])
def test_a_plugin_s_package_is_its_own_and_that_of_a_framework_is_not(contract, required, failed):
    source = contract.right.replace(SPLIT, "    from acme.text import both\n" + SPLIT)
    source = source.replace(SPLIT, "    slope, constant = both(data[5:-4])\n")
    package = contract.site / "acme"
    package.mkdir()
    (package / "__init__.py").touch()
    both = "def both(text):\n    return eval(text.replace(b' ', b','))\n"
    (package / "text.py").write_text(both, "utf-8")
    (package / "binarizer.py").write_text(source, "utf-8")
    contract.install("acme", {}, "acme = acme.binarizer", required=required)
    ran = contract.run("", "-k", ONE, module="acme.binarizer")
    assert ran.failed == failed, ran.output
    assert ran.passed == 1 - len(failed)


def test_hostile_files_that_were_not_given_are_in_the_summary(contract):
    contract.install("mlup_acme", {"mlup_acme": contract.right}, "acme = mlup_acme")
    line = "acme                  hostile(): not given; only the kit's own files were tried"
    assert line in contract.run("", "-k", ONE).output
    assert "hostile()" not in contract.run(PICKLE, "-k", ONE).output


STARTED = "    import subprocess, sys\n    subprocess.run([sys.executable, '-c', ''])\n"
CONNECTED = """    import socket
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked: asked.connect(("127.0.0.1", 9))
"""


@pytest.mark.parametrize(
    ("code", "event"),
    [
        (STARTED, "subprocess.Popen"),
        ("    import os\n    os.system('exit 0')\n", "os.system"),
        (CONNECTED, "socket.connect"),
    ],
)
def test_what_its_own_files_start_is_told(contract, code, event):
    install(contract, SPLIT, code + SPLIT)
    ran = contract.run("", "-k", ONE)
    assert ran.failed == {ONE}, ran.output
    assert f"line.acme, loaded by acme: {event}(" in ran.output
