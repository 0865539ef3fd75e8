"""Run mlup as ``python -m mlup``."""

from mlup.cli import main

if __name__ == "__main__":
    main()
