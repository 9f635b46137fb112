import base64
import io

import numpy as np
import pytest
from PIL import Image

from itr_explore.viz.images import MOST_BYTES, image_data
from itr_explore.viz.images import opened as as_seen


def opened(data):
    return Image.open(io.BytesIO(base64.b64decode(data["src"].split(",", 1)[1])))


def test_large_photos_are_cut_to_640_pixels_a_side():
    data = image_data(Image.new("RGB", (4000, 3000), "teal"))
    assert opened(data).size == (640, 480) == (data["width"], data["height"])


def test_a_photo_full_of_noise_still_fits():
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    assert len(image_data(Image.fromarray(noise))["src"]) < MOST_BYTES * 4 / 3 + 100


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1"])
def test_images_of_any_mode_become_rgb_jpegs(mode):
    found = opened(image_data(Image.new(mode, (30, 20))))
    assert (found.mode, found.format) == ("RGB", "JPEG")


def test_a_photo_turned_by_its_camera_is_turned_back():
    image = Image.new("RGB", (40, 20))
    image.getexif()[0x0112] = 6  # turned by 90 degrees
    assert image_data(image)["height"] == 40


def test_a_one_pixel_image_stays_one_pixel():
    assert image_data(Image.new("RGB", (1, 1)))["width"] == 1


def middle(image):
    return as_seen(image).getpixel((image.width // 2, image.height // 2))


def test_grey_of_sixteen_bits_keeps_its_shades():
    values = np.full((20, 30), 32_768, dtype=np.uint16)
    assert middle(Image.fromarray(values)) == (128, 128, 128)
    assert middle(Image.fromarray(np.full((20, 30), 0.5, dtype=np.float32))) == (128, 128, 128)


def test_what_is_transparent_lies_on_white():
    assert middle(Image.new("RGBA", (30, 20), (255, 0, 0, 0))) == (255, 255, 255)
    palette = Image.new("P", (30, 20), 0)
    palette.putpalette([255, 0, 0])
    palette.info["transparency"] = 0
    assert middle(palette) == (255, 255, 255)


def test_ink_of_four_colours_becomes_light():
    assert middle(Image.new("CMYK", (30, 20), (0, 255, 255, 0))) == (255, 0, 0)


def test_a_photo_of_twelve_megapixels_is_cut_down():
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((4000, 3000)).save(buffer, "JPEG")
    data = image_data(Image.open(buffer))
    assert (data["width"], data["height"]) == (640, 480)


def test_a_file_that_is_cut_short_is_refused_by_name(tmp_path):
    path = tmp_path / "dog.jpg"
    buffer = io.BytesIO()
    Image.effect_noise((300, 200), 60).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue()[:2000])
    with Image.open(path) as image, pytest.raises(ValueError, match=r"dog\.jpg.*damaged or cut short"):
        image_data(image)


def test_the_image_that_was_given_is_left_as_it_was():
    image = Image.new("L", (900, 700))
    image_data(image)
    assert (image.mode, image.size) == ("L", (900, 700))
