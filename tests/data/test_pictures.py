"""Pictures that people send: judged by what they hold."""

import io

import numpy as np
import pytest
from PIL import Image

from itr_explore.data import pictures
from itr_explore.data.pictures import open_picture, read_picture, small_enough
from itr_explore.viz.images import opened


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


KINDS = [
    ("RGB", "JPEG", (200, 30, 30), (200, 30, 30)),
    ("L", "JPEG", 90, (90, 90, 90)),
    ("CMYK", "JPEG", (0, 200, 200, 20), (235, 51, 51)),
    ("1", "PNG", 1, (255, 255, 255)),
    ("P", "GIF", 3, (3, 3, 3)),
    ("RGBA", "PNG", (200, 30, 30, 0), (255, 255, 255)),
    ("RGBA", "PNG", (200, 30, 30, 255), (200, 30, 30)),
    ("LA", "PNG", (9, 0), (255, 255, 255)),
    ("I;16", "PNG", 32_768, (128, 128, 128)),
    ("I;16", "PNG", 200, (200, 200, 200)),
    ("F", "TIFF", 0.5, (128, 128, 128)),
    ("F", "TIFF", 90.0, (90, 90, 90)),
    ("RGB", "BMP", (1, 2, 3), (1, 2, 3)),
    ("RGB", "TIFF", (1, 2, 3), (1, 2, 3)),
    ("RGB", "WEBP", (100, 100, 100), (100, 100, 100)),
]


@pytest.mark.parametrize("way", ["sent", "in a folder", "drawn"])
@pytest.mark.parametrize(("mode", "kind", "colour", "seen"), KINDS)
def test_every_usual_kind_of_picture_becomes_rgb_of_its_colour(way, mode, kind, colour, seen, tmp_path):
    image = Image.new(mode, (17, 15), colour)
    if mode == "P":
        image.putpalette([level for level in range(256) for _ in "rgb"])
    file = saved(image, kind)
    if way == "sent":
        found = read_picture(file)
    elif way == "in a folder":
        (tmp_path / "a").write_bytes(file)
        found = open_picture(tmp_path / "a")
    else:
        found = opened(Image.open(io.BytesIO(file)))
    assert (found.mode, found.size) == ("RGB", (17, 15))
    np.testing.assert_allclose(found.getpixel((8, 7)), seen, atol=2)


def test_what_is_see_through_lies_on_white():
    assert read_picture(saved(Image.new("RGBA", (2, 2), (9, 9, 9, 0)))).getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_of_grey_keep_their_range():
    deep = Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16))
    assert [read_picture(saved(deep)).getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_a_picture_is_turned_as_its_camera_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_picture(saved(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).size == (4, 8)


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"<svg onload=alert(1)>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"],
)
def test_what_is_no_picture_is_refused_and_it_is_said_what_can_be_read(data):
    with pytest.raises(ValueError, match=r"holiday\.jpg is no picture.*JPEG, PNG"):
        read_picture(data, "holiday.jpg")


def test_half_a_picture_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    whole = saved(Image.fromarray(noise), "JPEG")
    with pytest.raises(ValueError, match="cannot be opened"):
        read_picture(whole[: len(whole) // 2])


def test_too_many_bytes_are_refused_before_they_are_looked_at():
    with pytest.raises(ValueError, match="25 MB; at most 20"):
        read_picture(bytes(25 * 2**20))


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1_000_000)
    with pytest.raises(ValueError, match="4 megapixels; at most 1"):
        read_picture(saved(Image.new("1", (2000, 2000))))


@pytest.fixture
def photo(tmp_path):
    """A JPEG of 12 megapixels that its camera turned."""
    across, down = np.meshgrid(np.linspace(0, 6, 4000), np.linspace(0, 4, 3000))
    waves = np.stack([np.sin(across), np.cos(down), np.sin(across + down)], axis=2)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "photo.jpg"
    Image.fromarray((127 + 120 * waves).astype(np.uint8)).save(path, quality=90, exif=exif)
    return path


def test_a_thumbnail_of_a_large_photo_is_read_small_and_looks_the_same(photo):
    whole = open_picture(photo)
    with small_enough(200):
        small = open_picture(photo)
    assert whole.size == (3000, 4000)
    assert small.size == (750, 1000)
    ends = []
    for image in (whole, small):
        image.thumbnail((200, 200))
        ends.append(np.asarray(image, dtype=float))
    assert np.abs(ends[0] - ends[1]).max() <= 3
    assert open_picture(photo).size == (3000, 4000)


def test_a_picture_that_is_small_or_no_jpeg_is_read_as_it_is(tmp_path):
    for name in ("a.jpg", "a.png"):
        Image.new("RGB", (500, 390)).save(tmp_path / name)
        with small_enough(200):
            assert open_picture(tmp_path / name).size == (500, 390)
