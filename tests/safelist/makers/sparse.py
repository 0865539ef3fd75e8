"""scipy: sparse matrices and arrays, and the few other things that fitted models hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.optimize
import scipy.sparse
import scipy.spatial
import scipy.spatial.transform
import scipy.special
from scipy.spatial import distance

from . import Benign

REQUIRES = ("numpy", "scipy")

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
METRICS = ("euclidean", "cosine", "cityblock", "correlation", "jaccard", "hamming", "braycurtis")


def dense(value: Any) -> Any:
    return value.toarray()


def models() -> Iterator[Benign]:
    for kind in FORMATS:
        for suffix in ("matrix", "array"):
            make = getattr(scipy.sparse, f"{kind}_{suffix}", None)
            if make is not None:
                yield Benign(
                    f"scipy {kind}_{suffix}",
                    lambda make=make: make(np.array([[0.0, 1.0], [2.0, 0.0]])),
                    dense,
                )
    ticks = np.arange(6.0)
    points = np.random.RandomState(0).rand(20, 2)
    yield Benign("scipy cKDTree", lambda: scipy.spatial.cKDTree(points), _nearest)
    yield Benign("scipy KDTree", lambda: scipy.spatial.KDTree(points), _nearest)
    yield Benign("scipy BSpline", lambda: scipy.interpolate.make_interp_spline(ticks, ticks), _at)
    for name in ("interp1d", "CubicSpline", "PchipInterpolator", "Akima1DInterpolator"):
        make = getattr(scipy.interpolate, name)
        yield Benign(f"scipy {name}", lambda make=make: make(ticks, ticks**2), _at)
    yield Benign(
        "scipy UnivariateSpline", lambda: scipy.interpolate.UnivariateSpline(ticks, ticks**2), _at
    )
    yield Benign("scipy PPoly", lambda: scipy.interpolate.PPoly(np.ones((2, 1)), [0.0, 1.0]), _at)
    yield Benign(
        "scipy RegularGridInterpolator",
        lambda: scipy.interpolate.RegularGridInterpolator((ticks,), ticks**2),
    )
    yield Benign(
        "scipy OptimizeResult",
        lambda: scipy.optimize.OptimizeResult(x=np.ones(2), success=True),
        lambda value: value.x,
    )
    yield Benign(
        "scipy Rotation",
        lambda: scipy.spatial.transform.Rotation.from_quat([0, 0, 0, 1]),
        lambda value: value.as_quat(),
    )
    for name in ("expit", "logit", "softmax", "log_softmax", "boxcox", "inv_boxcox", "gammaln"):
        function = getattr(scipy.special, name)
        yield Benign(f"scipy function {name}", lambda function=function: function, repr)
    for name in METRICS:
        function = getattr(distance, name)
        yield Benign(f"scipy metric {name}", lambda function=function: function, repr)


def _nearest(tree: Any) -> Any:
    return tree.query([[0.5, 0.5]])[1]


def _at(curve: Any) -> Any:
    return curve(1.5)
