import inspect

import numpy as np
import pytest
from toys import toy_collection

from itr_explore.models.registry import list_models, model_class
from itr_explore.training.fit import fit
from itr_explore.training.recipes import (
    TABLES,
    list_recipes,
    load_recipe,
    recipe_for,
    want_files,
)


@pytest.fixture
def own(tmp_path):
    """Writes a recipe file of a user's own."""

    def write(text: str, system: str = "scan"):
        (tmp_path / "own.toml").write_text(f'system = "{system}"\n{text}', encoding="utf-8")
        return tmp_path / "own.toml"

    return write


SHORT = '[photos]\npreset = "tiny"\nepochs = 2\nlearning_rate = 1e-3\n'


def test_every_model_has_a_recipe_for_every_kind_of_collection():
    assert set(list_recipes()) == {f"{name}-{kind}" for name in list_models() for kind in TABLES.values()}


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_names_settings_of_fit_and_makes_its_model(name):
    recipe = load_recipe(name)
    assert set(recipe.settings) <= set(inspect.signature(fit).parameters)
    model = model_class(recipe.system)
    given = {name: value for name, value in recipe.model.items() if name != "bert"}
    model.make_config({**model.presets[recipe.preset], "region_dim": 8, "vocabulary_size": 9, **given})


def test_a_recipe_is_found_by_its_system_and_collection():
    assert load_recipe("scan-f30k") == recipe_for("scan", "flickr30k")
    assert load_recipe("scan-photos") == recipe_for("scan", "real photos")


def test_fewer_epochs_leave_room_after_the_warm_up():
    recipe = recipe_for("scan", "scenes", epochs=2)
    assert (recipe.epochs, recipe.warm_up_epochs) == (2, 1)


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no recipe for scan on paintings; there is .*scan-scenes"):
        recipe_for("scan", "paintings")
    with pytest.raises(ValueError, match="no recipe 'scam-f30k'; did you mean 'scan-f30k'"):
        load_recipe("scam-f30k")


def test_a_recipe_of_ones_own_is_read_from_its_file(own):
    path = own(SHORT + "[photos.model]\ndim = 12\n")
    recipe = load_recipe(path)
    assert (recipe.system, recipe.collection, recipe.epochs) == ("scan", "photos", 2)
    assert recipe.make_model(toy_collection()).config.dim == 12
    assert recipe.make_model(toy_collection(), dim=8).config.dim == 8


def test_of_several_tables_one_is_chosen_by_name(own):
    path = own(SHORT + SHORT.replace("photos", "coco"))
    assert load_recipe(f"{path}:coco").collection == "coco"
    with pytest.raises(ValueError, match=r"has photos, coco; say which, as in .*own\.toml:photos"):
        load_recipe(path)
    with pytest.raises(ValueError, match=r"no table \[coca\]; did you mean 'coco'"):
        load_recipe(f"{path}:coca")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHORT + "epoch = 3", r"\[photos\]: there is no key 'epoch'; did you mean 'epochs'"),
        (SHORT.replace("photos", "foto"), r"there is no table \[foto\]; did you mean 'photos'"),
        ("epochs = 3", r"there is no table \[epochs\]"),
        (SHORT.replace("2", '"2"'), "epochs must be a whole number, got '2'"),
        (SHORT.replace("1e-3", "true"), "learning_rate must be a number, got True"),
        (SHORT + "decay_epoch = [1, 2.5]", r"decay_epoch must be a whole number or a list of them"),
        (SHORT.replace("epochs = 2", ""), r"\[photos\] lacks epochs"),
        ("", "has no recipe; give it a table"),
        ("[photos", "is not TOML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_by_its_name(own, text, message):
    path = own(text)
    with pytest.raises(ValueError, match=f"own.toml.*{message}"):
        load_recipe(path)


def test_an_unknown_system_and_a_missing_file_are_named(own, tmp_path):
    with pytest.raises(ValueError, match="system is 'scam'; did you mean 'scan'"):
        load_recipe(own(SHORT, system="scam"))
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.toml"):
        load_recipe(tmp_path / "nowhere.toml")


def test_a_setting_that_the_model_does_not_know_names_the_file(own):
    recipe = load_recipe(own(SHORT + "[photos.model]\ndimm = 12\n"))
    with pytest.raises(ValueError, match=r"own\.toml, \[photos\]: scan has no setting 'dimm'"):
        recipe.make_model(toy_collection())


def test_a_recipe_opens_what_to_train_and_to_choose_on(own, tmp_path):
    for split, images in (("train", 4), ("dev", 3)):
        np.save(tmp_path / f"{split}_ims.npy", np.ones((images, 2, 5), np.float32))
        captions = "\n".join(f"{split} dog {i}" for i in range(2 * images))
        (tmp_path / f"{split}_caps.txt").write_text(captions, encoding="utf-8")
    text = SHORT.replace("photos", "coco") + "captions_per_image = 1\nvalidation_images = 2"
    training, validation = load_recipe(own(text)).open(tmp_path)
    assert (len(training), training.captions[1]) == (4, "train dog 2")
    assert (len(validation), validation.captions) == (2, ["dev dog 0", "dev dog 2"])
    with pytest.raises(ValueError, match=r"needs a folder of data.*SCAN package"):
        load_recipe("scan-coco").open()


def test_missing_files_are_named_with_the_place_they_come_from(tmp_path):
    recipe = load_recipe("scan-f30k")
    (tmp_path / "train_ims.npy").touch()
    (tmp_path / "dataset_flickr30k.json").touch()
    with pytest.raises(FileNotFoundError, match=r"lacks dev_ims\.npy \(or .*\)\. The field takes.*SCAN"):
        want_files(recipe, tmp_path)
    (tmp_path / "val_ims.npy").touch()
    want_files(recipe, tmp_path)


def test_files_one_folder_further_down_are_pointed_out(tmp_path):
    (tmp_path / "f30k_precomp").mkdir()
    for name in ("train_ims.npy", "train_caps.txt", "dev_ims.npy", "dev_caps.txt"):
        (tmp_path / "f30k_precomp" / name).touch()
    with pytest.raises(FileNotFoundError, match=r"All of it is in .*f30k_precomp: name that folder"):
        want_files(load_recipe("scan-f30k"), tmp_path)
