"""``python -m mlup_testkit``: the confusion matrix of all installed binarizers."""

from __future__ import annotations

import argparse
import io
import json
import sys

from mlup_testkit.confusion import confusion


def main() -> int:
    """Print it; 1 if a golden file went to the wrong binarizer."""
    parser = argparse.ArgumentParser(
        prog="python -m mlup_testkit",
        description="Which installed binarizer is chosen for which golden file. Ends with 1 if one "
        "goes to the wrong binarizer.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    found = confusion()
    if asked.json:
        print(json.dumps(found.as_json(), indent=2))  # noqa: T201
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):  # golden files have names in other alphabets
            sys.stdout.reconfigure(errors="backslashreplace")
        print("\n".join(found.lines()))  # noqa: T201
    return 0 if found.clean else 1


if __name__ == "__main__":
    sys.exit(main())
