"""Mutated recordings by the thousand through the real command: `just fuzz 100000`.

Clips cut from tests/recordings, in two dozen encodings, are damaged: bits of the header or of the body
flipped, runs of bytes overwritten, left out or put in, the end cut off. Every file must have its row,
in order, and the command must end, by itself and with the status that the rows say. The same seed
makes the same files; those of a batch that fails are kept, and so is what the command said.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
import numpy as np
import soundfile
from support.encoded_audio import encoded

RECORDINGS = Path(__file__).parent / "recordings"
CLIP_S = 0.8
N_CLIPS = 6  # a recording; each in every encoding
ENCODINGS = {  # extension: subtypes
    "wav": ("PCM_16", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM"),
    "aiff": ("PCM_16",),
    "flac": ("PCM_16", "PCM_24"),
    "ogg": ("VORBIS", "OPUS"),
    "mp3": ("MPEG_LAYER_III",),
}
SNDFILE_FORMATS = ("wav", "flac", "ogg", "mp3", "aiff")
# Of support.encoded_audio, which FFmpeg writes, and reads here.
FFMPEG_ENCODINGS = (
    "aac.m4a",
    "alac.m4a",
    "aac.mp4",
    "opus.webm",
    "flac.mkv",
    "wma2.wma",
    "adts.aac",
    "ac3.ac3",
    "flac.oga",
    "opus.opus",
    "mp3.avi",
    "aac.ts",
    "tta.tta",
    "wavpack.wv",
)
FORMATS = (*SNDFILE_FORMATS, "ffmpeg")
SHARES = (0.15, 0.15, 0.1, 0.15, 0.05, 0.4)
HEADER_BYTES = 128  # what stands before the sound, roughly, in all of these
LIMIT_PER_FILE_S = 0.2
LIMIT_S = 300.0


def flip_header(content: bytearray, rng: np.random.Generator) -> None:
    """Flip 1 to 4 bits of the header."""
    _flip(content, rng, 0, min(HEADER_BYTES, len(content)), int(rng.integers(1, 5)))


def flip_body(content: bytearray, rng: np.random.Generator) -> None:
    """Flip 1 to 64 bits after the header."""
    start = min(HEADER_BYTES, len(content) - 1)
    _flip(content, rng, start, len(content), int(rng.integers(1, 65)))


def _flip(content: bytearray, rng: np.random.Generator, start: int, stop: int, n: int) -> None:
    for place in rng.integers(start, stop, n):
        content[place] ^= 1 << int(rng.integers(8))


def truncate(content: bytearray, rng: np.random.Generator) -> None:
    """Cut off the end, anywhere."""
    del content[int(rng.integers(1, len(content))) :]


def overwrite(content: bytearray, rng: np.random.Generator) -> None:
    """Put random bytes over up to 256."""
    place, n = int(rng.integers(len(content))), int(rng.integers(1, 257))
    content[place : place + n] = rng.bytes(n)


def leave_out(content: bytearray, rng: np.random.Generator) -> None:
    """Leave out up to 256 bytes."""
    place = int(rng.integers(len(content)))
    del content[place : place + int(rng.integers(1, 257))]


def put_in(content: bytearray, rng: np.random.Generator) -> None:
    """Put in up to 256 random bytes."""
    place = int(rng.integers(len(content)))
    content[place:place] = rng.bytes(int(rng.integers(1, 257)))


MUTATIONS = (flip_header, flip_body, truncate, overwrite, leave_out, put_in)


def make_clips(folder: Path, n_clips: int = N_CLIPS) -> dict[str, list[bytes]]:
    """Contents of whole clips, by extension or ``ffmpeg``: ``n_clips`` of each encoding."""
    clips: dict[str, list[bytes]] = {}
    for path in sorted(RECORDINGS.rglob("*.*")):
        samples, rate_hz = soundfile.read(path)
        n_frames = int(CLIP_S * rate_hz)
        for start in np.linspace(0, len(samples) - n_frames, n_clips).astype(int):
            clip = samples[start : start + n_frames]
            for extension, subtypes in ENCODINGS.items():
                for subtype in subtypes:
                    written = folder / f"clip.{extension}"
                    # Opus has five rates; of ours, 16 and 48 kHz are among them.
                    rate = 48000 if subtype == "OPUS" and rate_hz not in (8000, 16000) else rate_hz
                    soundfile.write(written, clip, rate, subtype)
                    clips.setdefault(extension, []).append(written.read_bytes())
            mono = clip if clip.ndim == 1 else clip.mean(axis=1)
            for name in FFMPEG_ENCODINGS:
                clips.setdefault("ffmpeg", []).append(encoded(name, mono, rate_hz))
    return clips


def mutated(clips: dict[str, list[bytes]], seed: int, number: int) -> tuple[str, bytes]:
    """Name and content of one file; the same for the same seed and number."""
    rng = np.random.default_rng([seed, number])
    extension = FORMATS[rng.choice(len(FORMATS), p=SHARES)]
    content = bytearray(clips[extension][int(rng.integers(len(clips[extension])))])
    mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
    mutation(content, rng)
    if extension == "ffmpeg":  # under a name of another format: the content says what it is
        extension = "m4a"
    return f"{number:07}-{mutation.__name__}.{extension}", bytes(content)


def check_batch(folder: Path, names: list[str], model: str | None) -> tuple[list[dict], str]:
    """Classify a folder of files; rows, and what is wrong, or nothing."""
    output = folder.parent / "results.csv"
    command = [sys.executable, "-m", "serctl", "classify", str(folder), "-o", str(output)]
    command += ["--overwrite", *(["--model", model] if model else [])]
    limit_s = LIMIT_S + LIMIT_PER_FILE_S * len(names)
    with open(folder.parent / "said.txt", "wb") as said:
        try:
            run = subprocess.run(command, stdout=said, stderr=said, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            return [], f"did not end within {limit_s:.0f} s"
    if run.returncode not in (0, 1):
        return [], f"ended with status {run.returncode}"
    with open(output, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if [row["path"] for row in rows] != [os.path.join(folder, name) for name in names]:
        return rows, f"{len(rows)} rows, not one for each of {len(names)} files in order"
    if run.returncode != any(row["status"] in ("unreadable", "failed") for row in rows):
        return rows, f"ended with status {run.returncode}, which is not what the rows say"
    return rows, ""


def shown(counts: Counter[str]) -> str:
    """Counts in a line, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


@click.command()
@click.argument("n_files", type=click.IntRange(min=1), default=2000)
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same files.")
@click.option("--batch", default=5000, show_default=True, help="Files a run of the command.")
@click.option("--model", default=None, help="As serctl classify takes it.")
def main(n_files: int, seed: int, batch: int, model: str | None) -> None:
    """Classify N_FILES mutated recordings, and check that each has a row."""
    statuses: Counter[str] = Counter()
    decoded: Counter[str] = Counter()
    began, run_s = time.monotonic(), 0.0
    work = Path(tempfile.mkdtemp(prefix="serctl-fuzz-"))
    clips = make_clips(work)
    for first in range(0, n_files, batch):
        folder = work / f"{first:07}"
        folder.mkdir()
        names = []
        for number in range(first, min(first + batch, n_files)):
            name, content = mutated(clips, seed, number)
            (folder / name).write_bytes(content)
            names.append(name)
        batch_began = time.monotonic()
        rows, wrong = check_batch(folder, names, model)
        run_s += time.monotonic() - batch_began
        if wrong:
            sys.exit(f"seed {seed}, files from {first}: the command {wrong}. See {work}.")
        for row in rows:
            statuses[row["status"]] += 1
            in_part = float(row["duration_s"] or 0) > 0
            decoded[row["path"].rpartition(".")[2] if in_part else ""] += 1
            truncated = row["status"] == "ok" and row["reason"].startswith("truncated")
            statuses["ok and truncated"] += truncated
            if row["status"] == "failed":  # the seed and the number in its name make it again
                print(f"failed: {os.path.basename(row['path'])}: {row['reason']}", flush=True)
        n_rows = first + len(names)
        share = 1 - decoded[""] / n_rows
        print(f"{n_rows} files: {share:.1%} decoded in part; {shown(statuses)}", flush=True)
        shutil.rmtree(folder)
    del decoded[""]
    print(f"decoded in part: {shown(decoded)}")
    print(f"{n_files / run_s:.0f} files/s; {time.monotonic() - began:.0f} s in all")
    shutil.rmtree(work)
    if share < 0.5:
        sys.exit("Fewer than half decoded in part: the mutations are too harsh to say much.")


if __name__ == "__main__":
    main()
