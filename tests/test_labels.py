from fervt.labels import (
    FER2013,
    FER2013_TO_FERPLUS,
    FERPLUS,
    VOTE_NAMES,
    expression,
)


def test_orders_are_the_data_sets_own() -> None:
    assert FER2013.classes == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert VOTE_NAMES[:8] == FERPLUS.classes
    assert len(VOTE_NAMES) == 10


def test_one_expression_has_one_color_in_both_vocabularies() -> None:
    for fer, plus in FER2013_TO_FERPLUS.items():
        assert expression(fer) == expression(plus)
    for vocabulary in (FER2013, FERPLUS):
        assert len(set(vocabulary.colors)) == len(vocabulary)
