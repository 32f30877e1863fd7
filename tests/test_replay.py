"""The replay draws the random numbers of Keras 2.0, and makes the book's run again."""

import re

import numpy as np
import pytest
import tensorflow as tf
from conftest import PROJECT, run, type_in

from replay import author as book
from replay.author import FIVES, FROM_240, NETWORKS, fits_author, judge
from replay.network import Network
from replay.random_numbers import Philox


def of_tensorflow(op, shape, count, op_seed):
    key, counter = tf.constant([87654321], tf.uint64), tf.constant([count, op_seed], tf.uint64)
    return getattr(tf.raw_ops, op)(shape=shape, key=key, counter=counter, alg=1).numpy()


@pytest.mark.parametrize("shape, count", [((200, 1000), 0), ((3, 7), 0), ((4, 4), 2**32 - 2)])
def test_masks_are_those_of_tensorflow_bit_for_bit(shape, count):
    """Also where the size is no multiple of four, and where a count passes 32 bits."""
    stream = Philox(8100989)
    stream.count = count
    for _ in range(3):
        expected = of_tensorflow("StatelessRandomUniformV2", shape, count, 8100989)
        count += 256 * np.prod(shape)
        assert (stream.uniform(shape) == expected).all()
        assert (stream.dropout_factors(shape) == 2 * (expected >= 0.5)).all()


def test_first_weights_are_those_of_tensorflow():
    weights, op = Philox(7685385).normal(0.05, (784, 256)), "StatelessRandomNormalV2"
    expected = 0.05 * of_tensorflow(op, (784, 256), 0, 7685385)
    assert weights.dtype == np.float32 and np.abs(weights - expected).max() < 2e-8
    assert (weights == expected).mean() > 0.8


def test_the_order_in_which_keras_2_drew():
    """A seed for each layer as it is added; then each epoch shuffles the last one's order."""
    network = Network([1000, 1000], 0.5)
    seeds = [7685385, 8100989, 5242852, 3589440, 6909297]
    assert [stream.op_seed for stream in network.streams] == [seeds[1], seeds[3]]
    for weights, seed in zip(network.weights, seeds[::2], strict=True):
        assert (weights == Philox(seed).normal(0.05, weights.shape)).all()
    np.random.seed(10)
    assert [np.random.randint(10_000_000) for _ in seeds] == seeds
    assert (np.random.permutation(100) == network.random.permutation(100)).all()


HELD = {1: (0.8830, 0.4379, 0.9407, 0.2181), 10: (0.9918, 0.0315, 0.9760, 0.0803)}
TYPED = {
    "'by_hand' in sys.modules or 'keras' in sys.modules": "False",
    "set(df[(df.label == 5) & (df.predict == 3)].index) >= {340, 1003}": "True",
    "network.predict(x_Test_norm[:1]).argmax().item(), len(probabilities)": "(7, 10000)",
    "import ch6_1; ch6_1.build_model().set_weights(network.parameters)": "",
}


def test_the_books_run_comes_out(tmp_path):
    """With its figures and pictures, and the names that are left."""
    typed = "\n".join(["print('typed:')", *TYPED, ""])
    words = ["-m", "replay", "--figures", "圖"]  # a letter that the terminal lacks
    ended = type_in(typed, *words, folder=tmp_path, PYTHONIOENCODING="ascii")
    epochs = re.findall(r"- acc: (\S+) .*: (\S+) .*: (\S+) .*: (\S+)", ended.stdout)
    for epoch, held in HELD.items():
        assert list(map(float, epochs[epoch - 1])) == pytest.approx(held, abs=0.001), epoch
    assert "At 247'th: 4 is with wrong prediction as 2!" in ended.stdout
    told = ended.stdout.split("the book's figures, and this run's\n")[1]
    assert "5 9 8 7 2 3 0 2 4 2, the same" in told and re.search("1[123] of the book's 13", told)
    assert told.split("typed:\n")[1].splitlines()[:3] == list(TYPED.values())[:3]
    assert len(list((tmp_path / "圖/replay_256").iterdir())) == 5


@pytest.mark.parametrize("words", ["2000", "--seed -1", f"--figures {__file__}", "--se 3"])
def test_wrong_arguments_are_one_line(words, tmp_path):
    ended = run("-m", "replay", *words.split(), folder=tmp_path)
    assert ended.returncode == 2 and ended.stdout == "" and len(ended.stderr.splitlines()) == 1


def test_the_verdicts():
    runs, found = book.six_runs(), NETWORKS["256"]["book"]
    assert fits_author(found) and "here" not in "".join(judge("256", found, runs))
    other = found | {FIVES: [6043, *found[FIVES][1:]], "test accuracy": 97.9, "digit 5 right": 857}
    lines = "\n".join(judge("256", other, runs))
    assert "12 of the book's 13 fives, 1 more" in lines and "97.9%: +0.3 (six" in lines
    assert "852, here 857: +5 (six runs: 857 to 859, a miss)" in lines
    for change in ({FROM_240: [4] * 10}, {FIVES: [340, 1003]}):
        assert not fits_author(found | change)


@pytest.mark.parametrize("name", ["README.md", "README.zh-TW.md"])
def test_the_pages_show_what_was_recorded(name):
    page, runs = (PROJECT / "replay" / name).read_text(encoding="utf-8"), book.six_runs()
    rows = re.findall(r"^\| .* \| .* \| (.*) \| (.*) \| (.*) \|$", page, re.M)[2:]
    names = [(key, figure) for key, facts in NETWORKS.items() for figure in facts["book"]]
    for (key, figure), cells in zip(names, rows, strict=True):
        author, values = NETWORKS[key]["book"][figure], [run[figure] for run in runs[key].values()]
        told = [book.text(figure, v) for v in (author, runs[key]["two threads"][figure])]
        told.append(book.spread(figure, values, author).replace(" to ", "–"))
        assert list(cells) == told or isinstance(author, list)
    outside, left_out = book.count_outside(runs)
    assert f"**{outside}**" in page and f"**{min(left_out)}–{max(left_out)}**" in page
