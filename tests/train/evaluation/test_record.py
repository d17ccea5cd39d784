import json

from serctl.models.config import ModelConfig
from serctl.results.schema import Result
from serctl.train.evaluation.labelled import LabelledRecordings
from serctl.train.evaluation.record import evaluation_of, record_text


def test_the_record_holds_everything(tiny_config: ModelConfig) -> None:
    clips = LabelledRecordings(
        "x",
        ["a.wav", "\udce9 b.wav", "c.wav"],
        ["angry", "sad", "sad"],
        ["savee", "", ""],
        ["saveeDC", "", ""],
        ("angry", "sad"),
        {"no emotion": 2},
        warnings=["w"],
    )
    predicted = Result("", "ok", emotion="angry", probabilities=(0.7500001, 0.2499999))
    results = [predicted, predicted, Result("", "silent", "All zero.")]
    scores = clips.score(results)
    text = record_text(clips, [evaluation_of("tiny", tiny_config, clips, results)])
    again = json.loads(text)
    assert again["model"]["name"] == "tiny"
    assert again["emotions"] == ["angry", "sad"]
    assert again["scores"]["ua"] == scores.ua
    assert again["scores"]["intervals"]["macro_f1"] == scores.intervals["macro_f1"]
    assert len(again["calibration"]["bins"]) == 15
    assert again["left_out"] == clips.left_out
    assert again["warnings"] == ["w"]
    assert text.isascii()
    first, second, last = again["recordings"]
    assert first == {
        "path": "a.wav",
        "reference": "angry",
        "predicted": "angry",
        "probabilities": [0.75, 0.25],
        "speaker": "saveeDC",
        "corpus": "savee",
        "status": "ok",
        "reason": "",
    }
    assert second["path"] == clips.paths[1]
    assert text.endswith("}\n")
    assert (last["predicted"], last["probabilities"], last["reason"]) == ("", [], "All zero.")
