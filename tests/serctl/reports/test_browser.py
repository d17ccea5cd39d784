"""The page in headless Chromium, where there is one: it draws itself and says nothing."""

import re
import shutil
import subprocess
from html import unescape

import pytest
from support.result_files import HOSTILE, write_results

from serctl.cli import run
from serctl.reports.moments import rank_recordings
from serctl.results.segments import SEGMENTS, read_segments

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
    pytest.mark.slow,
]
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What Chromium makes of a page: its markup, and what it says."""
    folder = tmp_path_factory.mktemp("browser")

    def draw(results, *options, at=""):
        page = folder / "page.html"
        assert run(["report", results, "-o", str(page), "--overwrite", *options]) == 0
        profile = f"--user-data-dir={folder / 'profile'}"
        command = [CHROMIUM, *OPTIONS, profile, "--dump-dom", f"file://{page}{at}"]
        for _ in range(4):  # on a busy machine, the time may be over before the page is drawn
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if 'class="path"' in done.stdout.partition("<body")[2]:
                break
        return done.stdout, re.findall(r".*CONSOLE.*", done.stderr)

    return draw


def test_hostile_names_are_text_and_the_console_is_silent(drawn, tmp_path):
    # Few rows are drawn at a time: these are those of the hostile names.
    markup, messages = drawn(write_results(tmp_path / "r.csv", 40, hostile=True), at="#path=r/")
    assert messages == []
    body = markup.partition("<body")[2]
    assert body.count("<script") == 2  # its data, and its own
    assert not re.search(r"<(img|iframe|b|object|embed)\b", body)
    assert not re.search(r"""(href|src)="?(javascript|https?):""", body)
    shown = unescape(re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL))
    assert HOSTILE[0] in re.sub(r"</?(bdi|span)[^>]*>", "", shown)
    assert r"\u202egpj.exe\u202c.wav" in shown
    assert r"caf\xe9 \xff.wav" in shown
    assert "\u202e" not in shown


def test_the_hash_says_what_is_shown_and_in_which_order(drawn, tmp_path):
    results = write_results(tmp_path / "r.csv", 300)
    at = "#path=agent07&sort=confidence&down=true&off=[]"
    markup, messages = drawn(results, "--by", "calls/(?P<agent>[^/]+)/", at=at)
    assert messages == []
    table = re.search(r'<section id="recordings".*?</section>', markup, re.DOTALL)[0]
    paths = re.findall(r'class="path" title="([^"]*)"', table)
    assert paths
    assert all("agent07" in path for path in paths)
    assert 'aria-sort="descending"' in table
    shares = [float(cell) for cell in re.findall(r'<td class="number">([01]\.\d{3})<', table)]
    n_columns = 7  # confidence, and six emotions
    assert shares[::n_columns] == sorted(shares[::n_columns], reverse=True)


def test_calls_have_timelines_and_play(drawn, tmp_path):
    calls = write_results(tmp_path / "calls.csv", 8, calls=True)
    markup, messages = drawn(calls, "--audio", "link")
    assert messages == []
    assert 1 <= markup.count('class="timeline"') <= 8
    assert 'aria-label="Play calls/' in markup
    # The same as in the terminal.
    emotions, segments = read_segments(calls + SEGMENTS)
    first, *_ = rank_recordings(segments, emotions, "sad")
    markup, _ = drawn(calls, at="#of=sad")
    row = re.search(
        r'aria-label="Recordings by emotion, scr.*?<tr aria-rowindex="2".*?</tr>', markup
    )
    assert f'title="{first.path}"' in row[0]
    share = float(re.search(r'class="number">([01][.][0-9]{3})<', row[0])[1])
    assert share == pytest.approx(first.peak_probability, abs=0.0011)
    limits, ranking = (markup.index(f'<section id="{name}"') for name in ("limits", "long"))
    assert limits < ranking


def test_a_recording_counts_once_in_its_group(drawn, tmp_path):
    calls = tmp_path / "r.csv"
    head = "path,status,reason,emotion,confidence,p_angry,p_sad,duration_s,sample_rate_hz,channels,"
    rows = [
        f"{folder}/{i}.wav,ok,,sad,0.9,0.1,0.9,60.0,8000,2,1,,{channel}"
        for folder, n in (("ann", 3), ("ben", 1))
        for i in range(n)
        for channel in (1, 2)
    ]
    calls.write_text("\n".join([head + "windows,speech_s,channel", *rows]))
    markup, messages = drawn(str(calls), "--by", "folder")
    assert messages == []
    groups = re.search(r'<section id="groups".*?</section>', markup, re.DOTALL)[0]
    found = re.findall(r'class="number">([0-9]+)</td><td class="number">([0-9:]+)<', groups)
    assert found == [("3", "03:00"), ("1", "01:00")]
    assert re.search(r"<dt>channels</dt><dd>8</dd>", markup)
