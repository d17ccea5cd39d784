"""openSMILE's eGeMAPS functionals of every recording, over all cores; no emotions.

python egemaps.py FOLDER N_PROCESSES
"""

import sys

import opensmile

from serctl.audio.scan import scan


def main(folder: str, n_processes: int) -> None:
    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
        num_workers=n_processes,
        multiprocessing=True,
    )
    smile.process_files(scan([folder])).to_csv(sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
