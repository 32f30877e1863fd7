"""One step further: photos as people take them, the mistakes, the hidden units, the report of digits."""

import os
import re
import warnings
import zipfile

import keras
import numpy as np
import pytest
from conftest import PROJECT, own_lines
from PIL import Image, ImageFilter

import ch6_1
import explore
from explore import photo

pytestmark = pytest.mark.usefixtures("pictures")
IMAGES, LABELS = ch6_1.X_test_image, ch6_1.y_test_label


def thicken(mask, by):
    """Make strokes thicker by this many pixels on both sides, or thinner."""
    brush = np.hypot(*np.mgrid[-abs(by) : abs(by) + 1, -abs(by) : abs(by) + 1]) <= abs(by)
    return photo.grow(mask, brush) if by > 0 else ~photo.grow(~mask, brush)


def blur(picture, radius):
    grey = Image.fromarray(np.uint8(255 * picture)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(grey) / 255


def ink_of(image, pen=0, digit=300, width=560):
    """Return ink from 0 to 1 on a page: a test digit with sharp edges, its strokes thicker by 2 `pen` pixels."""
    large = Image.fromarray(image).resize((digit, digit), Image.Resampling.BICUBIC)
    sharp = np.asarray(large.filter(ImageFilter.GaussianBlur(digit / 80))) > 127
    page = np.zeros((720, width))
    page[200 : 200 + digit, 130 : 130 + digit] = thicken(sharp, pen)
    return blur(page, 1)


def out_of_focus(image, stroke, sigma, dark):
    """Return a photo of 12 megapixels; the stroke and the blur's deviation are shares of its width and height."""
    sheet = np.pad(Image.fromarray(image).resize((600, 600), Image.Resampling.BICUBIC), [(200, 200), (75, 75)]) > 127
    ink = blur(thicken(sheet, round((750 * stroke - photo.stroke_width(sheet)) / 2)), 1000 * sigma)
    made = photo_of(ink, np.linspace(1, 0.6, 750), pen=205 * (1 - dark))
    return np.asarray(Image.fromarray(made).resize((3000, 4000)))


def photo_of(ink, light=1.0, paper=205, pen=50, noise=3, marks=()):
    """Return the photo of a page, uint8: paper and pen from 0 to 255, the light on them, noise, `marks` of ink."""
    for place in marks:
        ink[place] = 1
    grey = (paper + (pen - paper) * ink) * light
    return np.uint8(np.clip(grey + np.random.default_rng(0).normal(0, noise, ink.shape), 0, 255))


ROWS, COLUMNS = np.mgrid[0:1:720j, 0:1:560j]
FALLING, VIGNETTE = 1.1 - 0.8 * COLUMNS, 1 - (ROWS - 0.5) ** 2 - (COLUMNS - 0.5) ** 2
HAND = blur(np.where(np.hypot(ROWS - 1, COLUMNS) < 0.6, 0.5, 1.0), 9)  # its shadow in a corner
LINES = 1 - 0.4 * (np.arange(720) % 60 < 2)[:, None]
SITUATIONS = {
    "even light": lambda image: photo_of(ink_of(image)),
    "vignette": lambda image: photo_of(ink_of(image), VIGNETTE),
    "thin pen": lambda image: photo_of(ink_of(image, pen=-4)),
    "falling light": lambda image: photo_of(ink_of(image), FALLING),
    "shadow of a hand": lambda image: photo_of(ink_of(image), HAND),
    "dark ruled lines": lambda image: photo_of(ink_of(image), LINES),
    "edge of the table": lambda image: photo_of(ink_of(image), marks=[np.s_[-40:], np.s_[:, :30]]),
    "specks": lambda image: photo_of(ink_of(image), marks=[np.s_[9:15, 9:15], np.s_[650:656, 500:506]]),
    "pencil": lambda image: photo_of(ink_of(image, pen=-2), pen=150),
    "noise": lambda image: photo_of(ink_of(image), paper=170, noise=20),
    "chalk": lambda image: photo_of(ink_of(image), VIGNETTE, paper=50, pen=220),
    "thick pen": lambda image: photo_of(ink_of(image, pen=5)),
    "cropped to the ink": lambda image: (
        255 - np.asarray((big := Image.fromarray(image).resize((280, 280), 2)).crop(big.getbbox()))
    ),
    "small": lambda image: photo_of(ink_of(image, digit=60)),
    "12 megapixels": lambda image: np.asarray(Image.fromarray(photo_of(ink_of(image))).resize((3000, 4000))),
    "out of focus, wide": lambda image: out_of_focus(image, 0.1, 0.02, 0.1),
    "out of focus, narrow": lambda image: out_of_focus(image, 0.05, 0.02, 0.1),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_made_photos(situation, model):
    right = 0
    for digit in range(10):
        made = Image.fromarray(SITUATIONS[situation](IMAGES[ch6_1.y_test_label == digit][1]))
        right += photo.read_digit(model, explore.prepare_image(made)).idxmax() == digit
    assert right >= 9


def test_prepared_as_mnist_was():
    for image in IMAGES[:10]:
        prepared = explore.prepare_image(Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC))
        assert prepared.dtype == np.uint8 and np.corrcoef(prepared.ravel(), image.ravel())[0, 1] > 0.85
        assert all((explore.prepare_image(array) == image).all() for array in (image, np.float32(image / 255)))


def test_kinds_of_pictures(model, tmp_path):
    upside_down, grey = Image.Exif(), photo_of(ink_of(IMAGES[0]))[::-1, ::-1].copy()
    upside_down[0x0112] = 3  # how the camera was held
    clear = Image.merge("LA", [Image.new("L", (560, 720), 0), Image.fromarray(255 - grey)])
    sixteen_bits, colour = Image.fromarray(grey.astype("uint16") * 16), Image.fromarray(grey).convert("RGB")
    for name, picture in (("clear.png", clear), ("16 bits.png", sixteen_bits), ("照片 一.jpg", colour)):
        picture.save(tmp_path / name, exif=upside_down)
        read = explore.predict_digit(model, tmp_path / name)
        assert read.idxmax() == 7 and read.index.tolist() == list(range(10)) and np.isclose(read.sum(), 1)


def test_doubts(model):
    with pytest.warns(photo.DoubtfulReading, match="^this . is doubtful: about half of the readings below 90%"):
        explore.predict_digit(model, np.zeros((28, 28)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explore.predict_digit(model, Image.fromarray(photo_of(ink_of(IMAGES[0]))))


def test_no_digit():
    empty = np.zeros((720, 560))
    squares = [np.s_[i::40] for i in range(9)] + [np.s_[:, i::40] for i in range(9)]
    for paper in (
        np.full((300, 300), 200, "uint8"),
        *[photo_of(empty, light) for light in (1, FALLING, VIGNETTE, HAND)],
        photo_of(empty, noise=20),
        photo_of(ink_of(IMAGES[0]), pen=195),
        photo_of(empty.copy(), marks=[np.s_[300:330, 200:230]]),
        photo_of(empty.copy(), marks=squares),
    ):
        with pytest.raises(ValueError, match="^there is no digit in the picture: "):
            explore.prepare_image(Image.fromarray(paper))


def test_what_is_no_picture_or_no_network_of_the_chapter(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "half.png").write_bytes((PROJECT / "pictures/photo.png").read_bytes()[:9999])
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic")
    Image.new("1", (20000, 20000)).save("huge.png")
    for file, sentence in (
        ("half.png", "this is no picture that can be read: .*HEIC: export it as JPEG"),
        ("photo.heic", "this is no picture that can be read: .*HEIC: export it as JPEG"),
        ("huge.png", "the picture is too large: make it smaller"),
        (None, r"file must be one path, .*, not None \(cv2.imread returns it for a wrong path\)$"),
        (["one.png"], "file must be one path, one PIL picture or one array, not a list$"),
        ("none.png", "there is no file 'none.png'$"),
        ("*.png", r"there is no file '\*.png': this is a pattern, so name one file or a folder$"),
        ("\u202aphoto.png", r"there is no file '\\u202aphoto.png': the name has an invisible mark in it"),
        (255 - IMAGES[0], "the array has dark ink on light paper: give 255 - array"),
        (ch6_1.x_Test_norm[0], r"an array must have the shape \(28, 28\), as .* has, not \(784,\)$"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=f"^{sentence}"):
            explore.predict_digit(model, file)
    linear, reshape = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)]), keras.layers.Reshape((784,))
    softmax, chapter = 'the ten numbers do not add up to 1: .* activation="softmax"', "model must be a trained network"
    for model, sentence in ((linear, softmax), (linear.layers[0], chapter), ("photo.png", chapter)):
        for call in (explore.draw_digit, lambda model: explore.predict_digit(model, IMAGES[0])):
            with pytest.raises(ValueError, match=f"^{sentence}"):
                call(model)
    with pytest.raises(ValueError, match=r"^a page can hold Dense and Dropout layers only, not reshape"):
        explore.draw_digit(keras.Sequential([keras.Input((784,)), reshape, linear]))


def test_the_reading_is_shown(model, monkeypatch):
    figures = []
    monkeypatch.setattr("utils.show", lambda figure, name: figures.append(figure))
    made = Image.fromarray(photo_of(ink := ink_of(IMAGES[0])))
    read = explore.predict_digit(model, made, show=True)
    seen, network, bars = figures[0].axes
    assert (seen.images[0].get_array() == np.asarray(made)).all()
    assert np.allclose(seen.patches[0].get_bbox().bounds, photo.box_of(ink > 0.5), atol=8)
    assert (network.images[0].get_array() == 255 - explore.prepare_image(made)).all()
    assert [bar.get_width() for bar in bars.patches] == read.tolist()


def test_photos_and_folders(run_here, model_file, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / ".hidden").write_text("hidden")
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    Image.fromarray(photo_of(ink_of(IMAGES[1]))).save(tmp_path / "photos" / "two.png")
    left, right = (ink_of(image, width=800) for image in IMAGES[:2])
    Image.fromarray(photo_of(np.maximum(left, np.roll(right, 210, axis=1)))).save(tmp_path / "a pair.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="^1$"):
        run_here("explore", model_file, "photos", "a pair.png", "none.jpg", "empty")
    output, errors = capsys.readouterr()
    assert re.search(rf"^{re.escape(os.path.join('photos', 'two.png'))}: 2 \(\d+\.\d%\)$", output, re.M)
    assert re.search(r"^a pair.png: [72] \(.*%\); there are several digits", output, re.M)
    refused = [line.split(":")[0] for line in own_lines(errors)]
    assert refused == [os.path.join("photos", "notes.txt"), "none.jpg", "empty"]
    assert len(list((tmp_path / "figures").glob("*_reading.png"))) == 2


def test_a_file_that_is_no_model(run_here, model_file, tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    for name in ("none.keras", "text.keras"):
        with pytest.raises(SystemExit, match=rf"^explore: Keras \d\S+ cannot load {name} as a model \([^\n]+\)$"):
            run_here("explore", name, "photo.png")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    with pytest.raises(SystemExit, match="^explore: model must be a trained network of the chapter"):
        run_here("explore", "other.keras")
    # A newer Keras saves what this one does not know. The sentence names it.
    with zipfile.ZipFile(model_file) as old, zipfile.ZipFile(tmp_path / "newer.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"units": 256', b'"units": 256, "of_tomorrow": 1'))
    with pytest.raises(SystemExit, match=r"^explore: Keras .* cannot load newer.keras .*of_tomorrow"):
        run_here("explore", "newer.keras", "photo.png")


def test_confident_mistakes():
    images, labels = IMAGES[:100], LABELS[:100]
    probabilities = np.full((100, 10), 0.02)
    probabilities[np.arange(100), labels] = 0.82
    probabilities[3, [labels[3], 8]] = 0.3, 0.54
    probabilities[8, [labels[8], 0]] = 0.1, 0.74
    mistakes = explore.confident_mistakes(labels, probabilities)
    assert list(mistakes.index) == [8, 3] and mistakes.loc[3].tolist() == [labels[3], 8, 0.3, 0.54]
    first, second = explore.plot_confident_mistakes(images, labels, probabilities)
    assert (first.images[0].get_array() == images[8]).all() and (second.images[0].get_array() == images[3]).all()
    assert first.get_title() == f"l={labels[8]} (10.0%)\np=0 (74.0%)"
    for wrong, sentence in (
        ((images, labels + 10, probabilities), r"for 100 labels from 0 to 9 .* the shape \(100, 10\)"),
        ((IMAGES, labels, probabilities), "images must be 100, one for each label, not 10000"),
        ((images, labels, np.eye(10)[labels]), "there is no mistake to draw"),
    ):
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            explore.plot_confident_mistakes(*wrong)


def test_hidden_units_share_one_scale(model):
    weights = model.layers[0].get_weights()[0]
    every_axes = explore.plot_hidden_units(model, [3, 255])
    for axes, unit in zip(every_axes, [3, 255], strict=True):
        assert np.allclose(axes.images[0].get_array().ravel(), weights[:, unit])
    assert every_axes[0].images[0].get_clim() == every_axes[1].images[0].get_clim()
    for units in ([256], [-1], range(26)):
        with pytest.raises(ValueError, match="^units must be up to 25 numbers from 0 to 255$"):
            explore.plot_hidden_units(model, units)


def test_the_report_counts():
    labels = ch6_1.y_test_label
    prediction = np.where(np.arange(10000) % 7, labels, labels + 1) % 9  # 9 is never predicted
    report = explore.digit_report(labels, prediction)
    for digit in range(10):
        of_images, of_predicted = prediction[labels == digit] == digit, labels[prediction == digit] == digit
        assert report.right[digit] == of_images.sum() and report.wrong[digit] == (~of_images).sum()
        assert report.recall[digit] == pytest.approx(of_images.mean())
        assert digit == 9 or report.precision[digit] == pytest.approx(of_predicted.mean())
    assert np.isnan(report.precision[9]) and report.taken_for.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0]
    assert explore.digit_report([1, 2], [1, 2]).taken_for.isna().all()


def test_what_the_pages_tell_to_type(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda page: None)
    Image.fromarray(photo_of(ink_of(IMAGES[0]))).save("photo.jpg")
    probabilities = model.predict(ch6_1.x_Test_norm, batch_size=10000, verbose=0)
    names = {"model": model, "probabilities": probabilities, "prediction": probabilities.argmax(axis=1)}
    pages = [(PROJECT / f"docs/explore{language}.md").read_text(encoding="utf-8") for language in ("", ".zh-TW")]
    english, chinese = (re.findall(r"`((\w+)\(.+?\))`", page) for page in pages)
    assert english == chinese and {name for _, name in english} == set(explore.__all__)
    for line, _ in english:
        eval(line, {**vars(ch6_1), **vars(explore), **names})
    assert (tmp_path / "digits.html").is_file()
