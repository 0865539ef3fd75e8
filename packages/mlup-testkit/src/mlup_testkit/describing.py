"""Is it installed and described: the tests of what a binarizer says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import pytest

from mlup.plugin_info import missing_requirements
from mlup_testkit.author import Author
from mlup_testkit.subject import Subject


class Describing(Author):
    """The metadata that ``mlup plugins`` and the error messages show."""

    def test_it_is_installed(self, subject: Subject) -> None:
        """If this fails, mlup does not find your entry point, or cannot use what it names.

        The name in your ``pyproject.toml`` and ``binarizer`` in the test class must be equal::

            [project.entry-points."mlup.binarizers"]
            acme = "mlup_acme"

        Entry points are written when a distribution is installed, so install yours again
        (``pip install -e .``) after every change of them. ``mlup plugins`` shows what is wrong
        with a plugin that is found and broken.
        """
        info = subject.info
        _ = subject.plugin  # fails where it is broken
        assert info.kind == "binarizer", f"{subject.name} is a {info.kind}, not a binarizer"
        assert info.distribution != "unknown", "its distribution has no name"
        assert info.version, f"{info.distribution} has no version"

    def test_it_has_a_description(self, subject: Subject) -> None:
        """If this fails, your module has no docstring, or its first line is empty or a word.

        The first line is what ``mlup plugins`` shows. Say which files it is for::

            \"\"\"Acme models, as acme.save writes them.\"\"\"
        """
        _ = subject.plugin
        description = subject.info.description
        assert len(description.split()) >= 2, f"the description is {description!r}"

    def test_it_lists_its_extensions(self, subject: Subject) -> None:
        """If this fails, ``extensions`` is missing, or holds one that no file name ends in.

        mlup compares them in lower case, each with its dot; ``()`` where the format has none::

            extensions = (".acme",)
        """
        found = getattr(subject.plugin, "extensions", None)
        assert found is not None, "the attribute is missing"
        strange = [each for each in found if each != each.lower() or not each.strip(".")]
        assert not strange, f"no extensions, or not in lower case: {strange}"
        assert subject.info.extensions == tuple(found)

    def test_it_lists_what_it_requires(self, subject: Subject) -> None:
        """If this fails, ``requires`` is missing, or names something that cannot be imported here.

        It holds the import names of what ``deserialize`` needs beside mlup, so that a user without
        them is told what to install; ``()`` where it needs nothing::

            requires = ("acme",)

        A name that cannot be imported is misspelled, or not installed where the tests run. All
        tests that write or load a model are skipped then, so this one fails.
        """
        found = getattr(subject.plugin, "requires", None)
        assert found is not None, "the attribute is missing"
        strange = [each for each in found if not all(map(str.isidentifier, each.split(".")))]
        assert not strange, f"these are no import names: {strange}"
        missing = missing_requirements(subject.info)
        assert not missing, (
            f"{', '.join(missing)} cannot be imported, so no test that writes or loads a model could "
            f"run. Misspelled in requires, or not installed here?"
        )

    def test_it_lists_its_options(self, subject: Subject) -> None:
        """If this fails, ``options`` holds a name that cannot be a keyword, or explains one with nothing.

        Give every option a line that says what it does; ``()`` where there are none. What is not
        listed is refused before your code is called::

            options = {"device": "where tensors are put, such as 'cpu'"}
        """
        found = getattr(subject.plugin, "options", None)
        if found is None:
            pytest.skip("it says nothing of options; write `options = ()` if it takes none")
        strange = [each for each in found if not each.isidentifier()]
        assert not strange, f"these cannot be keywords: {strange}"
        if isinstance(found, Mapping):
            silent = [name for name, line in found.items() if not str(line or "").strip()]
            assert not silent, f"nothing is said of these: {silent}"

    def test_its_hooks_say_what_they_do(self, subject: Subject) -> None:
        """If this fails, ``score`` or ``deserialize`` has no docstring.

        They are shown to users: that of ``score`` says what is recognised, that of ``deserialize``
        what is returned::

            @mlup.hookimpl
            def deserialize(file):
                \"\"\"The ``acme.Model``, by ``acme.load``.\"\"\"
        """
        for name in ("score", "deserialize", "inspect"):
            hook = subject.hook(name)
            if hook is not None:
                assert inspect.getdoc(hook), f"{name}() has no docstring"
