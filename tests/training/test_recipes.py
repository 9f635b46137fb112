import inspect

import pytest

from itr_explore.models.registry import list_models, model_class
from itr_explore.training.fit import fit
from itr_explore.training.recipes import RECIPES, recipe_for


def test_every_model_has_a_recipe_for_scenes_and_for_photos():
    assert set(RECIPES) == {(name, kind) for name in list_models() for kind in ("scenes", "real photos")}


@pytest.mark.parametrize(("model", "kind"), RECIPES)
def test_a_recipe_names_a_preset_of_its_model_and_settings_of_fit(model, kind):
    recipe = recipe_for(model, kind)
    assert recipe.preset in model_class(model).presets
    assert set(recipe.settings) <= set(inspect.signature(fit).parameters)


def test_fewer_epochs_leave_room_after_the_warm_up():
    recipe = recipe_for("scan", "scenes", epochs=2)
    assert (recipe.epochs, recipe.warm_up_epochs) == (2, 1)


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no recipe for scan on paintings; there is scan on scenes"):
        recipe_for("scan", "paintings")
