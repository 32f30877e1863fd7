"""draw_digit, driven by a real mouse on a virtual display (Xvfb and xdotool, of Debian's packages of these names)."""

import os
import re
import shutil
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import PROJECT, environment, own_lines

import explore

virtual_display = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="Xvfb and xdotool are not installed"
)


@pytest.fixture(scope="module")
def display():
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    server.kill()
    server.wait()


class Window:
    """A process that shows two sheets in turn, and the mouse over them; positions are parts of the paper, 0 to 1."""

    def __init__(self, display, model_file, folder):
        # After each reading the sheet's digit is printed, and how long the movement before it waited for the bars.
        code = (
            "import sys, time, keras, explore\n"
            "read, move, times = explore.Sheet.read, explore.Sheet.move, []\n"
            "def timed_move(self, event):\n    times.append(time.perf_counter()); move(self, event)\n"
            "def timed_read(self):\n"
            "    changed = self.changed; read(self); self.figure.canvas.draw() if changed else None\n"
            "    if changed: print('read', self.probabilities.argmax() if self.ink.any() else None,"
            " time.perf_counter() - times[0] if times else 0, flush=True); times.clear()\n"
            "explore.Sheet.read, explore.Sheet.move = timed_read, timed_move\n"
            "model = keras.saving.load_model(sys.argv[1])\n"
            "for sheet in (1, 2):\n"
            "    p = explore.draw_digit(model)\n"
            "    print('end', p.size, p.isna().all(), None if p.isna().all() else p.idxmax(), flush=True)\n"
        )
        self.display = display
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, model_file],
            cwd=folder,
            env=environment(DISPLAY=display, PYTHONPATH=str(PROJECT), MPLBACKEND="tkagg"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def open(self):
        """Wait for the next sheet."""
        self.lines = [self.process.stdout.readline()]
        for _ in range(100):
            found = self.xdotool("search", "--onlyvisible", "--name", "Draw a digit").split()
            if found:
                break
            time.sleep(0.1)
        size = self.xdotool("getwindowgeometry", "--shell", found[0])
        self.width, self.height = (int(re.search(f"{name}=(\\d+)", size)[1]) for name in ("WIDTH", "HEIGHT"))
        time.sleep(1)

    def xdotool(self, *words):
        changed = environment(DISPLAY=self.display)
        return subprocess.run(["xdotool", *map(str, words)], env=changed, capture_output=True, encoding="utf-8").stdout

    def place(self, x, y):
        side = min(0.42 * self.width, 0.78 * self.height)
        left = 0.03 * self.width + (0.42 * self.width - side) / 2
        top = 0.1 * self.height + (0.78 * self.height - side) / 2
        return round(left + x * side), round(top + y * side)

    def stroke(self, *points):
        self.xdotool("mousemove", *self.place(*points[0]), "mousedown", 1)
        for point in points[1:]:
            self.xdotool("mousemove", *self.place(*point))
            time.sleep(0.1)  # movements that come too fast are merged into one on a loaded machine
        self.xdotool("mouseup", 1)
        time.sleep(0.5)

    def press(self, key):
        self.xdotool("key", key)
        time.sleep(0.5)

    def end(self):
        """Close this sheet, and return the lines that were printed since it was opened."""
        time.sleep(2)  # on a loaded machine the last reading comes late
        self.press("q")
        while self.lines[-1] and not self.lines[-1].startswith("end"):
            self.lines.append(self.process.stdout.readline())
        return "".join(self.lines)


@virtual_display
def test_two_sheets(display, model_file, tmp_path):
    window = Window(display, model_file, tmp_path)
    window.open()
    a_1_and_a_0_are_read_and_the_sheet_is_cleared(window)
    window.open()
    over_the_edge_and_an_empty_sheet_at_the_end(window)
    _, errors = window.process.communicate(timeout=30)
    assert own_lines(errors) == [] and window.process.returncode == 0


def a_1_and_a_0_are_read_and_the_sheet_is_cleared(window):
    window.stroke((0.5, 0.15), (0.5, 0.85))  # a quick movement: two points, far from each other
    window.press("c")
    angles = np.linspace(0, 2 * np.pi, 25)
    window.stroke(*[(0.5 + 0.22 * np.sin(angle), 0.5 - 0.36 * np.cos(angle)) for angle in angles])
    output = window.end()
    read = re.findall(r"read (\S+) (\S+)", output)
    digits = [digit for digit, _ in read]
    assert digits[0] == "None"  # the empty sheet
    assert "1" in digits and digits[-1] == "0" and "None" in digits[digits.index("1") :]
    assert output.rstrip().endswith("end 10 False 0")
    assert np.median([float(waited) for _, waited in read if float(waited)]) < 1  # much less on an idle machine


def over_the_edge_and_an_empty_sheet_at_the_end(window):
    window.stroke((0.9, 0.5), (1.6, 0.5), (0.5, 0.5))  # over the edge and back: one stroke
    window.stroke((1.2, 0.9), (0.5, 0.9))  # begun outside: nothing
    window.xdotool("mousemove", round(0.53 * window.width), round(0.15 * window.height), "click", 1)  # the button
    time.sleep(0.5)
    output = window.end()
    digits = re.findall(r"read (\S+)", output)
    assert any(digit != "None" for digit in digits) and digits[-1] == "None"
    assert output.rstrip().endswith("end 10 True None")


def test_without_a_display_it_says_where_it_works(model_file, run_here):
    with pytest.raises(SystemExit, match="^explore.py: .*draw_digit needs a window: call it from a terminal.*$"):
        run_here("explore.py", model_file)


def test_a_file_that_is_no_model_and_a_network_of_another_shape(run_here, tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(tmp_path / "other.keras")
    for name, sentence in (
        ("none.keras", "none.keras"),
        ("text.keras", "text.keras"),
        ("other.keras", "model must be a network of the chapter"),
    ):
        with pytest.raises(SystemExit, match=f"^explore.py: .*{sentence}.*$"):  # one line, on standard error
            run_here("explore.py", name)
    with pytest.raises(ValueError, match="^model must be a network of the chapter"):
        explore.draw_digit(model)
