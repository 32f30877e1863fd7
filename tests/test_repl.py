"""The book's REPL passages, typed into real interpreters."""

import code
import importlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import PROJECT, SHORT, environment, type_in
from matplotlib import pyplot as plt

PASSAGES = """
from {script} import *
print(y_train_label[0])
y_TrainOneHot[:1]
x_Train.shape, x_Test_norm.shape, x_Test_norm.dtype
X_train_image.shape, y_test_label.shape, x_Test.shape, y_TestOneHot.shape
plot_image(X_train_image[0]).figure.get_size_inches()
len(plot_images_labels_prediction(X_train_image, y_train_label, [], 0, 10))
np.__name__, pd.__name__, isDisplayAvl()
build_model().count_params()
"""


def check_passages(output, parameters):
    assert [line for line in output.splitlines() if "Figure" not in line] == [
        "5",
        "array([[0., 0., 0., 0., 0., 1., 0., 0., 0., 0.]])",
        "((60000, 784), (10000, 784), dtype('float32'))",
        "((60000, 28, 28), (10000,), (10000, 784), (10000, 10))",
        "array([2., 2.])",
        "10",
        "('numpy', 'pandas', False)",
        str(parameters),
    ]


def test_import_gives_the_chapter_and_does_nothing(tmp_path):
    check_passages(type_in(PASSAGES.format(script="ch6_1"), folder=tmp_path).stdout, 203530)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["01_digit.png", "02_digits_from_0.png"]


@pytest.mark.parametrize("script, parameters", [("ch7_dropout", 795010), ("ch6_2", 1796010)])
def test_so_do_the_other_scripts(script, parameters, tmp_path, monkeypatch, capsys):
    """The same lines in an interpreter of this process, which begins with no names but the builtin ones."""
    monkeypatch.chdir(tmp_path)
    interpreter = code.InteractiveConsole()
    for line in PASSAGES.format(script=script).splitlines():
        interpreter.push(line)
    output, errors = capsys.readouterr()
    assert errors == ""
    check_passages(output, parameters)
    plt.close("all")


def test_the_helpers_alone(tmp_path):
    output = type_in(
        "from utils import *\nload_mnist()[1][1][:3].tolist()\nconfusion_matrix([5, 5], [3, 5]).loc[5, 3].item()\n"
        "import sys; 'tensorflow' in sys.modules\n",
        folder=tmp_path,
    ).stdout
    assert output.splitlines() == ["[7, 2, 1]", "1", "False"]


def test_a_script_with_arguments_of_its_own_a_thread_and_twice(tmp_path, monkeypatch, capsys):
    def settings():
        return sys.argv[:], sys.excepthook, signal.getsignal(signal.SIGINT), dict(os.environ)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["own.py", "--epochs", "none of yours", "--help"])
    for name in ("ch6_1", "utils", "command_line"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = settings()
    thread = threading.Thread(target=importlib.import_module, args=["ch6_1"])
    thread.start()
    thread.join()
    names = {}
    exec("from ch6_1 import *\nfrom ch6_1 import *", names)
    assert names["y_train_label"][0] == 5
    assert settings() == before and capsys.readouterr() == ("", "") and not list(tmp_path.iterdir())


def test_ipython(tmp_path):
    lines = ["from ch6_1 import *", "print(y_train_label[0], isDisplayAvl())"]
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--no-confirm-exit", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT), IPYTHONDIR=str(tmp_path)),
        capture_output=True,
        encoding="utf-8",
    )
    assert ended.stdout.splitlines()[-1] == "5 False", ended.stderr


def test_jupyter_shows_figures_inline(tmp_path, monkeypatch):
    """A notebook that imports, plots in a loop, and runs a script: each figure appears once, in no file."""
    import nbformat
    from nbclient import NotebookClient

    for name, value in SHORT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    cells = [
        "from ch6_1 import *",
        "plot_image(X_train_image[0])",
        "for i in range(3):\n    plot_image(X_train_image[i])",
        f"%run {json.dumps(str(PROJECT / 'ch6_1.py'))} --epochs 1",
        "prediction.shape",
        f"%run {json.dumps(str(PROJECT / 'replay/__main__.py'))} ch6_1.py --epochs 1",
        "prediction.shape, train_history.params['epochs']",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    def pictures(cell):
        return sum("image/png" in output.get("data", {}) for output in cell.outputs)

    assert [pictures(cell) for cell in notebook.cells] == [0, 1, 3, 7, 0, 7, 0]
    assert notebook.cells[4].outputs[0].data["text/plain"] == "(10000,)"
    assert notebook.cells[5].outputs[0].text.startswith("\t[Replay] ")
    assert notebook.cells[6].outputs[0].data["text/plain"] == "((10000,), 1)"
    assert not list(tmp_path.rglob("*.png"))
