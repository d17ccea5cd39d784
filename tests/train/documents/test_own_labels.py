from serctl.train.documents.own_labels import own_labels


def test_gain_is_beside_the_model_as_it_was_or_chance():
    row = {"n": 20, "n_clips": 40, "ua": 0.7, "ua_lowest": 0.6, "ua_highest": 0.8}
    task = {"corpus": "savee", "labels": ["a", "b"], "n_speakers": 3}
    tasks = {
        "emotion": task | {"rows": [row | {"before": 0.55}]},
        "sex": task | {"rows": [row | {"before": None}]},
    }
    lines = own_labels({"whisper": {"own-labels": {"tasks": tasks}}}).splitlines()
    assert lines[2:] == [
        "| emotion, 2 labels, 3 speakers of SAVEE | 20 | 70.0% (60.0% to 80.0%) "
        "| 55.0% (+15.0 points) |",
        "| sex, 2 labels, 3 speakers of SAVEE | 20 | 70.0% (60.0% to 80.0%) | chance: 50.0% |",
    ]


def test_without_measurements_there_is_no_table():
    assert own_labels({"cnn": {}}) == ""
