from fervt.ui.evaluation.people_words import describe_people


def test_the_sentence_holds_every_figure():
    said = describe_people([1500, 500], ["the label", "the model"])
    assert said == (
        "Whom the annotators side with in 2,000 errors: the label, 1,500 (75%); "
        "the model, 500 (25%)."
    )


def test_no_errors_divide_nothing():
    assert describe_people([0, 0], ["a", "b"]) == "There are no errors to ask the annotators about."
