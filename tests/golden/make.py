"""Write the golden files: ``python tests/golden/make.py [format ...]``.

Each format is one module of ``makers/`` and one folder of the kit's golden ``files/``. Without arguments every
format is made whose framework can be imported here; ``README.md`` says which environments made
what is there. Nothing is written to the manifest unless every file of a format loads.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent
GOLDEN = ROOT.parents[1] / "packages" / "mlup-testkit" / "src" / "mlup_testkit" / "golden"
FORMATS = (
    "pickle",
    "joblib",
    "lightgbm",
    "torch",
    "torchscript",
    "keras",
    "savedmodel",
    "onnx",
    "other",
    "old",
    "none",
    "truncated",  # last: pieces of what the others wrote
)


def main() -> None:
    """Make the formats that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("format", nargs="*", metavar="format", help=", ".join(FORMATS))
    asked = parser.parse_args().format
    unknown = sorted(set(asked) - set(FORMATS))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    sys.path.insert(0, str(ROOT))
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TZ="UTC")
    warnings.simplefilter("ignore")

    from makers.book import Book, save_manifest

    for name in asked or FORMATS:
        started = time.monotonic()
        try:
            maker = importlib.import_module(f"makers.{name}_files")
        except ImportError as error:
            if asked:
                raise
            print(f"{name}: left as it is ({error})")
            continue
        book = Book(GOLDEN, name)
        maker.make(book)
        save_manifest(GOLDEN, [book])
        size = sum(each.stat().st_size for each in (GOLDEN / "files" / name).rglob("*"))
        seconds = time.monotonic() - started
        print(f"{name}: {len(book.rows)} rows, {size / 1000:.0f} kB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
