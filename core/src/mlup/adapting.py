"""Whatever an entry point names, as a plugin pluggy can register; and what is wrong with it.

A module, a class, an instance, or a :class:`~mlup.ml.binarization.base.BaseBinarizer` of the
predecessor.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import pluggy

from mlup.files import LoadedFile, ModelPath
from mlup.hookspecs import hookimpl
from mlup.ml.binarization.base import BaseBinarizer
from mlup.plugin_info import IncompatibleError, MisfitError, PluginInfo

HOOKS: Final[dict[str, tuple[str, ...]]] = {
    "score": ("path", "head", "tail"),
    "deserialize": ("file",),
    "inspect": ("file",),
}


ATTRIBUTES: Final = ("extensions", "requires", "options", "safe_list")
"""What core reads of a plugin beside its hooks and its docstring."""

_KNOWN: Final = f"; mlup knows {', '.join(HOOKS)}"
_NEWER: Final = "; the plugin may be written for a newer mlup-core: pip install --upgrade mlup-core"


class Adapted:
    """A class or module with a plain ``deserialize`` (the predecessor's way), as a plugin."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.__doc__ = getattr(target, "__doc__", None)
        for attribute in ATTRIBUTES:
            setattr(self, attribute, getattr(target, attribute, None))

    @hookimpl
    def score(self, path: ModelPath, head: bytes, tail: bytes) -> float | None:
        """Ask ``is_this_type``, where there is one."""
        is_this_type = getattr(self.target, "is_this_type", None)
        if is_this_type is None:
            return None
        if path.location is not None:
            return is_this_type(LoadedFile(path=path.location))  # type: ignore[no-any-return]
        return is_this_type(LoadedFile(raw_data=path.open()))  # type: ignore[no-any-return]

    @hookimpl
    def deserialize(self, file: LoadedFile) -> Any:
        """Call the target's own."""
        return self.target.deserialize(file)


class Binarizer:
    """A plugin that was imported and validated.

    Attributes:
        info: what is shown of it.
        plugin: what is registered with pluggy.
        registered_as: the name it is asked for by.
        target: what the entry point or the import line names.
    """

    __slots__ = ("info", "plugin", "registered_as", "target")

    def __init__(self, info: PluginInfo, plugin: Any, registered_as: str, target: Any) -> None:
        self.info = info
        self.plugin = plugin
        self.registered_as = registered_as
        self.target = target


Hooks = dict[str, tuple[str, Any]]
"""hook's name → (name of the function that implements it, its pluggy options)"""


def validated(
    manager: pluggy.PluginManager, info: PluginInfo, target: object, registered_as: str
) -> Binarizer:
    """What an entry point or an import line names, with what it says of itself.

    Raises:
        TypeError: as :func:`as_plugin`; or an attribute is not what :mod:`mlup.hookspecs` says.
        ValueError: an extension has no dot.
        IncompatibleError: as :func:`as_plugin`.
    """
    plugin, hooks = as_plugin(manager, target)
    info = info._replace(
        kind=kind_of(hooks),
        extensions=_strings(plugin, "extensions") or (),
        requires=_strings(plugin, "requires") or (),
        options=_strings(plugin, "options"),
        description=_first_line(plugin),
    )
    for each in info.extensions:
        if not each.startswith("."):
            raise ValueError(f"extensions holds {each!r}; write '.{each}', with its dot")
    _check_lines(getattr(plugin, "options", None))
    _check_safe_list(getattr(plugin, "safe_list", None))
    return Binarizer(info, plugin, registered_as, target)


def as_plugin(manager: pluggy.PluginManager, target: object) -> tuple[object, Hooks]:
    """The object to register, and the hooks it implements.

    Raises:
        TypeError: it has neither hook implementations nor a ``deserialize``, a hook's name is
            unknown, or pluggy could not hold it.
        IncompatibleError: a hook declares an argument that this contract does not have.
    """
    if isinstance(target, type) and issubclass(target, BaseBinarizer):
        plugin: object = Adapted(target)
    elif _hooks_of(manager, target):
        plugin = target() if isinstance(target, type) else target
    elif callable(getattr(target, "score", None)):  # the predecessor's way is is_this_type()
        raise MisfitError(
            "its score() and deserialize() are not marked: put @mlup.hookimpl on both",
            target.score,  # type: ignore[attr-defined]
        )
    elif callable(getattr(target, "deserialize", None)):
        plugin = Adapted(target)
    else:
        raise TypeError(
            f"{_describe(target)} implements no hook: mark its deserialize() (and score()) with "
            "@mlup.hookimpl"
        )
    hash(plugin)  # pluggy keeps plugins in sets: a TypeError here, not in somebody's load
    hooks = _hooks_of(manager, plugin)
    _check(plugin, hooks)
    return plugin, hooks


def _hooks_of(manager: pluggy.PluginManager, plugin: object) -> Hooks:
    hooks: Hooks = {}
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            hooks[options.get("specname") or name] = (name, options)
    return hooks


def _check(plugin: object, hooks: Hooks) -> None:
    """Refuse what pluggy would ignore, or would accept and never call."""
    for hook, (name, options) in hooks.items():
        if hook not in HOOKS:
            if options.get("optionalhook"):
                continue
            said = f"unknown hook {hook!r}{_close(hook, HOOKS) or _KNOWN}"
            raise MisfitError(said, getattr(plugin, name))
        function = getattr(plugin, name)
        unknown = _arguments(function) - set(HOOKS[hook])
        if unknown:
            raise IncompatibleError(
                f"{name}() declares {', '.join(sorted(unknown))}, which {hook}"
                f"({', '.join(HOOKS[hook])}) does not offer"
                + (_close(unknown.pop(), HOOKS[hook]) or _NEWER),
                function,
            )
        if inspect.iscoroutinefunction(function):
            raise MisfitError(f"{name}() is async; mlup calls it directly", function)
    for hook in ("score", "deserialize"):  # an inspect() may be anything of the plugin's own
        if hook not in hooks and callable(getattr(plugin, hook, None)):
            said = f"its {hook}() is not marked: put @mlup.hookimpl on it"
            raise MisfitError(said, getattr(plugin, hook))
    if "deserialize" not in hooks:
        raise TypeError("it implements no deserialize(file), so it could never load what it finds")
    if "score" in hooks and _is_wrapper(hooks["score"][1]):
        said = "score() cannot be a wrapper: mlup calls every score itself"
        raise MisfitError(said, getattr(plugin, hooks["score"][0]))


def kind_of(hooks: Hooks) -> str:
    """``wrapper`` for a plugin whose ``deserialize`` surrounds loads, else ``binarizer``."""
    return "wrapper" if _is_wrapper(hooks["deserialize"][1]) else "binarizer"


def _is_wrapper(options: Any) -> bool:
    return bool(options.get("wrapper") or options.get("hookwrapper"))


def _arguments(function: Callable[..., Any]) -> set[str]:
    """The arguments that pluggy would pass: positional ones without a default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind in kinds and parameter.default is inspect.Parameter.empty
    }


def _close(word: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _strings(plugin: object, attribute: str) -> tuple[str, ...] | None:
    """A plugin's attribute that holds strings; ``None`` where it has none.

    Raises:
        TypeError: it is a lone string, or holds something else.
    """
    value = getattr(plugin, attribute, None)
    if value is None:
        return None
    if isinstance(value, str):
        raise TypeError(f"{attribute} is the string {value!r}; write a tuple: ({value!r},)")
    found = tuple(value)
    if not all(isinstance(each, str) for each in found):
        raise TypeError(f"{attribute} must be a tuple of strings, not {value!r}")
    return found


def _check_lines(options: object) -> None:
    """An ``options`` that is a mapping has a line of text for each."""
    if isinstance(options, Mapping):
        for name, line in options.items():
            if not isinstance(line, str):
                raise TypeError(
                    f"options[{name!r}] is {line!r}; write one line that says what it does"
                )


def _check_safe_list(value: object) -> None:
    """It is a collection or a function; what is in it is looked at when it is counted."""
    if value is None or callable(value):
        return
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise TypeError(
            f"safe_list is {value!r}; write a collection of names, or a function that returns one"
        )


def _first_line(plugin: object) -> str:
    doc = getattr(plugin, "__doc__", None)
    return doc.strip().partition("\n")[0].strip() if isinstance(doc, str) else ""


def scorer_function(
    function: Callable[..., Any], declared: tuple[str, ...]
) -> Callable[[ModelPath, bytes, bytes], Any]:
    """An implementation of ``score`` as a function of all three arguments."""
    if declared == HOOKS["score"]:
        return function  # the usual shape costs no extra call
    places = [HOOKS["score"].index(name) for name in declared]

    def call(*arguments: Any) -> Any:
        return function(*[arguments[place] for place in places])

    return call


def _describe(target: object) -> str:
    if isinstance(target, type):
        return f"class {target.__module__}.{target.__qualname__}"
    if isinstance(target, types.ModuleType):
        return f"module {target.__name__}"
    if callable(target):
        return "a function (name its module instead), which"
    return f"an object of type {type(target).__name__}"
