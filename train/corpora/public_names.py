"""What the file names of more public corpora say, so that they need no table of labels.

A line of `SCHEMES` for each corpus: the pattern of its names, with the groups speaker and emotion,
and what each code stands for. serctl has none of these corpora, and no model of it has learned from
them: only their published naming is known here. A pattern with a slash has the folder above too.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

from serctl.train.corpora.clip_names import ClipName


@dataclass(frozen=True)
class _Scheme:
    """Names of one corpus; codes such as ``W=angry``, in any case, separated by blanks."""

    corpus: str
    title: str
    pattern: str
    codes: str

    def parse(self, path: PurePath) -> ClipName | None:
        folder = "" if "/" in self.pattern else r"(?:[^/]*/)?"
        whole = f"{path.parent.name}/{path.stem}"
        match = re.fullmatch(folder + self.pattern, whole, re.ASCII | re.IGNORECASE)
        if match is None:
            return None
        codes = dict(code.lower().split("=") for code in self.codes.split())
        speaker = match.groupdict()["speaker"] or ""
        return ClipName(
            self.corpus,
            path.stem.lower(),
            f"{self.corpus}-{speaker.lower()}" if speaker else "",
            codes[match["emotion"].lower()],
        )


SCHEMES = (
    # Berlin (German): 03a01Fa is speaker 03, text a01, Freude, take a.
    _Scheme(
        "emodb",
        "EmoDB",
        r"(?P<speaker>\d\d)[ab]\d\d(?P<emotion>[aeflntw])[a-z]?",
        "A=fear E=disgust F=happy L=boredom N=neutral T=sad W=angry",
    ),
    # Italian: dis-f1-b1 is disgusto, speaker f1, sentence b1.
    _Scheme(
        "emovo",
        "EMOVO",
        r"(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>[fm]\d)-[a-z]\d",
        "dis=disgust gio=happy neu=neutral pau=fear rab=angry sor=surprise tri=sad",
    ),
    # Canadian French: 01-C-1-1 is actor 01, colère, intensity 1, sentence 1.
    _Scheme(
        "cafe",
        "CaFE",
        r"(?P<speaker>\d\d)-(?P<emotion>[cdjnpst])-[12]-\d",
        "C=angry D=disgust J=happy N=neutral P=fear S=surprise T=sad",
    ),
    # Persian: F01A01 is female speaker 01, anger, utterance 01.
    _Scheme(
        "shemo",
        "ShEMO",
        r"(?P<speaker>[fm]\d\d)(?P<emotion>[afhnsw])\d\d",
        "A=angry F=fear H=happy N=neutral S=sad W=surprise",
    ),
    # Greek: anger/a01 (2) is utterance 01 of speaker 2; a01 (2) alone is a copy of any a01.
    _Scheme(
        "aesdd",
        "AESDD",
        r"(?:anger|disgust|fear|happiness|sadness)/(?P<emotion>[adfhs])\d\d ?"
        r"\((?P<speaker>\d+)\)b?",
        "a=angry d=disgust f=fear h=happy s=sad",
    ),
    # Bangla: F_01_OISHI_S_1_ANGRY_1 is female speaker 01, sentence 1, take 1.
    _Scheme(
        "subesco",
        "SUBESCO",
        r"(?P<speaker>[fm]_\d+)_[a-z]+_s_\d+_"
        r"(?P<emotion>angry|disgust|fear|happy|neutral|sad|surprise)_\d+",
        "angry=angry disgust=disgust fear=fear happy=happy neutral=neutral sad=sad "
        "surprise=surprise",
    ),
    # English: amused_1-15_0001, below a folder such as bea_Amused, which has the speaker.
    _Scheme(
        "emov-db",
        "EmoV-DB",
        r"(?:(?P<speaker>bea|jenie|josh|sam)_\w+|[^/]*)/"
        r"(?P<emotion>amused|anger|disgust|neutral|sleepiness|sleepy)_\d+-\d+_\d+",
        "amused=amused anger=angry disgust=disgust neutral=neutral sleepiness=sleepy sleepy=sleepy",
    ),
    # Urdu: SM1_F1_A01 is male speaker 1, file 1, anger.
    _Scheme(
        "urdu",
        "URDU",
        r"(?P<speaker>s[fm]\d+)_f\d+_(?P<emotion>[ahns])\d+",
        "A=angry H=happy N=neutral S=sad",
    ),
    # English, videos: s1_an_1 is subject 1, anger, sentence 1.
    _Scheme(
        "enterface",
        "eNTERFACE'05",
        r"(?P<speaker>s\d+)_(?P<emotion>an|di|fe|ha|sa|su)_\d",
        "an=angry di=disgust fe=fear ha=happy sa=sad su=surprise",
    ),
)
TITLES = tuple(scheme.title for scheme in SCHEMES)


def read_public_name(path: str | PurePath) -> ClipName | None:
    """Clip of one of these corpora that a path would be by its name, or None.

    Parameters
    ----------
    path : str or PurePath
        Any path, with any extension; it need not exist.

    Returns
    -------
    ClipName
        Its speaker is empty where the name does not say it; its emotion is one of
        `serctl.emotions.EMOTIONS`, or another, such as boredom.
    """
    path = PurePath(path)
    names = (scheme.parse(path) for scheme in SCHEMES)
    return next((name for name in names if name is not None), None)
