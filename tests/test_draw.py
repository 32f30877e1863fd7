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
import explore
from explore.photo import center, set_stroke_width

pytestmark = pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs Debian's chromium and chromium-driver")
PAGE = (PROJECT / "draw.html").as_uri()
STROKES = json.loads((PROJECT / "tests/strokes.json").read_text())  # MNIST's first ten test images of each, traced
WINDOW = 98  # of them were read right by the window of Matplotlib's widgets that came before the page


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1100,800"):
        options.add_argument(f"--{option}")
    options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield browser
    browser.quit()


def draw(browser, strokes, pointer="mouse"):
    """Draw strokes, whose points go from 0 to 1000 on the sheet, with a mouse, a pen or a finger, on a clear sheet."""
    left, top, side = browser.execute_script(
        "clear(); const box = sheet.getBoundingClientRect(); return [box.left, box.top, box.width]"
    )
    actions = ActionBuilder(browser, mouse=PointerInput(pointer, pointer), duration=0)
    for stroke in strokes:
        for place, (x, y) in enumerate(stroke):
            actions.pointer_action.move_to_location(round(left + side * x / 1000), round(top + side * y / 1000))
            if place == 0:
                actions.pointer_action.pointer_down()
        actions.pointer_action.pointer_up()
    actions.perform()
    return read(browser)


def read(browser):
    """Return the page's state, its ink, what its network sees, the probabilities, and the shown answer."""
    numbers = "btoa(String.fromCharCode(...ink.data)), [...image], [...chances]"
    state, text, ink, image, chances = browser.execute_script(
        f"return [document.body.className, document.querySelector('main').innerText, {numbers}]"
    )
    ink = np.frombuffer(base64.b64decode(ink), "uint8").reshape(200, 200)
    return state, ink, np.uint8(image).reshape(28, 28), np.array(chances), text


def network_of(browser):
    """Return a Keras network with the rounded weights of the page."""
    model, numbers = ch6_1.build_model(), []
    for layer in browser.execute_script("return JSON.parse($('network').textContent).layers"):
        kinds = {"weights": "int8", "scale": "float32", "bias": "float32"}
        weights, scale, bias = (np.frombuffer(base64.b64decode(layer[name]), kind) for name, kind in kinds.items())
        numbers += [(weights.reshape(len(bias), -1) * scale[:, None]).T, bias]
    model.set_weights(numbers)
    return model


@pytest.mark.parametrize("pointers", [["mouse", "pen"], ["touch"]], ids=str)
def test_page_and_python_agree_on_a_hundred_digits(pointers, browser):
    browser.get(PAGE)
    model, half = network_of(browser), STROKES[len(pointers) % 2 :: 2]
    right = agree = 0
    for number, digit in enumerate(half):
        state, ink, image, chances, text = draw(browser, digit["strokes"], pointers[number % len(pointers)])
        python = center(set_stroke_width(ink))
        assert np.abs(image.astype(int) - python).mean() <= 3
        expected = explore.photo.read_digit(model, python)
        assert np.abs(chances - expected).max() <= 0.02
        assert state == ("sure" if expected.max() >= 0.9 else "unsure") and f"{chances.max():.1%}" in text
        agree += chances.argmax() == expected.idxmax()
        right += chances.argmax() == digit["digit"]
    assert agree >= 49 and right >= WINDOW / 2


def test_the_page_computes_all_test_digits(browser):
    browser.get(PAGE)
    images = base64.b64encode(ch6_1.X_test_image.tobytes()).decode()
    script = """const images = new Uint8Array(decode(arguments[0])), answers = [];
        for (let i = 0; i < images.length; i += 784) {
          const chances = think(images.subarray(i, i + 784)).pop();
          answers.push(chances.indexOf(Math.max(...chances)));
        }
        return answers"""
    right = (np.array(browser.execute_script(script, images)) == ch6_1.y_test_label).sum()
    assert right >= 9771  # 9,781 before the weights were rounded
    assert (PROJECT / "draw.html").stat().st_size <= 400_000


def test_odd_strokes_and_keys(browser):
    browser.get(PAGE)
    one = [[[500, 100], [480, 900]]]
    assert read(browser)[0] == "empty" and not read(browser)[3].any()
    state, ink, *_ = draw(browser, [[[500, 500]]])
    assert state == "spot" and 50 < (ink > 127).sum() < 120
    draw(browser, one)
    for clear in (
        "document.querySelector('#clear').click()",
        "dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyC'}))",
    ):
        browser.execute_script(clear)
        state, ink, image, _, text = read(browser)
        assert state == "empty" and not ink.any() and not image.any() and "answer appears here" in text
        state, ink, _, chances, text = draw(browser, one)  # two events only: a very quick stroke leaves no gap
        assert (
            state == "sure" and chances.argmax() == 1 and "I read 1." in text and (ink[25:175] > 127).any(axis=1).all()
        )
    over, ink, *_ = draw(browser, [[[500, 200], [1050, 500], [500, 800]]])  # over the edge and back: one stroke
    assert over in ("sure", "unsure") and ink[95:105, -1].any() and (ink[100:160, 95:] > 127).any(axis=1).all()
    sheet = browser.find_element("id", "sheet")
    browser.execute_script("clear()")
    sheet.send_keys(" ", *["\ue015"] * 15, " ")  # the pen down, 15 times the arrow down, the pen up
    state, ink, _, chances, _ = read(browser)
    assert state == "sure" and chances.argmax() == 1 and browser.execute_script("return strokes.length") == 1


def test_languages_and_labels(browser):
    browser.get(PAGE)
    names = "[...document.querySelectorAll('[role]')].map(part => part.getAttribute('aria-label'))"
    for button, language, title in ((1, "zh-TW", "寫一個數字"), (0, "en", "Draw a digit")):
        browser.execute_script(f"document.querySelectorAll('header button')[{button}].click()")
        page = browser.execute_script(f"return [document.documentElement.lang, document.title, {names}]")
        assert page[0] == language and page[1].startswith(title) and sum(map(bool, page[2])) == 4
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("script", ["ch6_2", "ch7_dropout"])
def test_a_page_for_each_network_of_the_chapter(script, browser, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    model = __import__(script).build_model()
    explore.draw_digit(model, tmp_path / "數字 1.html")
    browser.get(opened[0])
    *_, image, chances, _ = draw(browser, STROKES[33]["strokes"])
    assert np.abs(chances - explore.photo.read_digit(model, image)).max() < 0.02
    assert len(browser.find_elements("css selector", "figure")) == len(model.layers) // 2 + 1


def test_below_a_cell(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr("IPython.display.display", shown.append)
    explore.draw_digit(ch6_1.build_model(), tmp_path / "page.html")
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in shown[0].data
