"""The book's run again, with the random numbers of its day.

python -m replay               256 units: what the book shows after training, beside its figures
python -m replay 1000          the same with 1000 units; also: dropout, two_layers
python -m replay all           all four; saves their pictures and shows none
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt

from replay.author import NETWORKS, fits_author, judge, results, six_runs, tell_chance
from replay.network import Network, load_rows
from utils import (
    confusion_matrix,
    isDisplayAvl,
    plot_confusion_matrix,
    plot_images_labels_predict,
    save_figures,
    show_train_history,
)


def read_options():
    parser = argparse.ArgumentParser(
        prog="replay",
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("network", nargs="?", default="256", choices=[*NETWORKS, "all"])
    help = "the number in the book's np.random.seed(N) (10)"
    parser.add_argument("--seed", type=int, default=10, metavar="N", help=help)
    help = "save the pictures in folders below this one"
    parser.add_argument("--figures", type=Path, metavar="DIR", help=help)
    options = parser.parse_args()
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, not {options.seed}")
    if options.figures:
        try:
            options.figures.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"cannot save pictures in {str(options.figures)!r}: {error.strerror}")
    return options


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # a notebook's output has no encoding of its own
        sys.stdout.reconfigure(errors="replace")  # a letter that the terminal lacks ends no run
    options = read_options()
    (x_Train_norm, y_train_label), (x_Test_norm, y_test_label) = load_rows()
    X_test_image = x_Test_norm.reshape(-1, 28, 28)
    found = {}  # the figures of each network
    for name in NETWORKS if options.network == "all" else [options.network]:
        facts = NETWORKS[name]
        if options.figures or options.network == "all" or not isDisplayAvl():
            save_figures((options.figures or Path("figures")) / f"replay_{name}")
        print(f"\t[Info] {facts['title']}, as np.random.seed({options.seed}) began it in Keras 2.0")
        network = Network(facts["hidden"], facts["dropout"], options.seed)
        train_history = network.fit(x_Train_norm, y_train_label)
        show_train_history(train_history, "acc", "val_acc")
        show_train_history(train_history, "loss", "val_loss")

        scores = network.evaluate(x_Test_norm, y_test_label)
        print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
        probabilities = network.predict(x_Test_norm)
        prediction = probabilities.argmax(axis=1)
        print("\t[Info] Show 10 prediction result (From 240):")
        print(prediction[240:250])
        plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=240)
        df = pd.DataFrame({"label": y_test_label, "predict": prediction})
        errors = df[df.label != df.predict]
        print("\t[Info] Error analysis:")
        for i, row in errors[:10].iterrows():
            print(f"\tAt {i}'th: {row.label} is with wrong prediction as {row.predict}!")
        print(f"\t{len(errors)} errors in all")
        print("\t[Info] Display Confusion Matrix:")
        print(confusion_matrix(y_test_label, prediction))
        plot_confusion_matrix(y_test_label, prediction)
        print(df[:2])
        print(df[(df.label == 5) & (df.predict == 3)])
        plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1)

        found[name] = results(train_history, scores[1], y_test_label, prediction)

    runs = six_runs()
    for name in found:
        print(f"\t[Info] {NETWORKS[name]['title']}: the book's figures, and this run's")
        print("\n".join(judge(name, found[name], runs)))
    print(f"\t[Info] {tell_chance(runs)}")
    plt.show()
    if options.seed == 10 and "256" in found and not fits_author(found["256"]):
        wanted = "it should read 247 as a 2, and 11 or more of his fives as 3."
        sys.exit(f"This run does not fit the author's: {wanted}")
