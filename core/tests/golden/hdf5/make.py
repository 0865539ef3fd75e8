"""Write ``files.zip``, HDF5 files, and ``expected.json``, their roots as h5py sees them.

Run it where h5py, keras (with any backend) and tf_keras are installed; the tests need none of
them. What wrote the files that are checked in stands in ``expected.json`` as ``versions``. The
same versions write the same bytes again, but for the times in ``v108.h5``.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import platform
import tempfile
import zipfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import h5py
import keras
import numpy as np
import tf_keras

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(tempfile.mkdtemp())
TEXTS = {"keras_version", "backend", "title", "fixed", "latin", "no text"}

# Parts of the file creation properties that h5py has no function for.
(_LIBRARY,) = (pathlib.Path(h5py.__file__).parents[1] / "h5py.libs").glob("libhdf5-*")
HDF5 = ctypes.CDLL(str(_LIBRARY))

# Kept where not even the message in the header has the name: read as not complete.
NOT_COMPLETE = {"shared_attributes.h5"}


def create(name, *settings, latest=False, **options):
    """A new file with such creation properties: ("H5Pset_…", numbers) or ("set_…", numbers)."""
    properties = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    for setting, *numbers in settings:
        if setting.startswith("H5P"):
            call = getattr(HDF5, setting)
            assert call(ctypes.c_int64(properties.id), *map(ctypes.c_uint, numbers)) >= 0
        else:
            getattr(properties, setting)(*numbers)
    assert HDF5.H5Pset_obj_track_times(ctypes.c_int64(properties.id), ctypes.c_bool(False)) >= 0
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    if latest:
        access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    path = os.fsencode(FOLDER / name)
    return h5py.File(h5py.h5f.create(path, h5py.h5f.ACC_TRUNC, properties, access))


def fill(file, *, attributes=3, links=2):
    file.attrs["title"] = "a text of variable length"
    file.attrs["fixed"] = np.bytes_("a text of fixed length")
    for number in range(attributes - 2):
        file.attrs[f"attribute {number}"] = number
    for number in range(links):
        file[f"link {number}"] = h5py.SoftLink("/nowhere")
    return file


def models():
    for module, weights in ((keras, "keras3.weights.h5"), (tf_keras, "keras2_weights.h5")):
        module.utils.set_random_seed(0)
        layers = module.layers
        model = module.Sequential([layers.Input((2,)), layers.Dense(2, name="dense")], name="small")
        model.compile("sgd", "mse")
        model.save(FOLDER / weights.replace(".weights", "_model").replace("_weights", "_model"))
        model.save_weights(FOLDER / weights)


def plain():
    with create("empty.h5"):
        pass
    with fill(create("data.h5")) as file:
        file.attrs["no text"] = ""
        file["data"] = np.arange(3)
        file.create_group("group").attrs["not at the root"] = 1
        file["hard"] = file["group"]
        file["external"] = h5py.ExternalLink("other.h5", "/")
    with fill(create("many.h5"), attributes=70, links=150) as file:
        for number in range(0, 60, 3):  # leaves gaps, and more continuation blocks
            del file.attrs[f"attribute {number}"]
            file.attrs[f"replaced {number}"] = [number] * 5
    with fill(create("names.h5")) as file:
        file.attrs["größe ☃"] = 1
        file.attrs["n" * 300] = 2
        file["größe ☃"] = h5py.SoftLink("/nowhere")
        file["n" * 300] = h5py.SoftLink("/nowhere")
        file["type"] = np.dtype("f4")
        file.attrs.create("of a committed type", 1.0, dtype=file["type"])
        file.attrs["empty"] = h5py.Empty("f4")
        file.attrs["latin"] = np.array("caf\xe9".encode("latin-1"), "S4")
    for size in (512, 1024):
        fill(create(f"user_block_{size}.h5", ("set_userblock", size))).close()
    with create("matlab.mat", ("set_userblock", 512)) as file:
        file["a"] = np.ones((2, 2))
        file["a"].attrs["MATLAB_class"] = np.bytes_("double")
    text = (
        b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970 HDF5 schema"
    )
    with (FOLDER / "matlab.mat").open("r+b") as stream:
        stream.write(text.ljust(116) + bytes(8) + b"\x00\x02IM")


def unusual():
    fill(create("latest.h5", latest=True)).close()
    fill(create("latest_dense.h5", latest=True), attributes=60, links=160).close()
    with fill(create("latest_huge.h5", latest=True), attributes=12) as file:
        file.attrs["huge"] = np.zeros(1200)  # too big for a block of the heap
    with h5py.File(FOLDER / "v108.h5", "w", libver="v108") as file:
        fill(file)
    fill(
        create("ordered.h5", ("set_link_creation_order", 3), ("set_attr_creation_order", 3))
    ).close()
    with create(
        "ordered_dense.h5", ("set_link_creation_order", 3), ("set_attr_creation_order", 3)
    ) as file:
        fill(file, attributes=12, links=20)
    fill(create("superblock_1.h5", ("H5Pset_istore_k", 64))).close()
    for wide, long in ((4, 4), (8, 4), (4, 8)):
        name = f"offsets_{wide}_lengths_{long}"
        fill(create(f"{name}.h5", ("set_sizes", wide, long)), links=12).close()
        with create(f"{name}_latest.h5", ("set_sizes", wide, long), latest=True) as file:
            fill(file, attributes=10, links=12)
    shared = (("H5Pset_shared_mesg_nindexes", 1), ("H5Pset_shared_mesg_index", 0, 1 << 12, 20))
    fill(create("shared_attributes.h5", *shared, latest=True)).close()


def seen(path):
    """The root of one file, as h5py sees it."""
    with h5py.File(path) as file:
        texts = {}
        for name in sorted(TEXTS.intersection(file.attrs)):
            value = file.attrs[name]
            texts[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        return {
            "attributes": sorted(file.attrs),
            "links": sorted(file),
            "complete": path.name not in NOT_COMPLETE,
            "offset": file.userblock_size,
            "size": file.id.get_filesize(),
            "texts": texts,
        }


if __name__ == "__main__":
    models()
    plain()
    unusual()
    versions = {
        "python": platform.python_version(),
        "h5py": h5py.__version__,
        "hdf5": h5py.version.hdf5_version,
        "keras": keras.__version__,
        "tf_keras": tf_keras.__version__,
    }
    paths = sorted(FOLDER.iterdir())
    with zipfile.ZipFile(HERE / "files.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in paths:
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    files = {path.name: seen(path) for path in paths}
    text = json.dumps({"versions": versions, "files": files}, indent=1, ensure_ascii=False)
    (HERE / "expected.json").write_text(text + "\n", "utf-8")
