"""What the chapter's scripts do alike around the chapter: read options, stop on Ctrl-C, write files whole.

It imports nothing but Python's own modules, so that `--help` and a wrong option answer at once.
"""

import argparse
import contextlib
import gc
import os
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path

failures = []  # what could not be written, for the exit status
unfinished = set()  # files being written, to be removed on Ctrl-C
in_training = []  # models to be saved even after Ctrl-C


class OneLineParser(argparse.ArgumentParser):
    """An `ArgumentParser` that reports an error in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def whole_number(low, high):
    """Return a function that turns text into an integer from `low` to `high`, for `add_argument(type=...)`."""

    def convert(text):
        with contextlib.suppress(ValueError):
            if low <= int(text) <= high:
                return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")

    return convert


def read_options(description, units=None):
    """Read the command line of a chapter script and prepare the terminal.

    Args:
        description: the script's docstring, shown by `--help`.
        units: the default of `--units`; without it the script has no such option.

    Returns:
        A namespace with `epochs`, `batch_size`, `seed`, `figures` (a folder), `save` (a path or None), `all_errors`
        and, where asked for, `units`.

    Raises:
        SystemExit: with status 2 and one line on standard error, when an option is wrong or a path cannot be written.
    """
    script = Path(sys.argv[0])
    prepare_terminal()
    parser = OneLineParser(
        prog=script.name,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )

    def add_number(option, default, high, meaning):
        help = f"{meaning}, 1 to {high:,} (default: {default})"
        parser.add_argument(option, type=whole_number(1, high), default=default, metavar="N", help=help)

    if units:
        add_number("--units", units, 100_000, "units in the hidden layer")
    add_number("--epochs", 10, 1_000_000, "times the training data is gone through")
    add_number("--batch-size", 200, 60_000, "images in one training step")
    add_number("--seed", 10, 2**32 - 1, "seed of the random numbers: the same seed gives the same result")
    default_folder = Path("figures", script.stem)
    parser.add_argument(
        "--figures",
        metavar="DIR",
        help=f"save the figures in this folder and open no window (default: windows, or {default_folder.as_posix()}"
        " where there is no display)",
    )
    parser.add_argument("--save", metavar="FILE.keras", help="save the trained model (default: it is not saved)")
    parser.add_argument("--all-errors", action="store_true", help="list all wrong predictions (default: the first ten)")
    options = parser.parse_args()

    try:
        if options.save is not None:
            options.save = check_model_path(options.save)
        if options.figures is not None:
            os.environ["MPLBACKEND"] = "agg"  # Matplotlib's backend that opens no window
            if "matplotlib.pyplot" in sys.modules:  # in a notebook
                sys.modules["matplotlib.pyplot"].switch_backend("agg")
            options.figures = check_folder(options.figures)
    except OSError as error:
        parser.error(str(error))
    options.figures = options.figures or default_folder
    return options


def check_model_path(text):
    """Return `text` as a path to save a model at; raise OSError when that cannot work."""
    path = Path(text)
    if path.suffix != ".keras":
        raise OSError(f"--save {text!r}: the file name must end in .keras")
    if path.is_dir():
        raise OSError(f"--save {text!r}: this is a folder, give a file name")
    if not path.parent.is_dir():
        raise OSError(f"--save {text!r}: the folder {str(path.parent)!r} does not exist")
    check_writable("--save", path.parent)
    return path


def check_folder(text):
    """Return `text` as a folder that exists and takes files, made if need be; raise OSError when that cannot work."""
    if not text:
        raise OSError("--figures '': give the name of a folder")
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"--figures {text!r}: the folder cannot be made ({error.strerror})") from error
    check_writable("--figures", Path(text))
    return Path(text)


def check_writable(option, folder):
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"{option}: no file can be written in {str(folder)!r} ({error.strerror})") from error


def prepare_terminal():
    """Start fast, print lines as they happen, end without a traceback on Ctrl-C, a closed pipe, a missing file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # hides its log, where a missing GPU is an error
    if not in_a_session():
        gc.set_threshold(100_000)  # a second less: importing Keras makes a million objects, and they all stay
        sys.stdout.reconfigure(line_buffering=True)
        sys.excepthook = end_with_one_line
        watch_for_interrupts()


def in_a_session():
    """Return whether somebody goes on typing after the script: `python -i`, IPython, Jupyter, IDLE."""
    return bool(sys.flags.interactive) or hasattr(sys, "ps1") or not hasattr(sys.stdout, "reconfigure")


def end_with_one_line(kind, error, traceback):
    """Serve as `sys.excepthook`: one line for what is not the program's fault, the traceback for all else."""
    script = Path(sys.argv[0]).name
    if issubclass(kind, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left, as `| head` does
    elif issubclass(kind, OSError):
        print(f"{script}: {error}", file=sys.stderr)
    elif issubclass(kind, ModuleNotFoundError):
        print(f"{script}: {error}; README.md tells how to install what the scripts need", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


def watch_for_interrupts():
    """End on Ctrl-C with status 130, as shells expect, or let `saving` save the model first.

    A thread does it, for Python's own handlers wait while TensorFlow computes, which may be a whole epoch.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)

    def watch(sender):
        while True:
            if receiver.recv(1)[0] == signal.SIGINT and not let_training_end():
                for path in list(unfinished):
                    path.unlink(missing_ok=True)
                os.write(sys.stderr.fileno(), b"\nStopped by Ctrl-C.\n")
                os._exit(130)

    signal.signal(signal.SIGINT, lambda signal_number, frame: None)
    signal.set_wakeup_fd(sender.fileno())
    threading.Thread(target=watch, args=[sender], daemon=True).start()


def let_training_end():
    """Return whether a model is being trained that will be saved; if so, the running epoch is its last."""
    for model in in_training:
        if not model.stop_training:
            model.stop_training = True
            return True
    return False


@contextlib.contextmanager
def saving(model, path):
    """Save `model` at `path` when the block ends: after the training, after Ctrl-C, after an error.

    Ctrl-C lets the running epoch or the saving end and then ends the script with status 130; a second one ends at once.
    In a session it raises KeyboardInterrupt as ever, and the model is saved all the same.

    Args:
        model: the `keras.Model` trained in the block.
        path: a `pathlib.Path` that ends in `.keras`, or None, which saves nothing.
    """
    if path is None:
        yield
        return

    in_training.append(model)
    try:
        yield
    finally:
        try:
            with replaced_whole(path) as temporary:
                model.save(temporary)
        except OSError as error:
            report_failure(f"The model could not be saved as {str(path)!r}: {error.strerror or error}")
            how = "nothing is saved"
        else:
            how = f"the model as trained so far is saved: {path}"
            print(f"\t[Info] Model saved: {printable(path)}")
        in_training.remove(model)
    if model.stop_training:
        print(f"Stopped by Ctrl-C; {how}", file=sys.stderr)
        sys.exit(130)


@contextlib.contextmanager
def replaced_whole(path):
    """Give the block a path to write to, and put what it wrote in the place of `path` once it is complete."""
    temporary = path.with_name(f".unfinished-{os.getpid()}{path.suffix}")
    unfinished.add(temporary)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        unfinished.remove(temporary)


def printable(path):
    """Return `path` as text that the terminal's encoding can show."""
    encoding = sys.stdout.encoding or "utf-8"
    return str(path).encode(encoding, "backslashreplace").decode(encoding)


def report_failure(sentence):
    """Say on standard error what could not be done; the script goes on and ends with status 1."""
    failures.append(sentence)
    print(sentence, file=sys.stderr)


def end_script():
    """End with status 1 if something could not be written; in a session, leave everything to explore."""
    if not in_a_session():
        gc.freeze()  # another second less: Python need not look through all objects before it ends
        if failures:
            sys.exit(1)
