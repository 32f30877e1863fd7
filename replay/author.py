"""What the author printed, and the same figures of a run here."""

# The four networks: the script and arguments that build each, and its figures as the book prints them.
NETWORKS = {
    "256 units": {
        "script": "ch6_1",
        "units": 256,
        "book": {
            "test accuracy": "97.6%",
            "predictions from 240 on": "5 9 8 7 2 3 0 2 4 2",
            "every 5 read as 3": "340 1003 1393 2035 2526 2597 2810 3117 4271 4355 4360 5937 5972",
            "digit 1 right": "1125",
            "digit 5 right": "852",
        },
    },
    "1000 units": {
        "script": "ch6_1",
        "units": 1000,
        "book": {
            "loss": "0.0064",
            "accuracy": "0.9993",
            "val_loss": "0.0701",
            "val_accuracy": "0.9807",
            "test accuracy": "97.9%",
        },
    },
    "1000 units, dropout": {
        "script": "ch7_dropout",
        "units": 1000,
        "book": {
            "loss": "0.0380",
            "accuracy": "0.9882",
            "val_loss": "0.0666",
            "val_accuracy": "0.9807",
            "test accuracy": "98.0%",
        },
    },
    "2 x 1000 units, dropout": {
        "script": "ch6_2",
        "units": None,
        "book": {
            "loss": "0.0523",
            "accuracy": "0.9828",
            "val_loss": "0.0786",
            "val_accuracy": "0.9791",
            "test accuracy": "97.9%",
        },
    },
}


def figures(train_history, scores, df):
    """Return the figures of a run in the form in which the book prints them.

    Args:
        train_history, scores, df: the variables of a script, once it has run.
    """
    last_epoch = {metric: f"{values[-1]:.4f}" for metric, values in train_history.history.items()}
    right = df.label[df.label == df.predict].value_counts()
    return last_epoch | {
        "test accuracy": f"{scores[1]:.1%}",
        "predictions from 240 on": " ".join(map(str, df.predict[240:250])),
        "every 5 read as 3": " ".join(map(str, df.index[(df.label == 5) & (df.predict == 3)])),
        "digit 1 right": str(right[1]),
        "digit 5 right": str(right[5]),
    }
