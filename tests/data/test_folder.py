import json
import os

import numpy as np
import pytest
from PIL import Image
from toys import toy_collection, toy_model

from itr_explore.data.collection import Collection
from itr_explore.data.text import build_tokenizer
from itr_explore.training.fit import fit

NAMES = ("a.jpg", "b.png", "trips/Öl und Wasser.JPEG", "trips/2024/c.webp")


@pytest.fixture
def photos(tmp_path):
    """Four photos in folders and sub-folders, no two the same."""
    for row, name in enumerate(NAMES):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + row, 10), (50 * row, 0, 0)).save(path)
    return tmp_path


def write(folder, text, name="captions.csv", encoding="utf-8"):
    (folder / name).write_text(text, encoding=encoding)


def read(folder, *args, **options):
    return Collection.from_folder(folder, *args, **options)


def told(found) -> dict:
    return {
        name: [found.captions[row] for row in found.captions_of(i)] for i, name in enumerate(found.image_ids)
    }


def test_photos_without_captions_are_fine_if_that_is_said(photos):
    with pytest.raises(ValueError, match=r"no captions: no captions\.csv.*captions=False"):
        read(photos)
    found = read(photos, False)
    assert (found.image_ids, found.captions) == (list(NAMES), [])
    assert found.image(3).size == (23, 10)
    assert repr(found).endswith("4 images, 0 captions, no regions yet (no captions)>")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.csv", 'image,caption\na.jpg,"one, two"\na.jpg,second\nb.png,third\n'),
        ("captions.csv", "file;caption\na.jpg;one, two\na.jpg;second\nb.png;third"),
        ("captions.csv", "a.jpg,one, two\na.jpg,second\nb.png,third\n"),
        ("captions.tsv", 'caption\tphoto\none, two\ta.jpg\nsecond\ta.jpg\nthird\tb.png\n'),
        ("captions.txt", "image,caption\na.jpg,one, two\na.jpg,second\nb.png,third"),
        ("results.csv", "image_name| comment_number| comment\na.jpg| 0| one, two\na.jpg| 1| second\nb.png|0|third"),
        ("flickr.token", "a.jpg#0\tone, two\na.jpg#1\tsecond\nb.png#0\tthird\n"),
        ("captions.jsonl", '{"file_name": "a.jpg", "text": ["one, two", "second"]}\n\n{"file_name": "b.png", "text": "third"}'),
        ("captions.json", json.dumps({"a.jpg": ["one, two", "second"], "b.png": "third"})),
        ("captions.json", json.dumps([{"img": "a", "caption": ["one, two", "second"]}, {"img": "b", "caption": "third"}])),
        ("captions.json", json.dumps({"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.png"}],
            "annotations": [{"image_id": 7, "caption": "one, two"}, {"image_id": 9, "caption": "third"},
                            {"image_id": 7, "caption": "second"}]})),
        ("captions.json", json.dumps({"images": [{"filename": "a.jpg", "sentences": [{"raw": "one, two"}, {"raw": "second"}]},
                                                 {"filename": "b.png", "sentences": [{"raw": "third"}]}]})),
    ],
)  # fmt: skip
def test_captions_are_read_in_the_forms_that_people_keep(photos, name, text):
    write(photos, text, name)
    found = read(photos)
    assert told(found) == {"a.jpg": ["one, two", "second"], "b.png": ["third"], NAMES[2]: [], NAMES[3]: []}
    assert "2 pictures without a caption" in repr(found)
    assert found.skipped == ()


def test_a_text_beside_each_picture_has_a_caption_a_line(photos):
    write(photos, "one\n\ntwo\n", "a.txt")
    write(photos, "three", "trips/2024/c.webp.txt")
    assert told(read(photos)) == {"a.jpg": ["one", "two"], "b.png": [], NAMES[2]: [], NAMES[3]: ["three"]}


@pytest.mark.parametrize(
    "written",
    [
        "trips/Öl und Wasser.JPEG",
        "./trips\\Öl und Wasser.jpeg",
        "C:\\me\\trips\\O\u0308l und Wasser.JPEG",
        "öl und wasser",
    ],
)
def test_a_picture_is_found_however_its_name_was_written(photos, written):
    write(photos, json.dumps({written: "x"}), "captions.json")
    assert told(read(photos))[NAMES[2]] == ["x"]


def test_a_name_that_could_be_two_pictures_or_another_one_is_none(photos):
    Image.new("RGB", (9, 9)).save(photos / "trips" / "a.jpg")
    write(
        photos,
        json.dumps({"a.jpg": "root", "other/c.webp": "no", "b.jpg": "no", "c": "yes"}),
        "captions.json",
    )
    with pytest.warns(UserWarning, match=r"left out 2 \(other/c\.webp: has a caption, but no picture"):
        found = read(photos)
    assert {name: texts for name, texts in told(found).items() if texts} == {
        "a.jpg": ["root"],
        NAMES[3]: ["yes"],
    }


def test_names_that_differ_by_their_case_alone_are_two_pictures(tmp_path):
    for row, name in enumerate(("IMG_1.JPG", "img_1.jpg", "sub/Two.png", "sub/tWo.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9 + row)).save(tmp_path / name)
    text = "image,caption\nIMG_1.JPG,x\nimg_1.jpg,y\nImg_1.jpg,z\ntWo.png,two\nTWO.png,z\n"
    write(tmp_path, text)
    with pytest.warns(UserWarning, match=r"left out 2 \(Img_1\.jpg: .*; TWO\.png: has a caption, but no"):
        found = read(tmp_path)
    assert told(found) == {"IMG_1.JPG": ["x"], "img_1.jpg": ["y"], "sub/Two.png": [], "sub/tWo.png": ["two"]}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_text_of_another_encoding_is_read_and_said(photos, encoding):
    write(photos, "image,caption\na.jpg,Käse für Zoë\n", encoding=encoding)
    found = read(photos)
    assert found.captions == ["Käse für Zoë"]
    said = {"utf-16": "read as UTF-16", "cp1252": "read as Windows-1252"}.get(encoding, "captions.csv")
    assert said in repr(found)


def test_broken_pictures_are_left_out_counted_and_named(photos):
    Image.effect_noise((400, 400), 90).save(photos / "cut.jpg")
    (photos / "cut.jpg").write_bytes((photos / "cut.jpg").read_bytes()[:3000])
    (photos / "text.png").write_text("no picture")
    (photos / "empty.gif").write_bytes(b"")
    (photos / ".hidden.jpg").write_text("not looked at")
    write(photos, "image,caption\na.jpg,x\ncut.jpg,y\n")
    with pytest.warns(UserWarning, match=r"left out 3 \(cut\.jpg: .*collection\.skipped has all"):
        found = read(photos)
    assert (found.image_ids, found.captions) == (list(NAMES), ["x"])
    assert [name for name, _ in found.skipped] == ["cut.jpg", "empty.gif", "text.png"]


def test_without_the_check_broken_pictures_are_found_when_asked_for(photos):
    (photos / "text.png").write_text("no picture")
    found = read(photos, False, check=False)
    with pytest.raises(ValueError, match=r"text\.png cannot be opened"):
        found.image(found.image_ids.index("text.png"))


def test_copies_are_one_picture_with_the_captions_of_all(photos):
    (photos / "z.jpg").write_bytes((photos / "a.jpg").read_bytes())
    write(photos, "image,caption\na.jpg,one\nz.jpg,two\n")
    with pytest.warns(UserWarning, match=r"z\.jpg: the same picture as a\.jpg"):
        assert told(read(photos))["a.jpg"] == ["one", "two"]


def test_pictures_stand_upright_in_any_mode(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("CMYK", (30, 10)).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(np.full((5, 6), 40_000, np.uint16)).save(tmp_path / "deep.png")
    found = read(tmp_path, False)
    assert [(found.image(row).mode, found.image(row).size) for row in range(2)] == [
        ("RGB", (6, 5)),
        ("RGB", (10, 30)),
    ]


def test_a_name_that_is_no_text_can_be_shown(tmp_path):
    Image.new("RGB", (5, 5)).save(tmp_path / "x.png")
    os.rename(tmp_path / "x.png", os.fsencode(tmp_path) + b"/caf\xe9.png")
    found = read(tmp_path, False)
    assert found.image_ids == ["caf\\xe9.png"]
    assert found._repr_html_().encode()
    assert found.stamp(0).encode()


def test_a_column_of_splits_divides_the_photos(photos):
    write(photos, "image,caption,split\na.jpg,x,train\nb.png,y,validation\n")
    assert read(photos, split="val").image_ids == ["b.png"]
    assert len(read(photos)) == 4
    with pytest.raises(ValueError, match="has no split 'test'; its splits are train, validation"):
        read(photos, split="test")


@pytest.mark.parametrize("captions", [None, False])
def test_a_split_that_nothing_names_is_refused(photos, captions):
    write(photos, "image,caption\na.jpg,x\n")
    with pytest.raises(ValueError, match=r"has no split 'test': nothing says which .* Leave split out"):
        read(photos, captions, split="test")


def test_a_photo_in_two_splits_is_refused(photos):
    write(photos, "image,caption,split\na.jpg,x,val\na.jpg,y,dev\nb.png,x,train\nb.png,y,test\n")
    with pytest.raises(ValueError, match=r"b\.png is in two splits, train and test"):
        read(photos, split="test")


def test_a_copy_in_another_split_gives_its_captions_to_neither(photos):
    (photos / "z.jpg").write_bytes((photos / "a.jpg").read_bytes())
    write(photos, "image,caption,split\na.jpg,one,train\nz.jpg,two,test\nb.png,three,test\n")
    with pytest.warns(UserWarning, match=r"same picture as a\.jpg, which is in the split train"):
        assert read(photos, split="train").captions == ["one"]
    with pytest.warns(UserWarning, match="left out"):
        assert read(photos, split="test").captions == ["three"]
    with pytest.warns(UserWarning, match="which has its captions"):
        assert read(photos).captions == ["one", "two", "three"]


def test_captions_that_are_not_there_are_asked_for(photos):
    with pytest.raises(FileNotFoundError, match=r"there is no file nope\.csv, nor is it in .*captions="):
        read(photos, "nope.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("captions.csv", "", "it is empty"),
        ("captions.csv", "just words", "wanted a name and a caption in each line"),
        ("captions.csv", "image,caption\nq.jpg,x\n", "none of its columns .* names a picture that is there"),
        ("captions.csv", "a,b,c\na.jpg,1,2\n", "no column that looks like captions.*caption='...'"),
        ("captions.jsonl", '{"a": 1}\n{"b"', "line 2 is no JSON"),
        ("captions.json", "[1, 2]", "wanted objects with a name and captions"),
        ("captions.json", '{"images": [', "cannot be read"),
        ("captions.csv", "image,caption\na.jpg, \n", "no caption of .* belongs to a picture"),
    ],
)
def test_captions_that_cannot_be_understood_are_refused_in_words(photos, name, text, message):
    write(photos, text, name)
    with pytest.raises(ValueError, match=message):
        read(photos)


def test_two_files_of_captions_are_for_the_user_to_choose_from(photos):
    write(photos, "image,caption\na.jpg,x\n")
    write(photos, "image,caption\na.jpg,y\n", "metadata.csv")
    with pytest.raises(ValueError, match=r"2 files that may hold captions: captions\.csv, metadata\.csv"):
        read(photos)
    assert read(photos, "metadata.csv").captions == ["y"]
    assert read(photos, photos / "captions.csv").captions == ["x"]


def test_a_folder_that_is_not_there_or_has_no_pictures_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        read(tmp_path / "none")
    with pytest.raises(ValueError, match="has no pictures"):
        read(tmp_path)
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(ValueError, match=r"none of the 1 pictures .* can be opened"):
        read(tmp_path, False)


def test_words_that_people_typed_are_shown_as_text(photos):
    attack = "<script>alert(1)</script> a dog"
    write(photos, f'image,caption\na.jpg,"{attack}"\n')
    found = read(photos)
    assert found.captions == [attack]
    assert "<script" not in found._repr_html_()


def test_photos_without_captions_cannot_be_trained_on_and_say_so(photos):
    toy = toy_collection(12)
    with pytest.raises(ValueError, match="has no captions; training"):
        next(fit(toy_model(toy), read(photos, False), toy, epochs=1))


def test_the_tokenizer_reads_what_was_typed(photos):
    write(photos, "image,caption\na.jpg,A red dog\n")
    found = read(photos)
    assert found.token_ids(build_tokenizer(found.captions, min_count=1))[0].tolist()[0] == 1
