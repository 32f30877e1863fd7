"""The replay draws the random numbers of Keras 2.0, and makes the author's run again."""

import re

import numpy as np
import pytest
import tensorflow as tf
from conftest import type_in

from by_hand import Network, build_network
from replay.author import FIVES, FROM_240, NETWORKS, fits_author, judge
from replay.keras2_random import Keras2Random, LayerRandom


def of_tensorflow(op, shape, count, op_seed):
    key, counter = tf.constant([87654321], tf.uint64), tf.constant([count, op_seed], tf.uint64)
    return getattr(tf.raw_ops, op)(shape=shape, key=key, counter=counter, alg=1).numpy()


@pytest.mark.parametrize("shape, count", [((200, 1000), 0), ((3, 7), 0), ((4, 4), 2**32 - 2)])
def test_masks_are_those_of_tensorflow_bit_for_bit(shape, count):
    """Where the size is no multiple of four, and beyond a count of 32 bits, too."""
    generator = LayerRandom(8100989)
    generator.count = count
    for step in range(3):
        numbers = generator.random(shape, "float32")
        expected = of_tensorflow("StatelessRandomUniformV2", shape, count + 256 * np.prod(shape) * step, 8100989)
        assert numbers.dtype == np.float32 and (numbers == expected).all()


def test_first_weights_are_those_of_tensorflow():
    weights = LayerRandom(7685385).normal(0, 0.05, (784, 256))
    expected = 0.05 * of_tensorflow("StatelessRandomNormalV2", (784, 256), 0, 7685385)
    assert weights.dtype == np.float32 and np.abs(weights - expected).max() < 2e-8
    assert (weights == expected).mean() > 0.8


def test_the_order_in_which_keras_2_drew():
    """A seed for each dense and dropout layer as it is added, then each epoch shuffles the last one's order."""
    network = build_network([1000, 1000], 0.5, generator=Keras2Random(10))
    seeds = [7685385, 8100989, 5242852, 3589440, 6909297]
    assert [layer.generator.op_seed for layer in network.layers if hasattr(layer, "rate")] == [seeds[1], seeds[3]]
    for layer, seed in zip((0, 3, 6), (seeds[0], seeds[2], seeds[4])):
        weights = network.layers[layer].parameters[0]
        assert (weights == LayerRandom(seed).normal(0, 0.05, weights.shape)).all()
    np.random.seed(10)
    assert [np.random.randint(10_000_000) for _ in seeds] == seeds
    expected, order = np.arange(48000), np.arange(48000)
    for _ in range(2):
        np.random.shuffle(expected)
        network.generator.shuffle(order)
        assert (order == expected).all()


HELD = {1: (0.8830, 0.4379, 0.9407, 0.2181), 2: (0.9456, 0.1908, 0.9561, 0.1556), 10: (0.9918, 0.0315, 0.9760, 0.0803)}
TYPED = {
    "'tensorflow' in sys.modules or 'keras' in sys.modules": "False",
    "set(df[(df.label == 5) & (df.predict == 3)].index) >= {340, 1003}": "True",
    "plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=247, num=1)[0].get_title()": "'l=4,p=2'",
    "network.predict(x_Test_norm[:1]).argmax().item(), probabilities.shape": "(7, (10000, 10))",
    "len(errors) + round(1e4 * scores[1])": "10000",
}


def test_the_authors_run_comes_out(tmp_path):
    """With its figures and pictures, and the names that are left to type with."""
    ended = type_in("print('typed:')\n" + "\n".join(TYPED) + "\n", "-m", "replay", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    epochs = re.findall(r"acc: (\S+) - loss: (\S+) - val_acc: (\S+) - val_loss: (\S+)", ended.stdout)
    for epoch, held in HELD.items():
        assert [float(figure) for figure in epochs[epoch - 1]] == pytest.approx(held, abs=0.001), epoch
    assert "At 247'th: 4 is with wrong prediction as 2!" in ended.stdout
    lines = ended.stdout.split("the author's figures, and this run's\n")[1].splitlines()
    assert re.search(r"97\.6%, (the same$|here 97\.7%: \+0\.1 \(seed 10)", lines[0])  # as the processor rounds
    assert lines[1].endswith("5 9 8 7 2 3 0 2 4 2, the same")
    assert re.search(r"1[123] of the book's 13 fives, \d more \(seed 10, other", lines[2])
    assert re.search(r"1125, here 112\d: -\d \(seed 10, other rounding or epsilon: \d+", lines[3])
    typed = ended.stdout.split("typed:\n")[1].splitlines()
    assert [line for line in typed if "Figure saved" not in line] == list(TYPED.values())
    names = ["01_acc", "02_loss", "03_digits_from_240", "04_confusion_matrix", "05_digits_from_340"]
    assert sorted(path.stem for path in (tmp_path / "figures/replay_256").iterdir()) == [*names, "06_digits_from_247"]


def test_all_four_and_another_seed(run_here, tmp_path, monkeypatch, capsys):
    """One epoch of each, in this process: each has pictures of its own, and the status tells another run."""
    fit = Network.fit
    monkeypatch.setattr(Network, "fit", lambda self, x, labels: fit(self, x[:2000], labels[:2000], epochs=1))
    with pytest.raises(SystemExit, match="^This run does not fit the author's"):
        run_here("replay", "all", "--figures", "pictures")
    output = capsys.readouterr().out
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {f"replay_{name}" for name in NETWORKS}
    assert output.count("the author's figures, and this run's") == 4 and output.count("Confusion Matrix:") == 4
    run_here("replay", "dropout", "--seed", "3")
    assert "np.random.seed(3)" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["2000"], ["--seed", "-1"], ["--figures", __file__]])
def test_wrong_arguments_are_one_line(arguments, run_here, capsys):
    with pytest.raises(SystemExit) as end:
        run_here("replay", *arguments)
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == "" and len(output.err.splitlines()) == 1


def test_the_verdicts():
    found = {figure: author for figure, (author, _) in NETWORKS["256"]["book"].items()}
    assert fits_author(found)
    assert all("the same" in line or "13 of the book's 13" in line for line in judge("256", found))
    found |= {FIVES: found[FIVES].replace("340", "6043"), "test accuracy": "97.9%", FROM_240: "5 9 8 7 2 3 0 4 4 2"}
    lines = "\n".join(judge("256", found))
    assert not fits_author(found) and "12 of the book's 13 fives, 1 more" in lines and "97.9%: +0.3 (seed 10" in lines
    assert not fits_author(found | {FROM_240: "5 9 8 7 2 3 0 2 4 2", FIVES: "340 1003"})
