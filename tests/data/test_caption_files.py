"""Tables, JSON and Flickr's files: which column names pictures, and that no caption goes astray."""

import json

import pytest

from itr_explore.data.caption_files import read_captions


@pytest.fixture
def read(tmp_path):
    """Captions as `(name, text)`, the note and what was left out, of a file about some pictures."""

    def write_and_read(text, name="captions.csv", pictures=("a.jpg", "b.jpg", "c.jpg"), **options):
        def known(written):
            return next((one for one in pictures if written in (one, one.rpartition(".")[0])), None)

        (tmp_path / name).write_text(text, encoding="utf-8")
        said, note, skipped = read_captions(tmp_path / name, known, **options)
        return [(one.name, one.text) for one in said], note, skipped

    return write_and_read


COUNTED = ("0.jpg", "1.jpg", "2.jpg", "3.jpg")


def test_a_number_that_is_a_picture_s_name_without_its_end_is_none_beside_whole_names(read):
    text = "id,name,caption\n1,2.jpg,x\n2,1.jpg,y\n"
    assert read(text, pictures=COUNTED)[0] == [("2.jpg", "x"), ("1.jpg", "y")]
    text = "comment_number,image,comment\n0,3.jpg,x\n1,3.jpg,y\n2,gone.jpg,z\n"
    assert read(text, pictures=COUNTED)[0][:2] == [("3.jpg", "x"), ("3.jpg", "y")]


def test_of_two_columns_of_numbers_the_one_called_so_names_pictures_if_it_names_as_many(read):
    text = "number,image_id,caption\n0,3,x\n1,2,y\n"
    assert read(text, pictures=COUNTED)[0] == [("3", "x"), ("2", "y")]


@pytest.mark.parametrize("first", ["0,3", "0,3\n1,7"])
def test_two_columns_that_could_both_name_pictures_are_for_the_user_to_choose_from(read, first):
    names = "row,place,caption" if "\n" not in first else "row,image_id,caption"
    text = f"{names}\n" + "\n".join(f"{line},x" for line in first.splitlines())
    with pytest.raises(ValueError, match=r"'row' and '\w+' could both be the names .* image='\.\.\.'"):
        read(text, pictures=COUNTED)
    assert read(text, pictures=COUNTED, image=names.split(",")[1])[0][0] == ("3", "x")


def test_two_columns_with_the_same_pictures_are_one(read):
    assert read("path,copy,caption\na.jpg,a,x\n")[0] == [("a.jpg", "x")]


@pytest.mark.parametrize(
    "text",
    [
        'image,caption\na.jpg,"one\nb.jpg,"two, too"\nc.jpg,three\n',
        'image,caption\na.jpg,"one\nb.jpg,"two, too"\nc.jpg,"three\n',
    ],
)
def test_a_quote_that_is_never_closed_takes_no_other_rows_with_it(read, text):
    said, note, _ = read(text)
    assert [name for name, _ in said] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [text.strip('"') for _, text in said] == ["one", "two, too", "three"]
    assert "a quote in it is never closed" in note


def test_quotes_in_flickr_s_file_are_letters(read):
    said, note, _ = read('a.jpg#0\t"one\nb.jpg#0\ttwo"\n', "results.token")
    assert said == [("a.jpg", '"one'), ("b.jpg", 'two"')]
    assert "quote" not in note


def test_a_quoted_caption_may_have_several_lines(read):
    said, note, _ = read('image,caption\na.jpg,"one\ntwo, too"\nb.jpg,"5"" pipe"\n')
    assert said == [("a.jpg", "one\ntwo, too"), ("b.jpg", '5" pipe')]
    assert "quote" not in note


def test_the_mark_that_sets_names_apart_divides_a_table(read):
    text = "a.jpg;a dog, a cat, and a man\nb.jpg;one, two, three\n"
    assert read(text)[0] == [("a.jpg", "a dog, a cat, and a man"), ("b.jpg", "one, two, three")]


def test_a_row_without_its_caption_is_named(read):
    text = "image_name| comment_number| comment\na.jpg| 0| x\nb.jpg| 4   A dog runs\n"
    for table in (text, text.partition("\n")[2]):
        said, _, skipped = read(table)
        assert said == [("a.jpg", "x")]
        assert [name for name, _ in skipped] == ["b.jpg"]
        assert "2 of 3 columns" in skipped[0][1]


def test_a_row_without_a_picture_s_name_is_counted(read):
    assert read("caption,image\nx,a.jpg\ny\n")[2] == [("row 2", "names no picture in 'image'")]
    text = '{"image": "a.jpg", "caption": "x"}\n{"caption": "y"}\n{"image": "b.jpg"}'
    assert read(text, "c.jsonl")[2] == [("row 2", "names no picture in 'image'")]


def test_a_quote_left_open_in_a_long_file_is_no_caption_without_end(read):
    rows = "".join(f"b.jpg,row {row} of many\n" for row in range(9000))
    said, note, _ = read(f'image,caption\na.jpg,"one\n{rows}')
    assert (len(said), said[-1]) == (9001, ("b.jpg", "row 8999 of many"))
    assert "never closed" in note


def test_two_columns_of_one_name_are_both_kept(read):
    said, note, _ = read("image,caption,caption\na.jpg,x,y\n")
    assert said == [("a.jpg", "x"), ("a.jpg", "y")]
    assert "'caption_1' and 'caption_2'" in note


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.json", "3", "wanted objects with a name and captions"),
        ("c.json", '{"annotations": [{"image_id": 1, "caption": "x"}]}', r"COCO's captions \('images'\)"),
        ("c.jsonl", '{"image": "a.jpg", "caption": 5}', r"c\.jsonl, row 1, of 'a\.jpg': wanted a caption"),
    ],
)
def test_json_that_says_something_else_is_refused_in_words(read, name, text, message):
    with pytest.raises(ValueError, match=message):
        read(text, name)


def test_coco_s_captions_of_pictures_that_are_not_listed_keep_their_number(read):
    told = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 7, "caption": "x"}, {"image_id": 8, "caption": "y"}],
    }
    assert read(json.dumps(told), "c.json")[0] == [("a.jpg", "x"), ("image_id 8", "y")]
