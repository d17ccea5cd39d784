"""Recordings in formats that libsndfile does not write, made by FFmpeg through PyAV."""

import io
from fractions import Fraction

import av
import numpy as np

# Name of the file, container and encoder; 16 kHz unless a rate follows.
ENCODED = {
    "aac.m4a": ("ipod", "aac"),
    "alac.m4a": ("ipod", "alac"),
    "aac.mp4": ("mp4", "aac"),
    "aac.mov": ("mov", "aac"),
    "pcm.mov": ("mov", "pcm_s16le"),
    "aac.qta": ("mov", "aac"),
    "aac.3gp": ("3gp", "aac"),
    "opus.webm": ("webm", "libopus", 48000),
    "flac.mkv": ("matroska", "flac"),
    "ac3.mka": ("matroska", "ac3", 48000),
    "wma2.wma": ("asf", "wmav2", 44100),
    "amr.amr": ("amr", "libopencore_amrnb", 8000),
    "amr.mp4": ("3gp", "libopencore_amrnb", 8000),  # as telephones name it
    "amr.3gp": ("3gp", "libopencore_amrnb", 8000),
    "ac3.ac3": ("ac3", "ac3", 48000),
    "eac3.eac3": ("eac3", "eac3", 48000),
    "adts.aac": ("adts", "aac"),
    "pcm.caf": ("caf", "pcm_s16le"),
    "opus.opus": ("ogg", "libopus", 48000),
    "flac.oga": ("ogg", "flac"),
    "cbr.mp3": ("mp3", "libmp3lame"),
    "mp2.mp2": ("mp2", "mp2"),
    "adpcm.wav": ("wav", "adpcm_ima_wav"),
    "mp3.wav": ("wav", "libmp3lame"),
    "pcm.avi": ("avi", "pcm_s16le"),
    "mp3.avi": ("avi", "libmp3lame"),
    "aac.flv": ("flv", "aac", 44100),
    "aac.ts": ("mpegts", "aac", 48000),
    "pcm.mxf": ("mxf_opatom", "pcm_s16le", 48000),
    "mp2.wtv": ("wtv", "mp2", 48000),
    "tta.tta": ("tta", "tta"),
    "wavpack.wv": ("wv", "wavpack"),
    "g722.g722": ("g722", "g722"),
    "g723.g723": ("data", "g723_1", 8000),
    "g726.g726": ("g726le", "g726le", 8000),
}
BIT_RATES = {"libopencore_amrnb": 12200, "wmav2": 64000, "g723_1": 6300}
LOSSLESS = frozenset(
    "alac.m4a pcm.mov flac.mkv pcm.caf flac.oga pcm.avi tta.tta wavpack.wv".split()
)


def encoded(name: str, mono: np.ndarray, rate_hz: int, options: dict | None = None) -> bytes:
    """Encode mono float samples as one of `ENCODED`."""
    container, codec, *rates = ENCODED[name]
    to_hz = rates[0] if rates else rate_hz
    content = io.BytesIO()
    with av.open(content, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=to_hz)
        stream.codec_context.layout = "mono"
        formats = [form.name for form in stream.codec_context.codec.audio_formats or ()]
        if sixteen_bits := [form for form in formats if form.startswith("s16")]:
            stream.codec_context.format = sixteen_bits[0]  # and not 8 bits, which some give first
        if codec in BIT_RATES:
            stream.codec_context.bit_rate = BIT_RATES[codec]
        samples = (mono.clip(-1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
        n_frame = stream.codec_context.frame_size or 4096
        resampler = av.AudioResampler(stream.codec_context.format, "mono", to_hz, n_frame)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return content.getvalue()


def flac_of_32_bits(samples: np.ndarray, rate_hz: int) -> bytes:
    """Encode int32 samples [n_samples] as FLAC of 32 bits, which libsndfile neither reads nor writes."""
    content = io.BytesIO()
    options = {"strict": "experimental", "bits_per_raw_sample": "32"}
    with av.open(content, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=rate_hz, options=options)
        stream.codec_context.layout, stream.codec_context.format = "mono", "s32"
        frame = av.AudioFrame.from_ndarray(samples[None], "s32", "mono")
        frame.rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
        resampler = av.AudioResampler("s32", "mono", rate_hz, 4608)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return content.getvalue()
