// Long recordings: ranked by an emotion, and their moments.

const N_MOMENTS = 200;
const PEAK_S = 30; // as in serctl/reports/moments.py

/** Segments by the row of their recording. */
function segmentsByRow(segments) {
  const found = new Map();
  const row = segments.columns.get("row");
  for (let i = 0; i < segments.n; i++) {
    const place = row.number(i);
    if (!found.has(place)) found.set(place, []);
    found.get(place).push(i);
  }
  return found;
}

/** Mean of a probability over the seconds of speech with the highest; what is missing counts as 0. */
function peakOf(pairs) {
  let left = PEAK_S;
  let sum = 0;
  for (const { p, seconds } of pairs.sort((a, b) => b.p - a.p)) {
    const counted = Math.min(seconds, left);
    sum += p * counted;
    left -= counted;
  }
  return sum / PEAK_S;
}

/** Recordings by an emotion, each by its channel with most of it, as `serctl report --rank`. */
function rankRecordings(data, segments, byRow, emotion) {
  const get = (name) => segments.columns.get(name);
  const [start, end, speech, share] = [get("start_s"), get("end_s"), get("speech_s"), get(`p_${emotion}`)];
  const best = new Map();
  for (const [row, places] of byRow) {
    if (!data.mask[row]) continue;
    const one = { row, seconds: 0, speech: 0, mean: 0, first: null };
    const pairs = [];
    for (const i of places) {
      const p = share.number(i);
      if (isNaN(p)) continue;
      const seconds = Math.max(speech.number(i) || end.number(i) - start.number(i), 0.001);
      pairs.push({ p, seconds });
      one.speech += seconds;
      one.mean += seconds * p;
      if (get("emotion").text(i) !== emotion) continue;
      one.seconds += seconds;
      one.first = Math.min(one.first ?? Infinity, start.number(i));
    }
    if (!one.speech) continue;
    one.mean /= one.speech;
    one.share = one.seconds / one.speech;
    one.peak = peakOf(pairs);
    one.highest = pairs[0].p;
    const path = data.path.text(row);
    const other = best.get(path);
    if (!other || byPeak(one, other) < 0) best.set(path, one);
  }
  return [...best.values()].sort(byPeak);
}

const byPeak = (a, b) => b.peak - a.peak || b.mean - a.mean;

/** Segments of an emotion, the most probable first. */
function findMoments(segments, mask, emotion) {
  const row = segments.columns.get("row");
  const confidence = segments.columns.get("confidence");
  const labels = segments.columns.get("emotion");
  const found = [];
  for (let i = 0; i < segments.n; i++) {
    if (labels.text(i) === emotion && mask[row.number(i)]) found.push(i);
  }
  return found.sort((a, b) => confidence.number(b) - confidence.number(a) || a - b).slice(0, N_MOMENTS);
}

function drawSegments(data, segments, emotions) {
  const byRow = segmentsByRow(segments);
  const get = (name) => segments.columns.get(name);
  const rowOf = (i) => get("row").number(i);
  const cellOf = (row) => recordingCell(data, row);
  const channel = data.table.columns.get("channel");
  const play = (cell) =>
    player.base === null ? [] : [{ id: "play", label: "", width: 50, value: () => "", cell }];
  const figures = (id, label, width, value, cell) => ({ id, label, width, isNumber: true, value, cell });

  const ranking = objectTable("Recordings by emotion", [
    ...play((one) => player.button(data.path.text(one.row))),
    {
      id: "path",
      label: "Recording",
      width: 300,
      value: (one) => data.path.text(one.row),
      cell: (one) => cellOf(one.row),
    },
    ...(channel.isEmpty
      ? []
      : [
          {
            id: "channel",
            label: "Channel",
            width: 90,
            value: (one) => channel.text(one.row),
            cell: (one) => channel.text(one.row),
          },
        ]),
    {
      ...figures(
        "peak",
        "Peak half minute",
        150,
        (one) => one.peak,
        (one) => one.peak.toFixed(3),
      ),
      share: (one) => one.peak,
    },
    figures(
      "mean_probability",
      "Mean",
      80,
      (one) => one.mean,
      (one) => one.mean.toFixed(3),
    ),
    figures(
      "share",
      "Share of speech",
      140,
      (one) => one.share,
      (one) => percent(one.share, 1),
    ),
    figures(
      "speech_s",
      "Seconds",
      100,
      (one) => one.seconds,
      (one) => clock(one.seconds),
    ),
    figures(
      "highest",
      "Highest",
      100,
      (one) => one.highest,
      (one) => one.highest.toFixed(3),
    ),
    figures(
      "first_s",
      "First at",
      100,
      (one) => one.first ?? Infinity,
      (one) => (one.first === null ? "–" : clock(one.first)),
    ),
  ]);
  const moments = objectTable("Moments", [
    ...play((i) => player.button(data.path.text(rowOf(i)), get("start_s").number(i), get("end_s").number(i))),
    {
      id: "path",
      label: "Recording",
      width: 300,
      value: (i) => data.path.text(rowOf(i)),
      cell: (i) => cellOf(rowOf(i)),
    },
    figures(
      "start_s",
      "From",
      90,
      (i) => get("start_s").number(i),
      (i) => clock(get("start_s").number(i)),
    ),
    figures(
      "end_s",
      "To",
      90,
      (i) => get("end_s").number(i),
      (i) => clock(get("end_s").number(i)),
    ),
    {
      id: "party",
      label: "Speaker",
      width: 120,
      value: (i) => get("party").text(i),
      cell: (i) => el("bdi", {}, printable(get("party").text(i))),
    },
    {
      ...figures(
        "probability",
        "Probability",
        120,
        (i) => get("confidence").number(i),
        (i) => get("confidence").number(i).toFixed(3),
      ),
      share: (i) => get("confidence").number(i),
    },
    ...(get("text").isEmpty
      ? []
      : [
          {
            id: "text",
            label: "Text",
            width: 360,
            value: (i) => get("text").text(i),
            cell: (i) => el("bdi", { title: printable(get("text").text(i)) }, printable(get("text").text(i))),
          },
        ]),
  ]);
  const timelines = drawTimelines(data, segments, byRow);

  const picker = el(
    "select",
    { id: "emotion-of-moments" },
    ...emotions.map((name) => el("option", { value: name }, printable(name))),
  );
  picker.addEventListener("change", () => change({ of: picker.value }));
  const save = (table, name) =>
    el("button", { type: "button", onclick: () => download(name, table.csv(), "text/csv") }, "Download CSV");
  const momentsTitle = el("h3");
  const rankingTitle = el("h3");
  section(
    "long",
    ["Long recordings"],
    el(
      "p",
      { class: "tools" },
      el("label", { for: "emotion-of-moments" }, "Emotion"),
      " ",
      picker,
      el("span", { class: "muted" }, " for both lists and the order of the timelines"),
    ),
    el("div", { class: "heading" }, rankingTitle, save(ranking, "ranking.csv")),
    ranking.node,
    el("div", { class: "heading" }, momentsTitle, save(moments, "moments.csv")),
    moments.node,
    el("h3", {}, "Timelines"),
    legend(emotions),
    timelines.node,
  );
  onChange(() => {
    const emotion = emotions.includes(state.of) ? state.of : emotions[0];
    picker.value = emotion;
    const ranked = rankRecordings(data, segments, byRow, emotion);
    rankingTitle.textContent = `Recordings with most ${printable(emotion)} speech`;
    momentsTitle.textContent = `Moments that sound most ${printable(emotion)}`;
    ranking.set(ranked);
    moments.set(findMoments(segments, data.mask, emotion));
    timelines.set(ranked.map((one) => one.row));
  }, true);
}
