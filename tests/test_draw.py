"""The page to draw on, in a real browser: pointers draw, and what the page computes is held to Python."""

import base64
import json
import shutil
import sys

import numpy as np
import pytest
from conftest import PROJECT
from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput

import ch6_1
import ch6_2
import ch7_dropout
import explore
from explore.photo import center, read_digit, set_stroke_width

pytestmark = pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs Debian's chromium and chromium-driver")
STROKES = json.loads((PROJECT / "tests/strokes.json").read_text())  # ten test images of each digit, traced


@pytest.fixture(scope="module")
def page():
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1100,800"):
        options.add_argument(f"--{option}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.get((PROJECT / "draw.html").as_uri())
    yield browser
    browser.quit()


def draw(page, strokes, pointer="mouse"):
    """Clear the sheet and draw strokes with a mouse, a pen or a finger. Their points go from 0 to 1000."""
    page.execute_script("clear()")
    left, top, side = page.execute_script("const b = sheet.getBoundingClientRect(); return [b.left, b.top, b.width]")
    actions = ActionBuilder(page, mouse=PointerInput(pointer, pointer), duration=0)
    for stroke in strokes:
        for place, (x, y) in enumerate(stroke):
            actions.pointer_action.move_to_location(round(left + side * x / 1000), round(top + side * y / 1000))
            if place == 0:
                actions.pointer_action.pointer_down()
        actions.pointer_action.pointer_up()
    actions.perform()
    return read(page)


def read(page):
    """Return the page's state, its text, its ink, what the network sees, and the probabilities."""
    parts = "document.body.className, document.body.innerText, btoa(String.fromCharCode(...ink.data)), [...image]"
    state, text, ink, image, chances = page.execute_script(f"return [{parts}, [...chances]]")
    ink = np.frombuffer(base64.b64decode(ink), "uint8").reshape(200, 200)
    return state, text, ink, np.uint8(image).reshape(28, 28), np.array(chances)


def network_of(page):
    """Return a Keras network with the rounded weights of the page."""
    model, numbers = ch6_1.build_model(), []
    for layer in page.execute_script("return JSON.parse($('network').textContent).layers"):
        scale, bias = (np.frombuffer(base64.b64decode(layer[name]), "float32") for name in ("scale", "bias"))
        weights = np.frombuffer(base64.b64decode(layer["weights"]), "int8").reshape(len(bias), -1)
        numbers += [(weights * scale[:, None]).T, bias]
    model.set_weights(numbers)
    return model


@pytest.mark.parametrize("half, pointers", list(enumerate([["mouse", "pen"], ["touch"]])))
def test_page_and_python_agree_on_a_hundred_digits(half, pointers, page):
    model, agree, right = network_of(page), 0, 0
    for number, digit in enumerate(STROKES[half::2]):
        state, text, ink, image, chances = draw(page, digit["strokes"], pointers[number % len(pointers)])
        python = center(set_stroke_width(ink))
        assert np.abs(image - python.astype(float)).mean() <= 3
        expected = read_digit(model, python)
        assert np.abs(chances - expected).max() <= 0.02
        assert state == ("sure" if expected.max() >= 0.9 else "unsure") and f"{chances.max():.1%}" in text
        agree += chances.argmax() == expected.idxmax()
        right += chances.argmax() == digit["digit"]
    assert agree >= 49 and right >= 49  # a window of Matplotlib's widgets, before this page, read 98 of 100


def test_the_page_reads_all_test_digits(page):
    script = """const images = decode(arguments[0]); return Array.from({ length: 10000 }, (_, i) => {
   const chances = think(new Uint8Array(images, 784 * i, 784)).pop(); return chances.indexOf(Math.max(...chances)) })"""
    read = page.execute_script(script, base64.b64encode(ch6_1.X_test_image.tobytes()).decode())
    assert (read == ch6_1.y_test_label).sum() >= 9771  # 9,781 before the weights were rounded
    file, template = ((PROJECT / name).read_text("utf-8") for name in ("draw.html", "explore/page.html"))
    assert len(file) <= 400_000 and all(part in file for part in template.split("NETWORK"))  # it is up to date


def test_odd_strokes_and_keys(page):
    one = [[[500, 100], [480, 900]]]
    state, _, ink, *_ = draw(page, [[[500, 500]]])
    assert state == "spot" and 50 < (ink > 127).sum() < 120
    for clear in ("$('clear').click()", "dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyC' }))"):
        state, text, ink, _, chances = draw(page, one)  # two events only: a very quick stroke leaves no gap
        assert state == "sure" and chances.argmax() == 1 and "I read 1." in text
        assert (ink[25:175] > 127).any(axis=1).all()
        page.execute_script(clear)
        state, text, ink, image, chances = read(page)
        assert state == "empty" and not (ink.any() or image.any() or chances.any()) and "answer appears here" in text
    state, _, ink, *_ = draw(page, [[[500, 200], [1050, 500], [500, 800]]])  # over the edge and back: one stroke
    assert state in ("sure", "unsure") and ink[95:105, -1].any() and (ink[100:160, 95:] > 127).any(axis=1).all()
    page.execute_script("clear()")
    page.find_element("id", "sheet").send_keys(" ", *["\ue015"] * 15, " ")  # the pen down, 15 arrows down, the pen up
    state, *_, chances = read(page)
    assert state == "sure" and chances.argmax() == 1 and page.execute_script("return strokes.length") == 1


def test_languages_and_labels(page):
    for button, language, title in ((1, "zh-TW", "寫一個數字"), (0, "en", "Draw a digit")):
        page.find_elements("css selector", "header button")[button].click()
        parts = "document.documentElement.lang, document.title, ...all('canvas').map(part => part.ariaLabel)"
        lang, name, *labels = page.execute_script(f"return [{parts}]")
        assert lang == language and name.startswith(title) and len(labels) == 3 and all(labels)
    assert page.get_log("browser") == []


@pytest.mark.parametrize("script", [ch6_2, ch7_dropout])
def test_a_page_for_each_network_of_the_chapter(script, page, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", page.get)
    monkeypatch.setattr("IPython.display.display", shown.append)
    model = script.build_model()
    explore.draw_digit(model, tmp_path / "數字 1.html")
    *_, image, chances = draw(page, STROKES[33]["strokes"])
    assert np.abs(chances - read_digit(model, image)).max() < 0.02
    assert len(page.find_elements("css selector", "figure")) == len(model.layers) // 2 + 1
    page.back()
    monkeypatch.setitem(sys.modules, "ipykernel", sys)  # below a notebook's cell
    explore.draw_digit(model, tmp_path / "page.html")
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in shown[0].data
