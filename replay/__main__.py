"""The book's run, made again as nearly as its random numbers allow: by_hand.py with the random numbers of Keras 2.0.

python -m replay               256 units: what the book shows after the training, and its figures beside these
python -m replay 1000          the same for 1000 units; also: dropout, two_layers
python -m replay all           all four; their pictures are saved, not shown
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from by_hand import Adam, build_network, load_rows
from replay.author import NETWORKS, fits_author, judge, results
from replay.keras2_random import Keras2Random
from utils import (
    confusion_matrix,
    isDisplayAvl,
    plot_confusion_matrix,
    plot_images_labels_predict,
    plt,
    save_figures,
    show_train_history,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="replay",
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("network", nargs="?", default="256", choices=[*NETWORKS, "all"])
    parser.add_argument("--seed", type=int, default=10, metavar="N", help="the book's np.random.seed(N) (10)")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="save the pictures in folders below this one")
    options = parser.parse_args()
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, not {options.seed}")
    if options.figures:
        try:
            options.figures.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"no picture can be saved in {str(options.figures)!r}: {error.strerror}")

    (x_Train_norm, y_train_label), (x_Test_norm, y_test_label) = load_rows()
    X_test_image = x_Test_norm.reshape(-1, 28, 28)
    found = {}  # the results of each network
    for name in NETWORKS if options.network == "all" else [options.network]:
        if options.figures or options.network == "all" or not isDisplayAvl():
            save_figures((options.figures or Path("figures")) / f"replay_{name}")
        print(
            f"\t[Info] {NETWORKS[name]['title']}, by the random numbers of np.random.seed({options.seed}) in Keras 2.0"
        )
        hidden, dropout = NETWORKS[name]["hidden"], NETWORKS[name]["dropout"]
        network = build_network(hidden, dropout, Adam(epsilon=1e-8), Keras2Random(options.seed))  # Keras 2.0's epsilon
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

        found[name] = results(train_history, scores, df)

    for name in found:
        print(f"\t[Info] {NETWORKS[name]['title']}: the author's figures, and this run's")
        print("\n".join(judge(name, found[name])))
    plt.show()
    if options.seed == 10 and "256" in found and not fits_author(found["256"]):
        sys.exit("This run does not fit the author's: it should read 247 as a 2, and 11 or more of his fives as 3.")
