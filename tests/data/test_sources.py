"""What a user names: each source is found, and walked from the command line to the first results."""

import json

import pytest
from datasets import Dataset, Features, Image, Value
from PIL import Image as Pillow

from itr_explore.cli import main
from itr_explore.data.collection import Collection
from itr_explore.data.guide import guide_vectors
from itr_explore.data.scenes import cache
from itr_explore.data.sources import open_evaluation, open_source, open_training

CLIP = "clip-tiny-scenes"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "kept"))


@pytest.fixture
def photos(tmp_path):
    """Twelve photos, each of its own colour, with two captions each."""
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["image,caption"]
    for row in range(12):
        Pillow.new("RGB", (40, 30), (20 * row, 255 - 20 * row, 90)).save(folder / f"{row:02}.png")
        lines += [f"{row:02}.png,a {word} picture" for word in ("red", "green")]
    (folder / "captions.csv").write_text("\n".join(lines))
    return folder


def test_photos_are_opened_whole_and_every_tenth_is_held_out_of_training(photos):
    assert len(open_source(photos, "test")) == 12
    training, validation = open_training(photos)
    assert (len(training), training.split, validation.image_ids) == (11, "train", ["09.png"])


def test_what_is_measured_on_is_what_training_held_out(photos):
    assert open_evaluation(photos, "test").image_ids == open_training(photos)[1].image_ids
    assert [len(open_evaluation(photos, split)) for split in ("train", "val", "all")] == [11, 1, 12]


def test_what_is_measured_on_is_the_split_that_the_captions_name(photos):
    (photos / "captions.csv").write_text("image,caption,split\n00.png,x,train\n01.png,y,test\n")
    assert open_evaluation(photos, "test").image_ids == ["01.png"]


def test_splits_that_the_captions_name_come_before(photos):
    text = "image,caption,split\n00.png,x,train\n01.png,y,val\n02.png,z,train\n"
    (photos / "captions.csv").write_text(text)
    assert [len(one) for one in open_training(photos)] == [2, 1]


def test_too_few_photos_to_hold_any_out_are_refused(photos):
    for path in sorted(photos.glob("*.png"))[5:]:
        path.unlink()
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match="has 5 photos; wanted 10"),
    ):
        open_training(photos)


def test_photos_without_captions_are_opened_all_the_same(photos):
    (photos / "captions.csv").unlink()
    assert open_source(photos, "test").captions == []


def test_a_saved_set_and_a_parquet_file_are_known_by_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = Dataset.from_dict(
        {"image": [Pillow.new("RGB", (5, 5))], "text": ["a"]},
        features=Features({"image": Image(), "text": Value("string")}),
    )
    rows.save_to_disk(tmp_path / "saved")
    rows.to_parquet(tmp_path / "few.parquet")
    assert open_source(tmp_path / "saved", "test").captions == ["a"]
    assert open_source(tmp_path / "few.parquet", "test").captions == ["a"]


def test_hub_asks_the_hub(monkeypatch):
    asked = []
    monkeypatch.setattr(Collection, "from_hub", lambda *given: asked.append(given))
    open_source("hub:owner/name", "val")
    assert asked == [("owner/name", "val")]
    with pytest.raises(FileNotFoundError, match="there is no folder owner/name; wanted one, `scenes`, or"):
        open_source("owner/name", "val")


def test_from_a_folder_of_photos_to_a_trained_model_its_recall_and_a_search(photos, tmp_path, capsys):
    data = ["--collection", str(photos), "--regions", CLIP, "--device", "cpu"]
    settings = ["--model", "vse", "--preset", "tiny", "--epochs", "1", "--folder", str(tmp_path / "run")]
    assert main(["train", *data, *settings]) == 0
    weights = str(tmp_path / "run" / "weights")
    assert main(["evaluate", *data, "--model", weights]) == 0
    assert "vse on photos" in capsys.readouterr().out
    (photos / "captions.csv").unlink()
    assert main(["search", *data, "--model", weights, "--text", "a red picture", "--results", "2"]) == 0
    assert ".png" in capsys.readouterr().out


def test_without_regions_the_command_says_how_to_make_them(photos, tmp_path, capsys):
    assert main(["train", "--collection", str(photos), "--folder", str(tmp_path / "run")]) == 2
    assert "photos, train has no regions yet" in (said := capsys.readouterr().err)
    assert "with_regions" in said


def test_a_guide_comes_from_a_clip_by_its_name(photos, tmp_path):
    data = ["--collection", str(photos), "--regions", CLIP, "--guide", CLIP, "--device", "cpu"]
    settings = ["--model", "user", "--preset", "tiny", "--epochs", "1", "--folder", str(tmp_path / "run")]
    assert main(["train", *data, *settings]) == 0
    config = json.loads((tmp_path / "run" / "weights" / "config.json").read_text())
    found = Collection.from_folder(photos)
    assert config["config"]["guide_dim"] == guide_vectors(found, CLIP, device="cpu").shape[1]
