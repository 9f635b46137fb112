from dataclasses import replace


def test_an_explanation_lists_its_maps_and_the_words_that_nobody_knew(make_explanation):
    found = replace(make_explanation("a <b>red</b> dog"), unknown=(0,))
    assert list(found.to_frame().index) == [one.name for one in found.maps]
    assert found.to_frame()["origin"].tolist() == [one.origin for one in found.maps]
    assert f"never seen by the model: {found.pair.words[0]}" in str(found)
    assert "<b>" not in found._repr_html_()
