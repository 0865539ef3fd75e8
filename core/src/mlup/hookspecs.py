"""The plugin contract: functions marked with ``@mlup.hookimpl``. This is the whole of it.

An entry point in the group ``mlup.binarizers`` names one binarizer::

    # pyproject.toml of your distribution
    [project.entry-points."mlup.binarizers"]
    acme = "mlup_acme"

Its name (``acme``) is the binarizer's name everywhere. Its value is a module, a class or an
instance that carries ``score`` and ``deserialize``, and perhaps ``inspect``. A module may also have

``extensions``
    the format's usual file extensions, a tuple such as ``(".acme",)``
``requires``
    import names of what ``deserialize`` needs, such as ``("acme",)``
``options``
    keyword options that ``deserialize`` understands: a tuple of names, such as ``("device",)``, or
    a mapping of each to a line that says what it does,
    ``{"device": "where tensors are put, such as 'cpu'"}``. Anything else is refused before the
    plugin is called. Without this attribute nothing is checked.
``safe_list``
    what a file may name without being allowed (``mlup.load(…, allow=…)``): a collection of names,
    or a function without arguments that returns one. An empty one says that its files name
    nothing. mlup only counts them; the checking is ``deserialize``'s.

and a docstring, whose first line describes the binarizer in ``mlup plugins``.
``mlup plugins NAME`` shows all of this, and the docstrings of ``score`` (what is recognised), of
``deserialize`` (what is returned) and of ``inspect``, up to their sections ``Args:``, ``Raises:``.

To try ``score`` alone, give it a plain path, or what mlup would give it::

    with mlup.ModelPath.of("model.acme") as path:
        print(score(path, path.head, path.tail))

``mlup plugins`` lists what is installed, the broken ones with what is wrong, and ``mlup doctor``
says what to do. A plugin that is not in it at all has another group's name in its entry point, or
was not installed again since.

Later versions of mlup only ever add arguments. An implementation may declare fewer than the
specification, so a plugin written today keeps working; the group's name is the contract's
major version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from mlup.files import LoadedFile, ModelPath
    from mlup.ranking import Score
    from mlup.report import Report

PROJECT: Final = "mlup"
GROUP: Final = "mlup.binarizers"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def score(path: ModelPath, head: bytes, tail: bytes) -> float | Score | None:
    """Could you load this, and how sure are you?

    A complete example::

        import mlup

        @mlup.hookimpl
        def score(path, head, tail):
            if not head.startswith(b"ACME\\x01"):
                return None
            named = str(path).endswith(".acme")
            return mlup.Score(0.95 if named else 0.9, "ACME header, version 1")

    Args:
        path: names, ``size`` in bytes, ``is_dir()``, ``members()`` and ``member(name)`` of a
            folder, and bounded reads: ``path.read_at(offset, n)`` returns up to ``n`` bytes. A
            plugin may read 1 MiB in one detection; beyond it ``read_at`` raises and the score is
            void. The readers of structure in :mod:`mlup.probe` take it too. It may stand for
            bytes in memory, so use these instead of ``open(path)``.
        head: the first bytes, 100 at most; ``b""`` for a folder.
        tail: the last bytes, 100 at most.

    Returns:
        A confidence in 0..1, as a float or as a :class:`mlup.Score` with the reason that the
        user is shown. ``None`` and 0.0 both mean: not mine. The scale:

        ========  =======================================================================
        0.05      the extension alone, added to content evidence; 0.3 where the format has
                  no mark in its content
        0.5       a container that several formats share (a zip, HDF5); 0.3 more for the
                  format's own extension
        0.8       a text signature of the format
        0.9       magic at both ends, or a valid structure
        0.95      the format's own structure, read and found; 0.99 at most
        0         structure that belongs to another format
        ========  =======================================================================

    It must not import a framework, must not run or unpickle anything it finds, and must not
    raise for a foreign file. If it raises, or returns anything else, this plugin alone loses
    its vote for this file, and the user is told.
    """


@hookspec(firstresult=True)
def deserialize(file: LoadedFile) -> object:
    """Turn the file into the framework's own object.

    A complete example::

        import mlup

        @mlup.hookimpl
        def deserialize(file):
            import acme                       # the framework, imported only here

            with file.as_path(".acme") as path:
                return acme.load(path, **file.options)

    Args:
        file: ``path``, ``raw_data``, ``options``, ``trust``, ``allow``. ``file.open()`` gives a
            binary stream and ``file.as_path()`` a real path, whatever the source was.

    Returns:
        The model. ``None`` is a model too.

    Raise whatever the framework raises: mlup chains it into a ``ModelBinarizationError`` that
    names the file and the plugin. Raise an ``MLupError`` of your own where you know better.
    Unless ``file.trust`` is set, it must not let the file run anything: raise
    :class:`mlup.UnsafeModelError` for what it will not load. Never fall back to a laxer loader.

    A plugin that marks it ``@mlup.hookimpl(wrapper=True)`` surrounds every load instead (audit,
    tracing, policy) and may refuse it by raising.
    """


@hookspec(firstresult=True)
def inspect(file: LoadedFile) -> Report | None:
    """Say what the file would import and run. Optional.

    A complete example::

        import mlup

        SAFE = {"Forest", "Linear"}

        @mlup.hookimpl
        def inspect(file):
            with file.open() as stream:       # this format's second line is a class's name
                name = stream.readlines()[1].decode().strip()
            safe = name in SAFE or file.allows(f"acme.{name}")
            return mlup.Report(
                imports=(mlup.Import("acme", name, "call", "safe" if safe else "refused"),)
            )

    Args:
        file: as for ``deserialize``; ``file.allow`` counts, ``file.trust`` does not.

    Returns:
        The imports and operations with their verdicts, which are those of ``deserialize`` without
        ``trust``, and notes. ``format`` is filled in. A file that breaks off is told as far as it
        goes, with a note.

    It must import nothing that the file names, no framework, and run nothing that it finds.
    """
