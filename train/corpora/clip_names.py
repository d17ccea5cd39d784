"""What the file names of the four corpora, and of JL-Corpus, say: one parser for each corpus.

A parser reads the form of a name alone: whether there is such a clip (actor, sentence, word, take)
is the manifest's to say, and `serctl.train.corpora.manifest.parse_clip_name` asks it. What is not a
name of the form gives None; nothing here raises or touches the disk.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from serctl.audio.formats.names import AUDIO_EXTENSIONS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ClipName:
    """What the name of a clip says.

    Parameters
    ----------
    corpus : str
        One of `serctl.train.corpora.manifest.CORPORA`, or ``jl-corpus``.
    clip : str
        The stem in its canonical spelling, which identifies the clip within its corpus.
    speaker : str
        Such as ``crema1001``, ``ravdess01``, ``saveeDC``, ``tessOAF``, ``male1``.
    emotion : str
        One of `serctl.emotions.EMOTIONS`, or another one of JL-Corpus.
    """

    corpus: str
    clip: str
    speaker: str
    emotion: str


def read_clip_name(path: str | PurePath) -> ClipName | None:
    """Clip that a path would be by the form of its name, or None.

    Parameters and result are those of `serctl.train.corpora.manifest.parse_clip_name`, which asks the
    manifest too.
    """
    path = PurePath(path)
    if path.suffix.lower() not in AUDIO_EXTENSIONS:
        return None
    names = (parser(path.stem, path.parent.name) for parser in _PARSERS)
    return next((name for name in names if name is not None), None)


def read_jl_name(path: str | PurePath) -> ClipName | None:
    """Clip of JL-Corpus (New Zealand English) that a path would be by the form of its name, or None.

    It is no corpus of the manifest's: nothing is trained on it. Five of its ten emotions
    (anxious, apologetic, assertive, concerned, encouraging) and excited are none of serctl's.
    """
    path = PurePath(path)
    match = _JL.fullmatch(path.stem)
    if match is None or path.suffix.lower() not in AUDIO_EXTENSIONS:
        return None
    return ClipName("jl-corpus", path.stem.lower(), match[1].lower(), match[2].lower())


def sentence_of(corpus: str, clip: str) -> str | None:
    """What is said in a clip, such as ``crema-d DFA`` or ``tess back``, or None.

    SAVEE's numbers stand for other sentences in each emotion, so they say nothing.
    """
    if corpus == "ravdess":
        return f"ravdess {clip.split('-')[4]}"
    return f"{corpus} {clip.split('_')[1]}" if corpus in ("crema-d", "tess") else None


def is_song(path: str | PurePath) -> bool:
    """Whether a path has the name of one of RAVDESS's song clips (``03-02-...``)."""
    path = PurePath(path)
    return path.suffix.lower() in AUDIO_EXTENSIONS and _SONG.fullmatch(path.stem) is not None


# Each parser takes a stem and the name of the folder above.

_SPEECH = re.compile(r"03-01-(0[1-8])-0[12]-0[12]-0[12]-([0-9]{2})")
_SONG = re.compile(r"03-02-0[1-6]-0[12]-0[12]-0[12]-(0[1-9]|1[0-9]|2[0-4])")
_RAVDESS_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")

# ASCII, or a long s and the sign for kelvin would pass for letters of a name when case is ignored.
_CREMA_D = re.compile(
    r"([0-9]{4})_([a-z]{3})_(ang|dis|fea|hap|neu|sad)_(lo|md|hi|xx?)", re.ASCII | re.IGNORECASE
)
_CREMA_D_EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}

_SAVEE = re.compile(r"(?:(dc|je|jk|kl)_)?(a|d|f|h|n|sa|su)([0-9]{2})", re.ASCII | re.IGNORECASE)
_SAVEE_SPEAKERS = ("DC", "JE", "JK", "KL")
_SAVEE_EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}

_TESS = re.compile(
    r"(oaf?|yaf)_([a-z]+)_(angry|disgust|fear|happy|neutral|sad|ps|pleasant[ _-]?surprised?)",
    re.ASCII | re.IGNORECASE,
)


def _parse_crema_d(stem: str, folder: str) -> ClipName | None:
    match = _CREMA_D.fullmatch(stem)
    if match is None:
        return None
    actor, sentence, code, level = (part.upper() for part in match.groups())
    # One clip is about under two names.
    if level == "X" and stem.upper() != "1040_ITH_SAD_X":
        return None
    clip = f"{actor}_{sentence}_{code}_{'XX' if level == 'X' else level}"
    return ClipName("crema-d", clip, f"crema{actor}", _CREMA_D_EMOTIONS[code])


def _parse_ravdess(stem: str, folder: str) -> ClipName | None:
    match = _SPEECH.fullmatch(stem)
    if match is None:
        return None
    return ClipName("ravdess", stem, f"ravdess{match[2]}", _RAVDESS_EMOTIONS[int(match[1]) - 1])


def _parse_savee(stem: str, folder: str) -> ClipName | None:
    match = _SAVEE.fullmatch(stem)
    if match is None:
        return None
    speaker = (match[1] or folder).upper()
    if speaker not in _SAVEE_SPEAKERS:
        return None
    code = match[2].lower()
    return ClipName(
        "savee", f"{speaker}_{code}{match[3]}", f"savee{speaker}", _SAVEE_EMOTIONS[code]
    )


def _parse_tess(stem: str, folder: str) -> ClipName | None:
    match = _TESS.fullmatch(stem)
    if match is None:
        return None
    # `OA_bite_neutral` is a slip of the corpus for OAF; `ps` is its pleasant surprise.
    speaker = "YAF" if match[1].upper() == "YAF" else "OAF"
    emotion = match[3].lower()
    code = "ps" if emotion.startswith("p") else emotion
    clip = f"{speaker}_{match[2].lower()}_{code}"
    return ClipName("tess", clip, f"tess{speaker}", "surprise" if code == "ps" else code)


# Such as `female1_angry_10a_1`: speaker, emotion, sentence and its session, take.
_JL = re.compile(
    r"((?:fe)?male[12])_(angry|anxious|apologetic|assertive|concerned|encouraging|excited|happy"
    r"|neutral|sad)_[0-9]{1,2}[a-z]_[0-9]",
    re.ASCII | re.IGNORECASE,
)

_PARSERS: tuple[Callable[[str, str], ClipName | None], ...] = (
    _parse_crema_d,
    _parse_ravdess,
    _parse_savee,
    _parse_tess,
)


def sentences_of(clips: "pd.DataFrame") -> "pd.Series[str]":
    """What is said in each clip, as its name says; missing where it does not.

    Parameters
    ----------
    clips : DataFrame
        With the columns corpus and clip.
    """
    import pandas as pd

    names = zip(clips["corpus"], clips["clip"], strict=True)
    return pd.Series([sentence_of(*name) for name in names], index=clips.index, dtype=object)
