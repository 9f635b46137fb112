import base64
import io

import numpy as np
import pytest
from PIL import Image

from itr_explore.viz.images import image_data


def opened(data):
    return Image.open(io.BytesIO(base64.b64decode(data["src"].split(",", 1)[1])))


def test_large_photos_are_cut_to_640_pixels_a_side():
    data = image_data(Image.new("RGB", (4000, 3000), "teal"))
    assert opened(data).size == (640, 480) == (data["width"], data["height"])


def test_a_photo_full_of_noise_still_fits():
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    assert len(image_data(Image.fromarray(noise))["src"]) < 215_000


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
