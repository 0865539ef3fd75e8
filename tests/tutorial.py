"""Follows docs/write-a-plugin.md to the letter: ``python tests/tutorial.py dist``.

In a fresh folder, with the wheels of ``dist/``: writes the page's titled code blocks as files, runs its
``$`` commands one after the other in one bash, and compares what they print with what the page shows
(``...`` stands for anything). A ``diff`` block changes a file until the next heading; one with the class
``example`` is for other plugins than this one, and passed over. Prints the transcript with its duration and the number of lines of Python, and ends with code 1 on a difference.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

PAGE: Final = Path(__file__).parents[1] / "docs" / "write-a-plugin.md"
AFTERWARDS: Final = "What to do if it breaks"
"""The section whose files are no part of the plugin."""

_FENCE: Final = re.compile(r"^( *)```(.*)$")
_TITLE: Final = re.compile(r'title="([^"]+)"')
_ANYTHING: Final = re.compile(r"(?<!\.)\.\.\.(?!\.)")  # not the dots of pytest
_DONE: Final = "-- that was it --"


class Block(NamedTuple):
    """A code block of a page.

    Attributes:
        language: ``python``, ``console``, ``diff`` …
        classes: what else its first line says in braces, such as ``fails``.
        title: the file it is, or ``""``.
        text: what is in it.
        line: where in the page it begins.
        section: the heading of the second level above it.
        part: the nearest heading above it.
    """

    language: str
    classes: tuple[str, ...]
    title: str
    text: str
    line: int
    section: str
    part: str


class Step(NamedTuple):
    """A command of a console block, and what it prints by the page."""

    command: str
    shown: str


def blocks(page: str) -> Iterator[Block]:
    """The code blocks of a page, in its order."""
    section = part = ""
    opened: tuple[str, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, lines = (fence[1], fence[2].strip(), number), []
        elif opened is not None and fence and not fence[2].strip():
            indent, info, began = opened
            text = "".join(f"{each.removeprefix(indent)}\n" for each in lines)
            yield _block(info, text, began, section, part)
            opened = None
        elif opened is not None:
            lines.append(line)
        elif line.startswith("#"):
            part = line.lstrip("#").strip()
            section = part if line.startswith("## ") else section


def _block(info: str, text: str, line: int, section: str, part: str) -> Block:
    title = _TITLE.search(info)
    names = re.findall(r"[\w-]+", info.replace(title[0], "") if title else info)
    language, *classes = names or [""]
    return Block(language, tuple(classes), title[1] if title else "", text, line, section, part)


def steps(console: str) -> Iterator[Step]:
    """The commands of a console block: the lines that begin with ``$``."""
    for piece in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, shown = piece.partition("\n")
        yield Step(command, shown)


def fits(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows; ``...`` alone in a line stands for any lines."""
    pattern = ""
    for line in shown.strip("\n").splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(piece) for piece in _ANYTHING.split(line)) + r"[ ]*\n"
    ended = printed.strip("\n")
    return re.fullmatch(pattern, f"{ended}\n" if ended else "") is not None


def changed(text: str, diff: str) -> str:
    """A file after a ``diff`` block: its old lines, which must be there once, replaced by the new ones."""
    old = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[:1] in (" ", "-"))
    new = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[:1] in (" ", "+"))
    if text.count(old) != 1:
        raise ValueError(f"these lines are in the file {text.count(old)} times, not once:\n{old}")
    return text.replace(old, new)


class Shell:
    """One bash, in which one command after the other is run."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def run(self, command: str) -> tuple[int, str]:
        """A command's exit code and all that it printed. ``folder`` is where it left the shell."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(
            f"{{ {command}\n}} </dev/null\nprintf '\\n%s%d %s\\n' '{_DONE}' $? \"$PWD\"\n"
        )
        self._bash.stdin.flush()
        printed: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_DONE):
                code, _, folder = line.removeprefix(_DONE).strip().partition(" ")
                self.folder = Path(folder)
                return int(code), "".join(printed).removesuffix("\n")
            printed.append(line)
        raise RuntimeError(f"bash ended at: {command}")

    def close(self) -> None:
        """End it."""
        assert self._bash.stdin is not None
        self._bash.stdin.close()
        self._bash.wait()


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._before: dict[Path, str] = {}
        self._part = ""
        self.commands = 0
        self.differences = 0
        self.python: dict[str, int] = {}

    def follow(self, page: str) -> None:
        """Do all of it."""
        for block in blocks(page):
            if block.part != self._part:
                self._undo()
                self._part = block.part
                print(f"\n# {block.part}", flush=True)
            if "example" in block.classes:
                continue
            if block.language == "diff":
                self._change(block)
            elif block.title:
                self._write(block)
            elif block.language == "console":
                for step in steps(block.text):
                    self._run(step, "fails" in block.classes)
            else:
                self._differs(f"line {block.line}: a block that a reader can do nothing with")
        self._undo()

    def _write(self, block: Block) -> None:
        path = self._shell.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        lines = [line for line in block.text.splitlines() if line.strip()]
        print(f"[{block.title}: {len(lines)} lines]", flush=True)
        if path.suffix == ".py" and block.section != AFTERWARDS:
            self.python[block.title] = len(lines)

    def _change(self, block: Block) -> None:
        path = self._shell.folder / block.title
        text = path.read_text(encoding="utf-8")
        self._before.setdefault(path, text)
        path.write_text(changed(text, block.text), encoding="utf-8")
        print(f"[{block.title}, changed]\n{block.text}", end="", flush=True)

    def _undo(self) -> None:
        for path, text in self._before.items():
            path.write_text(text, encoding="utf-8")
        self._before = {}

    def _run(self, step: Step, fails: bool) -> None:
        print(f"$ {step.command}", flush=True)
        code, printed = self._shell.run(step.command)
        self.commands += 1
        if printed.strip():
            print(printed.rstrip("\n"), flush=True)
        if (code != 0) is not fails:
            self._differs(f"it ended with code {code}")
        if not fits(step.shown, printed):
            self._differs(f"the page shows:\n{step.shown}")

    def _differs(self, said: str) -> None:
        self.differences += 1
        print(f"DIFFERENCE: {said}", flush=True)


def _environment(dist: Path) -> dict[str, str]:
    """This process's, without what would lead out of the fresh environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLUP_", "PYTHON", "VIRTUAL_ENV", "PYTEST"))
    }
    here = os.path.dirname(sys.executable)
    kept["PATH"] = os.pathsep.join([here, kept.get("PATH", os.defpath)])
    kept["PIP_FIND_LINKS"] = str(dist)
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    kept["PIP_QUIET"] = "1"  # on top of the page's own: this machine's index may make pip warn
    return kept


def main() -> int:
    """Follow the page; the exit code."""
    parser = argparse.ArgumentParser(description="Follow the tutorial to the letter.")
    parser.add_argument("dist", type=Path, help="the folder with the wheels")
    dist = parser.parse_args().dist.resolve()
    if not list(dist.glob("*.whl")):
        parser.error(f"{dist} holds no wheels: nox -s build")
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="mlup-tutorial-") as folder:
        shell = Shell(Path(folder), _environment(dist))
        try:
            reader = Reader(shell)
            reader.follow(PAGE.read_text(encoding="utf-8"))
        finally:
            shell.close()
    counted = ", ".join(f"{count} in {name}" for name, count in reader.python.items())
    print(f"\n{PAGE.name}: {reader.commands} commands in {perf_counter() - began:.0f} s")
    print(f"lines of Python, without blank ones: {counted}; {sum(reader.python.values())} in all")
    print(f"differences between the page and what happened: {reader.differences}")
    return 1 if reader.differences else 0


if __name__ == "__main__":
    sys.exit(main())
