"""Run mlup as ``python -m mlup``: the same as the ``mlup`` script."""

import os
import sys


def _forget_working_directory() -> None:
    """Take back what ``python -m`` does: look for modules in the working directory first.

    The files that mlup is asked about lie there, and a ``bz2.py`` or a plugin's metadata beside a
    model would be run.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        here = ""
    if not getattr(sys.flags, "safe_path", False) and sys.path[:1] in ([""], [here]):
        del sys.path[0]


_forget_working_directory()

from mlup.cli import main  # noqa: E402 (only now may anything be imported)

if __name__ == "__main__":
    main()
