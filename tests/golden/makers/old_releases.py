"""Run by Pythons of their own, down to 2.7, with the old releases that ``README.md`` names.

Writes into the folder that is its argument, and prints a JSON line for each file that is a model.
"""
# ruff: noqa: UP031

import importlib
import json
import os
import pickle
import platform
import sys

PYTHON = "Python " + platform.python_version()
OLD = sys.version_info < (3,)


def main(folder):
    """Write everything for which this Python has what it needs."""
    os.chdir(folder)
    if OLD:
        plain_of_python_2()
    else:
        plain_of_python_3()
    for name, write in (("joblib", dumps), ("lightgbm", texts), ("onnx", graphs)):
        try:
            write(importlib.import_module(name))
        except ImportError:
            pass  # not of this environment


def said(path, label, format, producer, notes=""):
    """One file is there."""
    row = {"path": path, "label": label, "format": format, "producer": producer, "notes": notes}
    sys.stdout.write(json.dumps(row) + "\n")


def put(path, data, format, notes="", producer=PYTHON):
    """A pickle."""
    with open(path, "wb") as stream:
        stream.write(data)
    said(path, "pickle", format, producer, notes)


def plain_of_python_2():
    """Strings are bytes there, classes of the old style have opcodes of their own."""
    import cPickle
    import UserDict

    old_style = UserDict.UserDict({"w": [0.5, 1.5], "b": 2})
    told = "an instance of an old-style class"
    for protocol in (0, 1, 2):
        name = "python2_instance_p%d.pkl" % protocol
        put(name, cPickle.dumps(old_style, protocol), "pickle-p%d" % protocol, told)
        weights = {b"w".decode("ascii"): [0.5, -1.25], "b": 3, "name": "tiny", "when": (None, True)}
        name = "python2_dict_p%d" % protocol
        put(name, cPickle.dumps(weights, protocol), "pickle-p%d" % protocol)
    put("python2_module_p0.pkl", pickle.dumps(weights, 0), "pickle-p0", "by pickle, not cPickle")
    import numpy

    array = numpy.arange(12, dtype="i1").reshape(3, 4)
    producer = PYTHON + ", numpy " + numpy.__version__
    put("python2_array_p2.pkl", cPickle.dumps({"w": array}, 2), "pickle-p2", producer=producer)
    put("python2_array_p0.pkl", cPickle.dumps(array, 0), "pickle-p0", producer=producer)


def plain_of_python_3():
    """The libraries' models of their day."""
    try:
        import sklearn
    except ImportError:
        return
    producer = PYTHON + ", scikit-learn " + sklearn.__version__
    short = "".join(sklearn.__version__.split(".")[:2])
    for protocol in (0, 2, 3, 4):
        data = pickle.dumps(ridge(), protocol)
        name = "sklearn_%s_p%d.pkl" % (short, protocol)
        put(name, data, "pickle-p%d" % protocol, producer=producer)


def ridge():
    """A fitted linear model."""
    import numpy
    from sklearn.linear_model import Ridge

    x = numpy.random.RandomState(0).rand(30, 4)
    return Ridge().fit(x, x.sum(axis=1))


def dumps(joblib):
    """joblib before 0.10 kept arrays in files beside; before 1.2 it did not align them."""
    import numpy

    producer = PYTHON + ", joblib " + joblib.__version__
    short = "joblib_" + joblib.__version__.replace(".", "")
    arrays = {"w": numpy.arange(24.0).reshape(4, 6), "b": numpy.zeros(3, "i2")}
    beside = joblib.__version__.startswith("0.9")
    told = "arrays in files beside it" if beside else "arrays are not aligned"
    joblib.dump(arrays, short + ".pkl")
    said(short + ".pkl", "joblib", "joblib-old" if beside else "joblib-raw", producer, told)
    joblib.dump({"k": 0.5, "names": ["a", "b"]}, short + "_words.pkl", compress=3)
    finer = "joblib-zfile" if beside else "joblib-zlib"
    said(short + "_words.pkl", "joblib", finer, producer)
    joblib.dump(arrays, short + "_packed.z", compress=3)
    said(short + "_packed.z", "joblib", finer, producer, told if beside else "")
    if beside:
        return
    for protocol in (0, 2, 3, 4):
        name = "%s_p%d.joblib" % (short, protocol)
        joblib.dump(arrays, name, protocol=protocol)
        said(name, "joblib", "joblib-raw", producer, told)
    for letter in "N.":  # raw bytes that look like opcodes: None, and STOP
        images = [numpy.full(50, ord(letter), "u1"), {"columns": ["a", "b"]}]
        name = "%s_of_%d_p4.pkl" % (short, ord(letter))
        joblib.dump(images, name, protocol=4)
        said(name, "joblib", "joblib-raw", producer, told + ", and look like opcodes")
    for name in ("gzip", "bz2", "xz", "lzma"):
        joblib.dump(arrays, "%s_%s" % (short, name), compress=(name, 3))
        said("%s_%s" % (short, name), "joblib", "joblib-" + name, producer)
    import sklearn

    producer += ", scikit-learn " + sklearn.__version__
    joblib.dump(ridge(), short + "_ridge.joblib")
    said(short + "_ridge.joblib", "joblib", "joblib-raw", producer, told)
    joblib.dump([ridge(), ["a", "b"]], short + "_list.sav", protocol=2)
    said(short + "_list.sav", "joblib", "joblib-raw", producer, told)


def texts(lightgbm):
    """Text models of formats v2 and v3."""
    import numpy

    x = numpy.random.RandomState(1).rand(120, 3)
    producer = PYTHON + ", lightgbm " + lightgbm.__version__
    major = lightgbm.__version__.split(".")[0]
    for name, settings, y in (
        ("regression.txt", {"objective": "regression"}, x[:, 0]),
        ("binary", {"objective": "binary"}, x[:, 0] > 0.5),
        ("classes.model", {"objective": "multiclass", "num_class": 3}, (x[:, 1] * 3).astype(int)),
    ):
        settings = dict(settings, verbose=-1, num_leaves=4, min_data_in_leaf=5, num_threads=1)
        booster = lightgbm.train(settings, lightgbm.Dataset(x, y), 2)
        path = "lightgbm_%s_%s" % (major, name)
        booster.save_model(path)
        with open(path) as stream:
            version = next(line for line in stream if line.startswith("version=")).strip()
        said(path, "lightgbm", "lightgbm-" + version[8:], producer, version)


def graphs(onnx):
    """A graph of its day."""
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Sigmoid", ["x"], ["y"])]
    given, result = (
        value("x", TensorProto.FLOAT, [None, 2]),
        value("y", TensorProto.FLOAT, [None, 2]),
    )
    model = helper.make_model(helper.make_graph(nodes, "g", [given], [result]))
    model.producer_name = "old"
    path = "onnx_" + onnx.__version__.replace(".", "")
    with open(path, "wb") as stream:
        stream.write(model.SerializeToString())
    said(path, "onnx", "onnx", PYTHON + ", onnx " + onnx.__version__)


if __name__ == "__main__":
    main(sys.argv[1])
