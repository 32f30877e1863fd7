"""The bundled data is MNIST, and nothing else is ever taken for it."""

import hashlib
import os
import pickle
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from conftest import PROJECT, environment
from hypothesis import example, given
from hypothesis import strategies as st

import utils

DAMAGED = "missing or damaged: download this project's data folder again"


def original_file(array):
    """Return the bytes of the original MNIST file that holds `array`: a header, then the array."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_the_arrays_are_those_of_the_four_original_files(mnist):
    readme = (PROJECT / "data/README.md").read_text(encoding="utf-8")
    checksums = dict(re.findall(r"`([\w-]+-ubyte)` \| `([0-9a-f]{64})`", readme))
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    arrays = [array for pair in mnist for array in pair]
    assert {name: hashlib.sha256(original_file(a)).hexdigest() for name, a in zip(names, arrays)} == checksums
    assert utils.MNIST_SHA256 in readme


def test_the_checksums_are_those_given_with_the_original_files():
    given_with_them = PROJECT.parent / "shared/mnist/SHA256SUMS"
    if not given_with_them.exists():
        pytest.skip("the original files are not beside this checkout")
    readme = (PROJECT / "data/README.md").read_text(encoding="utf-8")
    for line in given_with_them.read_text().splitlines():
        checksum, name = line.split()
        assert f"`{name}` | `{checksum}`" in readme


def test_shapes_and_types(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [
        (60000, 28, 28),
        (60000,),
        (10000, 28, 28),
        (10000,),
    ]
    assert all(a.dtype == np.uint8 for a in (x_train, y_train, x_test, y_test))
    assert y_train[0] == 5


def test_it_loads_from_any_folder_without_tensorflow(tmp_path):
    code = (
        "import sys, utils; print(utils.load_mnist()[1][0].shape, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT)),
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "(10000, 28, 28) False False\n"


@pytest.fixture
def data_file(tmp_path, monkeypatch):
    path = tmp_path / "mnist.npz"
    monkeypatch.setattr(utils, "MNIST_FILE", path)
    return path


CONTENT = utils.MNIST_FILE.read_bytes()


def refused(content):
    """Return whether `content` in place of the data file is refused in one line, before it is parsed."""
    path = utils.MNIST_FILE
    path.write_bytes(content)
    with pytest.raises(OSError, match=DAMAGED) as caught:
        utils.load_mnist()
    return "\n" not in str(caught.value)


def test_the_copy_is_taken(data_file, mnist):
    data_file.write_bytes(CONTENT)
    assert (utils.load_mnist()[0][0] == mnist[0][0]).all()


def test_a_truncated_file_is_refused(data_file):
    @given(st.integers(0, len(CONTENT) - 1))
    @example(0)
    @example(len(CONTENT) - 1)
    def check(length):
        assert refused(CONTENT[:length])

    check()


def test_a_changed_byte_is_refused(data_file):
    @given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
    def check(place, change):
        changed = bytearray(CONTENT)
        changed[place] ^= change
        assert refused(bytes(changed))

    check()


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_another_npz_and_a_pickle_are_refused_and_never_unpickled(data_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "other.npz", x_train=np.zeros((60000, 28, 28), np.uint8))
    assert refused((tmp_path / "other.npz").read_bytes())
    assert refused(pickle.dumps(Bomb()))
    np.savez(tmp_path / "objects.npz", x_train=np.array([Bomb()], dtype=object))
    assert refused((tmp_path / "objects.npz").read_bytes())
    assert not (tmp_path / "unpickled").exists()


def test_a_folder_in_its_place_and_no_file_at_all_are_one_sentence(data_file):
    with pytest.raises(OSError, match=r"mnist\.npz is missing or damaged: download this project's data folder again$"):
        utils.load_mnist()
    data_file.mkdir()
    with pytest.raises(OSError, match="missing"):
        utils.load_mnist()


def test_a_script_with_damaged_data_ends_with_the_sentence(data_file, run_here, capsys):
    data_file.write_bytes(CONTENT[:1000])
    with pytest.raises(OSError, match=DAMAGED):
        run_here("ch6_1.py")
    assert capsys.readouterr().out == ""
