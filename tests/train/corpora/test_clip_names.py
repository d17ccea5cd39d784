from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serctl.audio.formats.names import AUDIO_EXTENSIONS
from serctl.train.corpora.clip_names import ClipName, is_song, read_clip_name, read_jl_name
from serctl.train.corpora.manifest import manifest, parse_clip_name

MANIFEST = manifest()
PATHS = MANIFEST["path"].tolist()
STEMS = [PurePath(path).stem for path in PATHS]
KNOWN_STEMS = {stem.lower() for stem in STEMS}


def test_every_clip_of_the_manifest_parses_to_its_own_row() -> None:
    for row in MANIFEST.itertuples():
        name = parse_clip_name(row.path)
        assert name == ClipName(row.corpus, row.clip, row.speaker, row.emotion)


def test_a_clip_is_identified_by_corpus_and_stem() -> None:
    assert not MANIFEST.duplicated(["corpus", "clip"]).any()
    differing = MANIFEST["clip"] != STEMS
    assert MANIFEST.loc[differing, "clip"].tolist() == ["OAF_bite_neutral"]


@given(
    path=st.sampled_from(PATHS),
    upper=st.lists(st.booleans(), min_size=60, max_size=60),
    extension=st.sampled_from(sorted(AUDIO_EXTENSIONS)),
)
def test_case_and_extension_do_not_matter(path: str, upper: list[bool], extension: str) -> None:
    plain = PurePath(path).with_suffix(extension).name
    name = "".join(c.upper() if high else c.lower() for c, high in zip(plain, upper, strict=False))
    assert parse_clip_name(f"anywhere/{name}") == parse_clip_name(path)


@given(
    stem=st.sampled_from(STEMS), position=st.integers(0, 40), character=st.characters(codec="utf-8")
)
def test_a_name_with_one_wrong_character_is_not_another_clip(
    stem: str, position: int, character: str
) -> None:
    position %= len(stem)
    name = stem[:position] + character + stem[position + 1 :]
    if name.lower() not in KNOWN_STEMS and "/" not in name:
        assert parse_clip_name(f"{name}.wav") is None


@pytest.mark.parametrize(
    "path",
    [
        "1001_DFA_ANG.wav",
        "1001_DFA_ANG_X.wav",
        "1001_DFA_ANG_HI.wav",  # only IEO was acted at three levels
        "1001_DFA_ANG_XX (1).wav",
        "1001_DFA_ANG_XX.wav\n",
        "1001_DFA_ANG_XX.txt",
        "1001_DFA_ANG_XX",
        "1001_DFA_JOY_XX.wav",
        "1000_DFA_ANG_XX.wav",
        "1092_DFA_ANG_XX.wav",
        "11001_DFA_ANG_XX.wav",
        "\u0661\u0660\u0660\u0661_DFA_ANG_XX.wav",  # digits, but not ASCII
        "1001_DFA_ANG_XX.wav/notes.wav",
        "03-01-09-01-01-01-01.wav",
        "03-01-01-02-01-01-01.wav",  # neutral was not acted strongly
        "03-01-02-01-01-01-25.wav",
        "03-01-02-01-01-03-01.wav",
        "01-01-02-01-01-01-01.wav",  # the video's sound track
        "02-01-02-01-01-01-01.mp4",
        "03-02-02-01-01-01-01.wav",  # a song
        "AB_a01.wav",
        "DC_a16.wav",
        "DC_a1.wav",
        "DC_x01.wav",
        "AudioData/AB/a01.wav",
        "a01.wav",
        "OAF_nonsense_sad.wav",
        "OAF_back_calm.wav",
        "MAF_back_sad.wav",
        "DC_\u017fa01.wav",
        "",
    ],
)
def test_names_that_are_nearly_right_are_not_clips(path: str) -> None:
    assert parse_clip_name(path) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1040_ITH_SAD_X.wav", ClipName("crema-d", "1040_ITH_SAD_XX", "crema1040", "sad")),
        ("AudioData/DC/a01.wav", ClipName("savee", "DC_a01", "saveeDC", "angry")),
        ("AudioData/KL/su15.WAV", ClipName("savee", "KL_su15", "saveeKL", "surprise")),
        ("jk/SA07.flac", ClipName("savee", "JK_sa07", "saveeJK", "sad")),
        # The file's own name goes before the folder's.
        ("DC/JE_n30.wav", ClipName("savee", "JE_n30", "saveeJE", "neutral")),
        ("OA_bite_neutral.wav", ClipName("tess", "OAF_bite_neutral", "tessOAF", "neutral")),
        ("OAF_bite_neutral.wav", ClipName("tess", "OAF_bite_neutral", "tessOAF", "neutral")),
        ("YAF_dog_ps.wav", ClipName("tess", "YAF_dog_ps", "tessYAF", "surprise")),
        ("YAF_dog_Pleasant_surprise.wav", ClipName("tess", "YAF_dog_ps", "tessYAF", "surprise")),
        ("YAF_dog_pleasant surprised.wav", ClipName("tess", "YAF_dog_ps", "tessYAF", "surprise")),
        (
            "x/03-01-02-02-01-02-24.ogg",
            ClipName("ravdess", "03-01-02-02-01-02-24", "ravdess24", "calm"),
        ),
    ],
)
def test_the_spellings_that_downloads_have(path: str, expected: ClipName) -> None:
    assert parse_clip_name(path) == expected
    assert parse_clip_name(PurePath("deep/down") / path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Actor_01/03-02-06-02-02-02-24.wav", True),
        ("03-02-01-01-01-01-01.FLAC", True),
        ("03-02-07-01-01-01-01.wav", False),  # no song was sung with disgust
        ("03-02-01-01-01-01-25.wav", False),
        ("03-01-01-01-01-01-01.wav", False),
        ("01-02-01-01-01-01-01.wav", False),
        ("03-02-01-01-01-01-01.txt", False),
    ],
)
def test_songs(path: str, expected: bool) -> None:
    assert is_song(path) is expected


# JL-Corpus


@pytest.mark.parametrize(
    ("path", "speaker", "emotion"),
    [
        ("male1_angry_1a_1.wav", "male1", "angry"),
        ("JL(wav+txt)/female2_excited_15b_2.wav", "female2", "excited"),
        ("Female1_NEUTRAL_10a_2.FLAC", "female1", "neutral"),
        ("male2_apologetic_3b_1.wav", "male2", "apologetic"),
    ],
)
def test_names_of_jl_corpus_are_read(path: str, speaker: str, emotion: str) -> None:
    clip = PurePath(path).stem.lower()
    assert read_jl_name(path) == ClipName("jl-corpus", clip, speaker, emotion)
    assert read_clip_name(path) is None  # it is none of the four, which are trained on


@pytest.mark.parametrize(
    "name",
    [
        "male3_angry_1a_1.wav",
        "male1_bored_1a_1.wav",
        "male1_angry_1_1.wav",
        "male1_angry_1a.wav",
        "male1_angry_1a_1.txt",
        "xmale1_angry_1a_1.wav",
        "male1_angry_1a_1_ANG.wav",
        "male1_angry_1a_1.wav\n",
    ],
)
def test_other_names_are_not_of_jl_corpus(name: str) -> None:
    assert read_jl_name(name) is None


@pytest.mark.parametrize("path", PATHS[::501])
def test_clips_of_the_four_are_not_of_jl_corpus(path: str) -> None:
    assert read_jl_name(path) is None
