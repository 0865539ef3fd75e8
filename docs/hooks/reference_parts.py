"""The parts of the Python reference that the code itself says: signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import docstrings

import mlup


def signatures(*names: str) -> str:
    """Functions of ``mlup``, each with its signature and what it says."""
    return "\n\n".join(_function(f"mlup.{name}", getattr(mlup, name)) for name in names)


def classes(*names: str) -> str:
    """Classes of ``mlup``, each with its attributes and its own public methods."""
    return "\n\n".join(_class(getattr(mlup, name)) for name in names)


def probes() -> str:
    """The functions of :mod:`mlup.probe`."""
    made = []
    for name in sorted(mlup.probe.__all__):
        value = getattr(mlup.probe, name)
        if inspect.isfunction(value):
            made.append(_function(f"mlup.probe.{name}", value, "####"))
    return "\n\n".join(made)


def errors() -> str:
    """The tree of errors, as a nested list."""
    return "\n".join(_tree(mlup.MLupError, 0))


def _tree(error: type[mlup.MLupError], depth: int) -> Iterator[str]:
    if not error.__name__.startswith(("_", "Predict", "WebApp")):
        said = docstrings.markdown(error.__doc__ or "").partition("\n")[0]
        yield f"{'    ' * depth}- `{error.__name__}`: {said}"
        for each in error.__subclasses__():
            if each.__module__ == "mlup.errors":
                yield from _tree(each, depth + 1)


def _function(called: str, function: Any, level: str = "###") -> str:
    name = called.rpartition(".")[2]
    return "\n\n".join(
        [
            f"{level} {called}",
            f"```python {{ .signature }}\n{_signature(name, function)}\n```",
            docstrings.markdown(inspect.getdoc(function) or ""),
        ]
    )


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [str(each).replace("'", "") for each in signature.parameters.values()]
    returns = str(signature.return_annotation).replace("'", "")
    line = f"{name}({', '.join(_starred(signature, parameters))}) -> {returns}"
    if len(line) <= 72:
        return line
    rows = "".join(f"    {each},\n" for each in _starred(signature, parameters))
    return f"{name}(\n{rows}) -> {returns}"


def _starred(signature: inspect.Signature, parameters: list[str]) -> Iterator[str]:
    kinds = [each.kind for each in signature.parameters.values()]
    for at, (kind, text) in enumerate(zip(kinds, parameters, strict=True)):
        if kind is inspect.Parameter.KEYWORD_ONLY and (
            at == 0 or kinds[at - 1] is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ):
            yield "*"
        yield text


def _class(kind: type) -> str:
    parts = [f"### mlup.{kind.__name__}", docstrings.markdown(kind.__doc__ or "")]
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        function = member.__func__ if isinstance(member, classmethod) else member
        doc = docstrings.markdown(inspect.getdoc(function) or "")
        if inspect.isfunction(function):
            parts.append(f"#### {kind.__name__}.{name}")
            parts.append(f"```python {{ .signature }}\n{_signature(name, function)}\n```")
            parts.append(doc)
        elif isinstance(member, property):
            parts.append(f"- `{name}` (property): {doc}")
    return "\n\n".join(parts)
