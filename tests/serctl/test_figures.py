import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from serctl.errors import AudioError, ResultsError, UsageError
from serctl.features import mel as features
from serctl.features.mel import MelSpec
from serctl.figures import check_figure, draw_recordings, save_figure

SPEC = MelSpec()


@pytest.fixture
def loud_and_quiet(write_recording, make_signal):
    samples = make_signal("speech", 32000, 16000)
    return [
        write_recording("loud.wav", samples),
        write_recording("quiet.wav", samples[:16000] / 100, subtype="FLOAT"),
    ]


def panels(figure):
    """Axes [waveform, mel, mfcc][recording], without those of the scales."""
    axes = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    n = len(axes) // 3
    return [axes[:n], axes[n : 2 * n], axes[2 * n :]]


def mesh_of(axes):
    (mesh,) = axes.collections
    return mesh


def coordinates(mesh):
    """Edges of the columns and of the rows of a mesh."""
    corners = mesh.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def test_recordings_share_their_scales(loud_and_quiet):
    waveforms, mels, mfccs = panels(draw_recordings(loud_and_quiet))
    assert [axes.get_title() for axes in waveforms] == ["loud.wav", "quiet.wav"]
    for row in (waveforms, mels, mfccs):
        assert row[0].get_xlim() == row[1].get_xlim() == (0, 2)
        assert row[0].get_ylim() == row[1].get_ylim()
    for row in (mels, mfccs):
        assert mesh_of(row[0]).get_clim() == mesh_of(row[1]).get_clim()
    assert mesh_of(mels[0]).get_clim() == (-80, 0)
    loud, quiet = (mesh_of(axes).get_array() for axes in mels)
    assert loud.max() == 0
    assert -41 < quiet.max() < -39  # a hundredth of the amplitude


def test_axes_have_units(loud_and_quiet):
    figure = draw_recordings(loud_and_quiet)
    rows = panels(figure)
    assert [row[0].get_ylabel() for row in rows] == [
        "amplitude / full scale",
        "frequency / Hz (mel scale)",
        "coefficient",
    ]
    assert [axes.get_xlabel() for axes in rows[2]] == ["time / s"] * 2
    scales = [axes.get_ylabel() for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert scales == ["mel power / dB", "MFCC / dB"]


def test_a_tone_lies_at_its_time_and_frequency(write_recording):
    time_s = np.arange(44100) / 22050
    samples = 0.5 * np.sin(2 * np.pi * 1000 * time_s) * ((time_s > 0.5) & (time_s < 1.0))
    (waveform,), (mel,), (mfcc,) = panels(
        draw_recordings([write_recording("a.wav", samples, 0, 22050)])
    )
    times_s, edges_hz = coordinates(mesh_of(mel))
    power = mesh_of(mel).get_array()
    loud = np.flatnonzero(power.max(axis=0) > -20)
    assert times_s[loud[0]] == pytest.approx(0.5, abs=0.06)
    assert times_s[loud[-1] + 1] == pytest.approx(1.0, abs=0.06)
    loudest = power[:, loud[5]].argmax()
    assert edges_hz[loudest - 1] < 1000 < edges_hz[loudest + 2]
    assert mel.get_ylim() == (0, 11025)
    assert list(coordinates(mesh_of(mfcc))[1]) == [n + 0.5 for n in range(20)]
    outline = waveform.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(0.5, abs=0.01)
    assert outline[:, 1].min() == pytest.approx(-0.5, abs=0.01)


def test_names_are_shown_as_they_are(write_recording, tmp_path):
    names = ["$x_1$.wav", "a_b [c] \u97f3.wav", "x" * 60 + "-take-1.wav", "\x1b[31m.wav"]
    figure = draw_recordings([write_recording(name, "noise", 0.1) for name in names])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, str(tmp_path / "a.svg"))
    titles = [axes.get_title() for axes in panels(figure)[0]]
    assert titles[:2] == names[:2]
    assert titles[2] == "xxxxxxxxxxxxxx...xxxx-take-1.wav"
    assert titles[3] == r"\x1b[31m.wav"
    assert not any(axes.title.get_parse_math() for axes in panels(figure)[0])


def test_names_that_are_alike_have_their_folders(write_recording, monkeypatch, tmp_path):
    for folder in ("angry", "sad"):
        write_recording(f"{folder}/a.wav", "noise", 0.1)
    monkeypatch.chdir(tmp_path)
    waveforms, _, _ = panels(draw_recordings(["angry/a.wav", "sad/a.wav"]))
    assert [axes.get_title() for axes in waveforms] == ["angry/a.wav", "sad/a.wav"]


@pytest.mark.parametrize("where", [0, 20, 40])
def test_long_names_are_cut_so_that_they_differ(write_recording, where):
    names = ["x" * where + letter + "x" * (60 - where) + ".wav" for letter in "ab"]
    names.append("y" * 64 + ".wav")
    figure = draw_recordings([write_recording(name, "noise", 0.1) for name in names])
    titles = [axes.get_title() for axes in panels(figure)[0]]
    assert len(set(titles)) == 3
    assert max(map(len, titles)) <= 32


def test_long_names_of_one_beginning_show_where_they_differ(write_recording):
    names = [f"2024-03-01_customer-call_agent-{one}_line-2_final.wav" for one in "AB"]
    figure = draw_recordings([write_recording(name, "noise", 0.1) for name in names])
    titles = [axes.get_title() for axes in panels(figure)[0]]
    assert titles == ["...A_line-2_final.wav", "...B_line-2_final.wav"]


@pytest.mark.parametrize("extension", ["png", "svg"])
@pytest.mark.parametrize("kind", ["silence", "click", "noise"])
def test_pictures_are_written_and_the_same_again(write_recording, tmp_path, kind, extension):
    path = write_recording("a.wav", kind, 0.5)
    outputs = [tmp_path / f"{i}.{extension}" for i in range(2)]
    for output in outputs:
        save_figure(draw_recordings([path]), str(output))
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    if extension == "png":
        with Image.open(outputs[0]) as image:
            assert image.size == (1005, 1050)
    else:
        text = outputs[0].read_text()
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "dc:date" not in text


@pytest.mark.parametrize("n", [0, 7])
def test_more_than_six_are_refused(write_recording, n):
    with pytest.raises(UsageError, match=f"{n} recordings: from 1 to 6 can be drawn"):
        draw_recordings([write_recording("a.wav", "noise", 0.1)] * n)


def test_what_cannot_be_drawn_is_told(write_recording, tmp_path):
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(AudioError, match=r"text\.wav: .*Not audio, or damaged"):
        draw_recordings([str(tmp_path / "text.wav")])
    with pytest.raises(AudioError, match=r"empty\.wav: 0 samples"):
        draw_recordings([write_recording("empty.wav", np.empty((0, 1)))])
    with pytest.raises(AudioError, match=r"long\.wav: Longer than 120 s"):
        draw_recordings([write_recording("long.wav", "noise", 120.1, 8000)])


def test_pictures_have_an_extension_and_a_folder(tmp_path):
    with pytest.raises(UsageError, match=r"\.pdf is not one of \.png, \.svg"):
        check_figure("a.pdf", False)
    with pytest.raises(UsageError, match="none is not one of"):
        check_figure("-", False)
    (tmp_path / "a.svg").touch()
    with pytest.raises(UsageError, match="exists already"):
        check_figure(str(tmp_path / "a.svg"), False)
    check_figure(str(tmp_path / "a.svg"), True)
    with pytest.raises(ResultsError, match=r"a\.png: cannot be written"):
        save_figure(Figure(), str(tmp_path / "nowhere" / "a.png"))


def test_bands_lie_where_their_filters_peak(write_recording):
    _, (mel,), _ = panels(draw_recordings([write_recording("a.wav", "noise", 0.1)]))
    _, edges_hz = coordinates(mesh_of(mel))
    peaks_hz = features.mel_filters(SPEC).argmax(axis=1) * SPEC.rate_hz / SPEC.n_fft
    assert (edges_hz[:-1] < peaks_hz + 11).all()  # bins of the FFT are 11 Hz apart
    assert (peaks_hz - 11 < edges_hz[1:]).all()


def test_a_recording_of_a_single_frame_is_drawn(write_recording):
    (waveform,), (mel,), _ = panels(draw_recordings([write_recording("a.wav", "noise", 0.01)]))
    times_s, _ = coordinates(mesh_of(mel))
    assert times_s[0] < 0 < times_s[1]
    (samples,) = (
        line for line in waveform.lines if line.get_visible() and len(line.get_xdata()) > 2
    )
    assert samples.get_xdata()[-1] == pytest.approx(0.01, abs=0.001)


def test_paths_may_be_path_objects(write_recording, tmp_path):
    path = Path(write_recording("a.wav", "speech", 0.2))
    check_figure(tmp_path / "a.png", False)
    save_figure(draw_recordings([path]), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
