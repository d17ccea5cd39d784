"""The least that there is to do: decode, resample, and the FFT of every frame, in threads.

    python floor.py FOLDER RATE_HZ N_FFT HOP_SAMPLES N_THREADS

Nothing is made of the spectra. Prints its own seconds, without start-up.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.fft
import soundfile
import soxr

from serctl.audio.scan import scan

BLOCK_FRAMES = 64


def main(folder: str, rate_hz: int, n_fft: int, hop_samples: int, n_threads: int) -> None:
    window = np.hanning(n_fft).astype(np.float32)

    def spectra(path: str) -> None:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, rate_hz)
        padded = np.pad(mono, n_fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_samples]
        for i in range(0, len(frames), BLOCK_FRAMES):
            scipy.fft.rfft(frames[i : i + BLOCK_FRAMES] * window)

    paths = scan([folder])
    start = time.perf_counter()
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(spectra, paths):
            pass
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
