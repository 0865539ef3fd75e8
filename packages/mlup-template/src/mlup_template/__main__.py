"""``python -m mlup_template``: the same as the ``mlup-template`` script."""

from __future__ import annotations

from mlup_template.cli import main

if __name__ == "__main__":
    main()
