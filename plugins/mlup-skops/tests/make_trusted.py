"""Adds what the installed skops trusts by default to ``trusted.json``.

Run it with each of scikit-learn's releases that there should be names of::

    python tests/make_trusted.py

Names are only ever added: which of them there are depends on scikit-learn, SciPy and NumPy, which a
file may be older or newer than. Remove one by hand where skops stops trusting it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
import skops
from skops.io import _scipy, _sklearn, _trusted_types
from skops.io._utils import get_type_paths

TARGET = Path(__file__).parents[1] / "src" / "mlup_skops" / "trusted.json"

LISTS = {
    "dict": [dict, "collections.OrderedDict"],
    "defaultdict": ["collections.defaultdict"],
    "list": [list],
    "set": [set],
    "tuple": [tuple],
    "bytes": [bytes],
    "bytearray": [bytearray],
    "types": [*_trusted_types.PRIMITIVE_TYPE_NAMES, *_trusted_types.CONTAINER_TYPE_NAMES],
    "estimators": _trusted_types.SKLEARN_ESTIMATOR_TYPE_NAMES,
    "internal": _trusted_types.SKLEARN_INTERNAL_TYPE_NAMES,
    "losses": sorted(_sklearn.ALLOWED_LOSSES, key=str),
    "scipy ufuncs": _trusted_types.SCIPY_UFUNC_TYPE_NAMES,
    "numpy ufuncs": _trusted_types.NUMPY_UFUNC_TYPE_NAMES,
    "array": [np.ndarray],
    "dtypes": _trusted_types.NUMPY_DTYPE_TYPE_NAMES,
    "masked array": [np.ma.MaskedArray],
    "sparse": [each for each in (_scipy.spmatrix, _scipy._SPARRAY) if each is not None],
    "random state": [np.random.RandomState],
    "generators": [np.random.Generator, *_trusted_types.NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES],
}
LOADERS = {
    "BytearrayNode": ["bytearray"],
    "BytesNode": ["bytes"],
    "CachedNode": [],
    "ConstructorFromReduceNode": [],
    "DTypeNode": [],
    "DefaultDictNode": ["defaultdict"],
    "DictNode": ["dict"],
    "FunctionNode": ["scipy ufuncs", "numpy ufuncs"],
    "JsonNode": [],
    "ListNode": ["list"],
    "LossNode": ["losses"],
    "MaskedArrayNode": ["masked array"],
    "MethodNode": [],
    "NdArrayNode": ["array", "dtypes"],
    "ObjectNode": ["estimators", "internal"],
    "OperatorFuncNode": [],
    "PartialNode": [],
    "QuantileForestNode": [],
    "RandomGeneratorNode": ["generators"],
    "RandomStateNode": ["random state"],
    "SetNode": ["set"],
    "SliceNode": [],
    "SparseMatrixNode": ["sparse"],
    "TreeNode": [],
    "TupleNode": ["tuple"],
    "TypeNode": ["types", "dtypes"],
}
"""What ``_get_trusted`` is given in the node of that name."""


def _by_number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2]]


def main() -> None:
    table = {"versions": {}, "loaders": LOADERS, "lists": {}}
    if TARGET.exists():
        table |= json.loads(TARGET.read_text(encoding="utf-8")) | {"loaders": LOADERS}
    for module, name in (
        (skops, "skops"),
        (sklearn, "scikit-learn"),
        (scipy, "SciPy"),
        (np, "NumPy"),
    ):
        minor = ".".join(module.__version__.split(".")[:2])
        known = {*table["versions"].get(name, ()), minor}
        table["versions"][name] = sorted(known, key=_by_number)
    for name, types in LISTS.items():
        known = {*table["lists"].get(name, ()), *get_type_paths(types)}
        table["lists"][name] = sorted(known)
    TARGET.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
