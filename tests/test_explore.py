"""One step further: handwriting from real picture files, the mistakes, the hidden layer, on a trained network."""

import doctest

import keras
import numpy as np
import pytest
from PIL import Image, ImageFilter

import ch6_1
import explore


@pytest.fixture(scope="module")
def model(model_file):
    return keras.saving.load_model(model_file)


@pytest.fixture(scope="module")
def probabilities(model):
    return model.predict(ch6_1.x_Test_norm, batch_size=10000, verbose=0)


def photo_of(image, random, path):
    """Save an MNIST digit as a photo might have it: blown up, shifted, dark on light or light on dark, JPEG."""
    side = int(random.integers(150, 500))
    digit = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    page = Image.new("L", (side + int(random.integers(20, 400)), side + int(random.integers(20, 400))), 0)
    page.paste(digit, tuple(int(random.integers(0, room - side + 1)) for room in page.size))
    ink, paper = (int(level) for level in random.permuted([random.integers(0, 60), random.integers(170, 256)]))
    page = page.point(lambda level: paper + (ink - paper) * level / 255)
    if random.random() < 0.5:
        page = page.convert("RGB").filter(ImageFilter.GaussianBlur(1))
    page.save(path, quality=int(random.integers(60, 95)))


def test_500_photos(model, tmp_path, test_images, test_labels):
    random = np.random.default_rng(10)
    path = tmp_path / "photo.jpg"
    prepared = []
    for i in range(500):
        photo_of(test_images[i], random, path)
        prepared.append(explore.prepare_image(path))
    rows = np.reshape(prepared, (500, 784)).astype("float32") / 255
    prediction = model.predict(rows, batch_size=500, verbose=0).argmax(axis=1)
    assert (prediction == test_labels[:500]).mean() >= 0.95


def test_prepared_as_mnist_was(tmp_path, test_images):
    """A test digit that was blown up comes back almost as it was."""
    for i in range(10):
        Image.fromarray(255 - test_images[i]).resize((280, 280), Image.Resampling.BICUBIC).save(tmp_path / "digit.png")
        prepared = explore.prepare_image(tmp_path / "digit.png")
        assert prepared.dtype == np.uint8 and prepared.shape == (28, 28) and prepared.max() == 255
        correlation = np.corrcoef(prepared.ravel().astype(float), test_images[i].ravel().astype(float))[0, 1]
        assert correlation > 0.9


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_kinds_of_pictures(mode, model, tmp_path, test_images):
    page = Image.fromarray(255 - test_images[0]).resize((300, 300))
    if mode == "I;16":
        page = Image.fromarray(np.asarray(page).astype("uint16") * 257)
    elif mode == "RGBA":  # black ink on transparent paper
        page = Image.merge("RGBA", [Image.new("L", page.size)] * 3 + [page.point(lambda level: 255 - level)])
    else:
        page = page.convert(mode)
    path = tmp_path / ("digit.tif" if mode in ("CMYK", "I;16") else "digit.png")
    page.save(path)
    digit = explore.predict_digit(model, path)
    assert digit.idxmax() == 7 and digit.index.tolist() == list(range(10))
    assert digit.sum() == pytest.approx(1, abs=1e-5)


def test_a_picture_without_a_digit_or_that_is_none(model, tmp_path, test_images):
    Image.new("RGB", (200, 200), "white").save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match="no digit"):
        explore.predict_digit(model, tmp_path / "blank.png")
    page = Image.new("L", (2000, 2000), 255)
    page.putpixel((0, 0), 0)
    page.putpixel((1999, 1999), 0)
    page.save(tmp_path / "specks.png")
    with pytest.raises(ValueError, match="no digit.*only specks"):
        explore.predict_digit(model, tmp_path / "specks.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match="text.png is not a picture"):
        explore.predict_digit(model, tmp_path / "text.png")
    Image.fromarray(test_images[0]).resize((300, 300)).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="half.png is not a picture"):
        explore.predict_digit(model, tmp_path / "half.png")
    with pytest.raises(FileNotFoundError, match="none.png"):
        explore.predict_digit(model, tmp_path / "none.png")


def test_confident_mistakes_are_drawn(probabilities, test_images, test_labels):
    mistakes = explore.confident_mistakes(test_labels, probabilities)
    every_axes = explore.plot_confident_mistakes(test_images, test_labels, probabilities, num=3)
    assert len(every_axes) == 3
    for axes, (i, row) in zip(every_axes, mistakes[:3].iterrows(), strict=True):
        assert (axes.images[0].get_array() == test_images[i]).all()
        assert axes.get_title() == f"l={row.label:.0f} ({row.p_label:.1%})\np={row.predict:.0f} ({row.p_predict:.1%})"


def test_no_mistakes_to_draw(probabilities, test_images, test_labels):
    with pytest.raises(ValueError, match="^there is no mistake to draw$"):
        explore.plot_confident_mistakes(test_images, test_labels, probabilities, num=0)
    with pytest.raises(ValueError, match="^images must be 10000"):
        explore.plot_confident_mistakes(test_images[:9], test_labels, probabilities)
    with pytest.raises(ValueError, match="^there is no mistake to draw$"):
        explore.plot_confident_mistakes(test_images, test_labels, np.eye(10)[test_labels])


def test_the_prepared_picture_is_shown(model, tmp_path, test_images, monkeypatch):
    shown = []
    monkeypatch.setattr(explore, "plot_image", shown.append)
    Image.fromarray(test_images[0]).resize((280, 280)).save(tmp_path / "photo.png")
    explore.predict_digit(model, tmp_path / "photo.png", show=True)
    assert (shown[0] == explore.prepare_image(tmp_path / "photo.png")).all()


def test_hidden_units_share_one_scale(model):
    weights = model.layers[0].get_weights()[0]
    every_axes = explore.plot_hidden_units(model, [3, 255])
    for axes, unit in zip(every_axes, [3, 255], strict=True):
        assert np.allclose(axes.images[0].get_array().ravel(), weights[:, unit])
    assert every_axes[0].images[0].get_clim() == every_axes[1].images[0].get_clim()
    for units in ([256], [-1], range(26)):
        with pytest.raises(ValueError, match="^units must be up to 25 numbers from 0 to 255$"):
            explore.plot_hidden_units(model, units)


def test_the_examples_of_the_docstrings(model, probabilities, tmp_path, monkeypatch, test_images):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("utils.show", lambda name: None)
    Image.fromarray(test_images[0]).resize((280, 280)).save("photo.png")
    names = {**vars(ch6_1), **vars(explore), "model": model, "prediction": probabilities.argmax(axis=1)}
    names["probabilities"] = probabilities
    examples = [test for test in doctest.DocTestFinder().find(explore, globs=names) if test.examples]
    assert {test.name.split(".")[1] for test in examples} == set(explore.__all__)
    runner = doctest.DocTestRunner()
    for test in examples:
        assert runner.run(test).failed == 0
