"""What the author printed of his four networks, and how near to it a run of the replay comes."""

from decimal import Decimal

FROM_240, FIVES = "predictions from 240 on", "every 5 read as 3"

# For each network: its hidden layers and dropout, and each figure as the book prints it, with the range of six runs of
# the replay in which nothing but the rounding of the sums or Adam's epsilon is changed (benchmarks/README.md). Seven of
# the author's 20 figures lie outside. By chance about six would: of seven runs one is the lowest, one the highest.
NETWORKS = {
    "256": {
        "title": "256 units",
        "hidden": [256],
        "dropout": 0,
        "book": {
            "test accuracy": ("97.6%", "97.6% to 97.7%"),
            FROM_240: ("5 9 8 7 2 3 0 2 4 2", "the same in 6 of 6"),
            FIVES: (
                "340 1003 1393 2035 2526 2597 2810 3117 4271 4355 4360 5937 5972",
                "12 to 13 of these 13, and 0 to 1 more",
            ),
            "digit 1 right": ("1125", "1124"),
            "digit 5 right": ("852", "857 to 859"),
        },
    },
    "1000": {
        "title": "1000 units",
        "hidden": [1000],
        "dropout": 0,
        "book": {
            "loss": ("0.0064", "0.0062 to 0.0064"),
            "acc": ("0.9993", "0.9990 to 0.9992"),
            "val_loss": ("0.0701", "0.0710 to 0.0736"),
            "val_acc": ("0.9807", "0.9795 to 0.9802"),
            "test accuracy": ("97.9%", "97.9% to 98.0%"),
        },
    },
    "dropout": {
        "title": "1000 units, dropout",
        "hidden": [1000],
        "dropout": 0.5,
        "book": {
            "loss": ("0.0380", "0.0371 to 0.0378"),
            "acc": ("0.9882", "0.9884 to 0.9888"),
            "val_loss": ("0.0666", "0.0653 to 0.0682"),
            "val_acc": ("0.9807", "0.9801 to 0.9811"),
            "test accuracy": ("98.0%", "98.0% to 98.1%"),
        },
    },
    "two_layers": {
        "title": "2 x 1000 units, dropout",
        "hidden": [1000, 1000],
        "dropout": 0.5,
        "book": {
            "loss": ("0.0523", "0.0512 to 0.0535"),
            "acc": ("0.9828", "0.9824 to 0.9837"),
            "val_loss": ("0.0786", "0.0732 to 0.0815"),
            "val_acc": ("0.9791", "0.9782 to 0.9806"),
            "test accuracy": ("97.9%", "97.9% to 98.1%"),
        },
    },
}


def results(train_history, scores, df):
    """Return the results of a run in the form in which the book prints them."""
    right = df.label[df.label == df.predict].value_counts()
    return {name: f"{values[-1]:.4f}" for name, values in train_history.items()} | {
        "test accuracy": f"{scores[1]:.1%}",
        FROM_240: " ".join(map(str, df.predict[240:250])),
        FIVES: " ".join(map(str, df.index[(df.label == 5) & (df.predict == 3)])),
        "digit 1 right": str(right[1]),
        "digit 5 right": str(right[5]),
    }


def judge(name, found):
    """Tell for each figure of the author, in a line, whether it was found, or by how much it was missed."""
    lines = []
    for figure, (author, others) in NETWORKS[name]["book"].items():
        value = found[figure]
        if value == author:
            verdict = f"{author}, the same"
        elif figure == FIVES:
            wanted, seen = set(author.split()), set(value.split())
            verdict = f"{len(wanted & seen)} of the book's {len(wanted)} fives, {len(seen - wanted)} more"
        elif figure == FROM_240:
            verdict = f"{author}, here {value}"
        else:
            off = Decimal(value.rstrip("%")) - Decimal(author.rstrip("%"))
            verdict = f"{author}, here {value}: {off:+}"
        if value != author:
            verdict += f" (seed 10, other rounding or epsilon: {others})"
        lines.append(f"\t{figure:24} {verdict}")
    return lines


def fits_author(found):
    """Return whether these results of the 256 units fit the author's: digit 247 read as a 2, 11 of his fives as 3.

    Under other arithmetic the replay misreads 12 or 13 of the thirteen; 11 leave room for another processor's. It is no
    proof: of the other seeds from 1 to 20 none misreads more than 11, but seed 12 passes too (benchmarks/README.md).
    """
    fives = set(NETWORKS["256"]["book"][FIVES][0].split()) & set(found[FIVES].split())
    return found[FROM_240].split()[247 - 240] == "2" and len(fives) >= 11
