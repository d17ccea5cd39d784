"""What to cite: serctl, the report, the corpora, and the networks of others that serctl holds.

``CITATION.cff`` says the same for GitHub and Zenodo; a test compares the two.
"""

from dataclasses import dataclass

import serctl

YEAR = 2026  # as in LICENSE
REPORT = "Speech Emotion Recognition Using Deep Learning"


@dataclass(frozen=True)
class Citation:
    """An entry of a list of references.

    Attributes
    ----------
    when : str
        In which case it is to be cited.
    key, kind : str
        Of BibTeX.
    fields : dict of str to str
        Of BibTeX, in order; authors are separated by ``and``.
    """

    when: str
    key: str
    kind: str
    fields: dict[str, str]

    def bibtex(self) -> str:
        """Entry in BibTeX, below a comment that says when to cite it."""
        width = max(map(len, self.fields))
        lines = [f"  {name:<{width}} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"% {self.when}", f"@{self.kind}{{{self.key},", *lines, "}"]) + "\n"


_TRAINED = "The bundled models learned from it."
# Everything to cite, serctl first.
CITATIONS = (
    Citation(
        "This software. Name the model too: its name and SHA-256 are in OUTPUT.run.json.",
        "serctl",
        "software",
        {
            "author": "{The serctl authors}",
            "title": "serctl: speech emotion recognition from the command line",
            "year": str(YEAR),
            "version": serctl.__version__,
            "license": "MIT",
        },
    ),
    Citation(
        "The report whose systems are the models paper-svm, paper-rnn and paper-cnn.",
        "sharma_report",
        "techreport",
        {
            "author": "Sharma and Philip and Chang and Lau",
            "title": REPORT,
            "institution": "University of Toronto",
        },
    ),
    Citation(
        _TRAINED,
        "cao2014cremad",
        "article",
        {
            "author": "Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and "
            "Gur, Ruben C. and Nenkova, Ani and Verma, Ragini",
            "title": "{CREMA-D}: Crowd-sourced emotional multimodal actors dataset",
            "journal": "IEEE Transactions on Affective Computing",
            "volume": "5",
            "number": "4",
            "pages": "377--390",
            "year": "2014",
            "doi": "10.1109/TAFFC.2014.2336244",
        },
    ),
    Citation(
        _TRAINED,
        "livingstone2018ravdess",
        "article",
        {
            "author": "Livingstone, Steven R. and Russo, Frank A.",
            "title": "The {Ryerson} audio-visual database of emotional speech and song "
            "({RAVDESS}): A dynamic, multimodal set of facial and vocal expressions in "
            "{North American English}",
            "journal": "PLOS ONE",
            "volume": "13",
            "number": "5",
            "pages": "e0196391",
            "year": "2018",
            "doi": "10.1371/journal.pone.0196391",
        },
    ),
    Citation(
        _TRAINED,
        "haq2010savee",
        "incollection",
        {
            "author": "Haq, S. and Jackson, P. J. B.",
            "title": "Multimodal emotion recognition",
            "booktitle": "Machine Audition: Principles, Algorithms and Systems",
            "editor": "Wang, W.",
            "publisher": "IGI Global",
            "pages": "398--423",
            "year": "2010",
            "doi": "10.4018/978-1-61520-919-4.ch017",
        },
    ),
    Citation(
        _TRAINED,
        "pichorafuller2020tess",
        "misc",
        {
            "author": "Pichora-Fuller, M. Kathleen and Dupuis, Kate",
            "title": "{Toronto} emotional speech set ({TESS})",
            "publisher": "University of Toronto Dataverse",
            "year": "2020",
            "doi": "10.5683/SP2/E8H2MF",
        },
    ),
    Citation(
        "The encoder of the model whisper, and of models that train --data made of it.",
        "radford2023whisper",
        "inproceedings",
        {
            "author": "Radford, Alec and Kim, Jong Wook and Xu, Tao and Brockman, Greg and "
            "McLeavey, Christine and Sutskever, Ilya",
            "title": "Robust speech recognition via large-scale weak supervision",
            "booktitle": "Proceedings of the 40th International Conference on Machine Learning",
            "series": "Proceedings of Machine Learning Research",
            "volume": "202",
            "pages": "28492--28518",
            "year": "2023",
            "eprint": "2212.04356",
            "archiveprefix": "arXiv",
        },
    ),
    Citation(
        "The speech detection of serctl classify, unless --speech off.",
        "silerovad",
        "software",
        {
            "author": "{Silero Team}",
            "title": "{Silero VAD}",
            "version": "6.2.3",
            "url": "https://github.com/snakers4/silero-vad",
        },
    ),
)


def cite_run(model: str, sha256: str) -> str:
    """Sentence that names what made some results.

    Parameters
    ----------
    model : str
        Name of the model.
    sha256 : str
        Of its weights.
    """
    return (
        f"The serctl authors ({YEAR}). serctl {serctl.__version__}, model {model} (weights' SHA-256 "
        f"{sha256}). serctl cite prints BibTeX, with the corpora and encoders."
    )
