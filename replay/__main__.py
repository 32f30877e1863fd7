"""The book's own run: the chapter's networks with the random numbers of the author's Keras.

python replay ch6_1.py [its options]   run a script of the chapter; --seed N stands for the book's np.random.seed(N)
python replay                          train all four networks, and print the author's figures beside those of this run
"""

import argparse
import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from author import NETWORKS, figures
from keras2_random import CannotReplay, install

PROJECT = Path(__file__).resolve().parent.parent
NOTE = "\t[Replay] with the random numbers of the author's Keras; replay/training_loop.py in place of model.fit"


def read_arguments():
    """Return the path of the script, or None, and its options; end with one line and status 2 where there is none."""
    parser = argparse.ArgumentParser(
        prog="replay",
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("script", nargs="?", help="ch6_1.py, ch7_dropout.py or ch6_2.py")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of the script")
    arguments = parser.parse_args()
    if keras.backend.backend() != "tensorflow":
        parser.error(f"the author's run was on TensorFlow; it cannot be replayed on {keras.backend.backend()}")
    if arguments.script is None:
        return None, []
    for path in (Path(arguments.script), PROJECT / arguments.script):
        if path.is_file():
            return path.resolve(), arguments.options
    parser.error(f"there is no script {arguments.script!r}")


def train(name, units):
    """Build, train and test one of the networks as its script does, and return its figures."""
    script = importlib.import_module(name)
    keras.utils.set_random_seed(10)
    model = script.build_model(units) if units else script.build_model()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    train_history = model.fit(
        script.x_Train_norm, script.y_TrainOneHot, validation_split=0.2, epochs=10, batch_size=200, verbose=2
    )
    scores = model.evaluate(script.x_Test_norm, script.y_TestOneHot, batch_size=10000, verbose=0)
    prediction = np.argmax(model.predict(script.x_Test_norm, batch_size=10000, verbose=0), axis=1)
    return figures(train_history, scores, pd.DataFrame({"label": script.y_test_label, "predict": prediction}))


def train_all():
    """Train the four networks, and print the author's figures beside those that came out."""
    runs = {}
    for name, network in NETWORKS.items():
        print(f"\n{name}")
        runs[name] = train(network["script"], network["units"])
    for name, network in NETWORKS.items():
        print(f"\n{name:30}{'the author':14}this run")
        for figure, author in network["book"].items():
            if len(author) < 10:
                print(f"  {figure:28}{author:14}{runs[name][figure]}")
            else:
                print(f"  {figure}\n    the author  {author}\n    this run    {runs[name][figure]}")


if __name__ == "__main__":
    script, options = read_arguments()
    install()
    print(NOTE)
    sys.path[0] = str(script.parent if script else PROJECT)
    if script is None:
        train_all()
    else:
        # In these variables, not in others, so that `python -i` leaves the script's to explore.
        sys.argv = [f"replay_{script.name}", *options]  # so that its pictures have a folder of their own
        __file__ = str(script)
        try:
            exec(compile(script.read_bytes(), script, "exec"))
        except CannotReplay as error:
            sys.exit(f"replay: {error}")
