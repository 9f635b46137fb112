import numpy as np
import pytest

from itr_explore.cli import main
from itr_explore.models.registry import from_pretrained

RECIPE = 'system = "vse"\n[coco]\npreset = "tiny"\nepochs = 1\nlearning_rate = 1e-3\nmin_count = 1\n'
MODEL = "[coco.model]\ndim = 8\nbox = false\n"


@pytest.fixture
def data(tmp_path):
    """Random features with captions, as the field's packages name them."""
    rng = np.random.default_rng(0)
    for split, images in (("train", 8), ("dev", 4)):
        captions = [f"{colour} dog {i}" for i in range(images) for colour in ("red", "blue")]
        (tmp_path / f"{split}_caps.txt").write_text("\n".join(captions), encoding="utf-8")
        np.save(tmp_path / f"{split}_ims.npy", rng.normal(size=(images, 3, 5)).astype(np.float32))
    return tmp_path


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "own.toml").write_text(RECIPE + MODEL, encoding="utf-8")
    return str(tmp_path / "own.toml")


def train(recipe, data, *more):
    return main(["train", "--recipe", recipe, "--data", str(data), "--folder", str(data / "run"), *more])


def test_a_recipe_trains_its_system_on_its_data(recipe, data):
    assert train(recipe, data, "--device", "cpu") == 0
    model = from_pretrained(data / "run" / "weights")
    assert (model.name, model.config.dim, model.config.region_dim) == ("vse", 8, 5)


def test_missing_files_are_named_before_anything_is_written(recipe, data, capsys):
    (data / "dev_ims.npy").unlink()
    assert train(recipe, data) == 2
    assert "lacks dev_ims.npy" in (said := capsys.readouterr().err)
    assert "The field takes them from coco_precomp of the SCAN package" in said
    assert not (data / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "vse-f30"], "no recipe 'vse-f30'; did you mean 'vse-f30k'"),
        (["--recipe", "vse-f30k"], "vse on flickr30k needs a folder of data"),
        (["--recipe", "vse-f30k", "--model", "scan"], "--recipe vse-f30k trains vse, --model says scan"),
        (["--data", "somewhere"], "--data goes with --recipe"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_words(arguments, message, tmp_path, capsys):
    assert main(["train", "--folder", str(tmp_path / "run"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
