"""Film a 2 and an 8 being drawn on draw.html: `python pictures/animate.py`. It needs Chromium and its driver."""

import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder

PROJECT = Path(__file__).resolve().parent.parent
# Points from 0 to 1 on the sheet.
TWO = [(0.28, 0.34), (0.33, 0.2), (0.5, 0.13), (0.67, 0.2), (0.7, 0.36), (0.58, 0.54), (0.42, 0.68), (0.27, 0.84)]
TWO += [(0.3, 0.85), (0.5, 0.84), (0.77, 0.83)]
EIGHT = [(0.67, 0.2), (0.5, 0.12), (0.34, 0.2), (0.36, 0.37), (0.54, 0.49), (0.68, 0.65), (0.63, 0.83), (0.46, 0.88)]
EIGHT += [(0.31, 0.79), (0.34, 0.62), (0.5, 0.48), (0.66, 0.35), (0.68, 0.22)]


def curve(points, frames):
    """Return places at even times on a smooth curve through the points: between two of them a cubic polynomial."""
    points = np.array([points[0], *points, points[-1]])
    places = []
    for time in np.linspace(0, len(points) - 3, frames):
        start = min(int(time), len(points) - 4)
        a, b, c, d = points[start : start + 4]
        t = time - start
        places.append(b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return places


def film(browser):
    """Draw, and yield pictures, each with the time in ms for which it is shown."""

    def picture():
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")

    yield picture(), 900
    for points in (TWO, EIGHT):
        left, top, side = browser.execute_script(
            "clear(); const box = sheet.getBoundingClientRect(); return [box.left, box.top, box.width]"
        )
        for number, place in enumerate(curve(points, 8 * len(points))):
            actions = ActionBuilder(browser, duration=0)
            actions.pointer_action.move_to_location(*(round(float(x)) for x in np.array([left, top]) + side * place))
            if number == 0:
                actions.pointer_action.pointer_down()
            actions.perform()
            if number % 5 == 4:
                yield picture(), 90
        ActionBuilder(browser).clear_actions()  # lifts the pen
        yield picture(), 1900


def main():
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{option}")
    options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.get((PROJECT / "draw.html").as_uri())
    for height in ("500", "document.documentElement.scrollHeight"):
        size = {"width": 1040, "height": browser.execute_script(f"return {height}"), "deviceScaleFactor": 0.8}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
    pictures, times = zip(*film(browser))
    browser.quit()
    # One palette for all, so that few pixels change.
    sample = Image.fromarray(np.concatenate(pictures[::5]))
    colors = sample.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    frames = [picture.quantize(palette=colors, dither=Image.Dither.NONE) for picture in pictures]
    path = PROJECT / "pictures/draw_digit.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)


if __name__ == "__main__":
    main()
