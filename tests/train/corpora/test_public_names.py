"""By names alone: none of these corpora is here."""

import pytest

from serctl.train.corpora.clip_names import read_clip_name, read_jl_name
from serctl.train.corpora.manifest import manifest
from serctl.train.corpora.public_names import SCHEMES, read_public_name

NAMES = {
    "wav/03a01Fa.wav": ("emodb", "emodb-03", "happy"),
    "16b10Wb.wav": ("emodb", "emodb-16", "angry"),
    "08a02La.flac": ("emodb", "emodb-08", "boredom"),
    "11b03N.wav": ("emodb", "emodb-11", "neutral"),
    "EMOVO/f1/dis-f1-b1.wav": ("emovo", "emovo-f1", "disgust"),
    "gio-m3-n5.wav": ("emovo", "emovo-m3", "happy"),
    "Colère/Fort/01-C-2-1.wav": ("cafe", "cafe-01", "angry"),
    "12-N-1-6.wav": ("cafe", "cafe-12", "neutral"),
    "female/F01A01.wav": ("shemo", "shemo-f01", "angry"),
    "M43W02.wav": ("shemo", "shemo-m43", "surprise"),
    "happiness/h05 (3).wav": ("aesdd", "aesdd-3", "happy"),
    "sadness/s12 (5)b.wav": ("aesdd", "aesdd-5", "sad"),
    "F_01_OISHI_S_1_ANGRY_1.wav": ("subesco", "subesco-f_01", "angry"),
    "M_10_BASHIR_S_10_SURPRISE_5.wav": ("subesco", "subesco-m_10", "surprise"),
    "bea_Amused/amused_1-15_0001.wav": ("emov-db", "emov-db-bea", "amused"),
    "Angry/anger_1-28_0011.wav": ("emov-db", "", "angry"),
    "Angry/SM1_F10_A010.wav": ("urdu", "urdu-sm1", "angry"),
    "s1_an_1.avi": ("enterface", "enterface-s1", "angry"),
    "s44_su_5.avi": ("enterface", "enterface-s44", "surprise"),
}


@pytest.mark.parametrize("path", NAMES)
def test_names_say_corpus_speaker_and_emotion(path: str) -> None:
    name = read_public_name(path)
    assert name is not None
    assert (name.corpus, name.speaker, name.emotion) == NAMES[path]
    assert read_public_name(path.upper()) == name
    assert read_clip_name(path) is None
    assert read_jl_name(path) is None


def test_every_corpus_is_tested() -> None:
    assert {corpus for corpus, _, _ in NAMES.values()} == {one.corpus for one in SCHEMES}


@pytest.mark.parametrize(
    "path",
    [
        "a01 (1).wav",  # a copy of SAVEE's, as Windows names it
        "DC/a01 (1).wav",
        "03a01Xa.wav",
        "x03a01Fa.wav",
        "03a01Fab.wav",
        "dis-f1-b1-2.wav",
        "1-C-1-1.wav",
        "F01B01.wav",
        "2024-01-02.wav",
        "s1_xx_1.wav",
        "angry.wav",
        "male1_angry_1a_1.wav",
        "\u0660\u0663a01Fa.wav",  # Arabic digits
        "",
    ],
)
def test_other_names_say_nothing(path: str) -> None:
    assert read_public_name(path) is None


def test_no_clip_of_the_four_corpora_is_claimed() -> None:
    assert not [path for path in manifest()["path"] if read_public_name(path)]
