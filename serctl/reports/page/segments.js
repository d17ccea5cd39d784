// Long recordings: ranked by an emotion, their moments, and a timeline of each.

const N_MOMENTS = 200;
const N_TIMELINES = 20; // at a time
const LANE_HEIGHT = 26;
const TICKS_S = [5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 36000];

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

/** Recordings by the mean probability of an emotion over their speech, as `serctl report --rank`. */
function rankRecordings(segments, byRow, mask, emotion) {
  const get = (name) => segments.columns.get(name);
  const [start, end, speech, share] = [get("start_s"), get("end_s"), get("speech_s"), get(`p_${emotion}`)];
  const found = [];
  for (const [row, places] of byRow) {
    if (!mask[row]) continue;
    const one = { row, seconds: 0, speech: 0, mean: 0, highest: 0, first: null };
    for (const i of places) {
      const p = share.number(i);
      if (isNaN(p)) continue;
      const seconds = Math.max(speech.number(i) || end.number(i) - start.number(i), 0.001);
      one.speech += seconds;
      one.mean += seconds * p;
      one.highest = Math.max(one.highest, p);
      if (get("emotion").text(i) !== emotion) continue;
      one.seconds += seconds;
      one.first = Math.min(one.first ?? Infinity, start.number(i));
    }
    if (!one.speech) continue;
    one.mean /= one.speech;
    one.share = one.seconds / one.speech;
    found.push(one);
  }
  return found.sort((a, b) => b.mean - a.mean || b.share - a.share);
}

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
  const cellOf = (row) => pathCell(data.path.folder.text(row), data.path.file.strings[row]);
  const channel = data.table.columns.get("channel");
  const play = (cell) => (player.base === null ? [] : [{ id: "play", label: "", width: 50, value: () => "", cell }]);
  const figures = (id, label, width, value, cell) => ({ id, label, width, isNumber: true, value, cell });

  const ranking = objectTable("Recordings by emotion", [
    ...play((one) => player.button(data.path.text(one.row))),
    { id: "path", label: "Recording", width: 300, value: (one) => data.path.text(one.row), cell: (one) => cellOf(one.row) },
    ...(channel.isEmpty ? [] : [{ id: "channel", label: "Channel", width: 90, value: (one) => channel.text(one.row), cell: (one) => channel.text(one.row) }]),
    { ...figures("mean_probability", "Mean probability", 150, (one) => one.mean, (one) => one.mean.toFixed(3)), share: (one) => one.mean },
    figures("share", "Share of speech", 140, (one) => one.share, (one) => percent(one.share, 1)),
    figures("speech_s", "Seconds", 100, (one) => one.seconds, (one) => clock(one.seconds)),
    figures("highest", "Highest", 100, (one) => one.highest, (one) => one.highest.toFixed(3)),
    figures("first_s", "First at", 100, (one) => one.first ?? Infinity, (one) => (one.first === null ? "–" : clock(one.first))),
  ]);
  const moments = objectTable("Moments", [
    ...play((i) => player.button(data.path.text(rowOf(i)), get("start_s").number(i), get("end_s").number(i))),
    { id: "path", label: "Recording", width: 300, value: (i) => data.path.text(rowOf(i)), cell: (i) => cellOf(rowOf(i)) },
    figures("start_s", "From", 90, (i) => get("start_s").number(i), (i) => clock(get("start_s").number(i))),
    figures("end_s", "To", 90, (i) => get("end_s").number(i), (i) => clock(get("end_s").number(i))),
    { id: "party", label: "Speaker", width: 120, value: (i) => get("party").text(i), cell: (i) => el("bdi", {}, printable(get("party").text(i))) },
    { ...figures("probability", "Probability", 120, (i) => get("confidence").number(i), (i) => get("confidence").number(i).toFixed(3)), share: (i) => get("confidence").number(i) },
    ...(get("text").isEmpty
      ? []
      : [{ id: "text", label: "Text", width: 360, value: (i) => get("text").text(i), cell: (i) => el("bdi", { title: printable(get("text").text(i)) }, printable(get("text").text(i))) }]),
  ]);
  const timelines = drawTimelines(data, segments, byRow);

  const picker = el("select", { id: "emotion-of-moments" }, ...emotions.map((name) => el("option", { value: name }, printable(name))));
  picker.addEventListener("change", () => change({ of: picker.value }));
  const save = (table, name) => el("button", { type: "button", onclick: () => download(name, table.csv(), "text/csv") }, "Download CSV");
  const momentsTitle = el("h3");
  const rankingTitle = el("h3");
  section(
    "long",
    ["Long recordings"],
    el("p", { class: "tools" }, el("label", { for: "emotion-of-moments" }, "Emotion"), " ", picker, el("span", { class: "muted" }, " for both lists and the order of the timelines")),
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
    const ranked = rankRecordings(segments, byRow, data.mask, emotion);
    rankingTitle.textContent = `Recordings with most ${printable(emotion)} speech`;
    momentsTitle.textContent = `Moments that sound most ${printable(emotion)}`;
    ranking.set(ranked);
    moments.set(findMoments(segments, data.mask, emotion));
    timelines.set(ranked.map((one) => one.row));
  }, true);
}

/** Timelines of recordings, some at a time. */
function drawTimelines(data, segments, byRow) {
  const list = el("div", { class: "timelines" });
  const more = el("button", { type: "button" }, "Show more");
  const node = el("div", {}, list, more);
  const get = (name) => segments.columns.get(name);
  let rows = [];
  let n = 0;
  let width = 0;
  const draw = () => {
    const channel = data.table.columns.get("channel");
    const lanes = rows.slice(0, n).map((row) => {
      const party = channel.text(row);
      const title = [cutPath(data, row), party ? el("span", { class: "muted" }, ` channel ${party}`) : ""];
      return el("div", { class: "timeline" }, el("p", {}, ...title), lane(data, segments, row, byRow.get(row), width));
    });
    list.replaceChildren(...lanes);
    more.hidden = n >= rows.length;
    more.textContent = `Show more of ${plural(rows.length, "timeline")}`;
  };
  more.addEventListener("click", () => {
    n += N_TIMELINES;
    draw();
  });
  onResize(list, (found) => {
    if (Math.abs(found - width) < 1) return;
    width = found;
    draw();
  });
  list.addEventListener("click", (event) => {
    const place = event.target.closest?.("[data-segment]")?.getAttribute("data-segment");
    if (place === undefined || place === null || player.base === null) return;
    const i = Number(place);
    player.play(data.path.text(get("row").number(i)), get("start_s").number(i), get("end_s").number(i));
  });
  return {
    node,
    set(found) {
      rows = found;
      n = N_TIMELINES;
      draw();
    },
  };
}

const cutPath = (data, row) => pathCell(data.path.folder.text(row), data.path.file.strings[row]);

/** Timeline of a recording: its segments in the colours of their emotions, and the time below. */
function lane(data, segments, row, places, width) {
  const get = (name) => segments.columns.get(name);
  const ends = places.map((i) => get("end_s").number(i));
  const length = Math.max(data.table.columns.get("duration_s").number(row) || 0, ...ends, 1);
  const x = (seconds) => (seconds / length) * width;
  const children = [svg("rect", { x: 0, y: 0, width, height: LANE_HEIGHT, class: "track" })];
  for (const i of places) {
    const [start, end] = [get("start_s").number(i), get("end_s").number(i)];
    const emotion = get("emotion").text(i);
    const p = get("confidence").number(i);
    const words = [get("party").text(i), get("text").text(i)].filter(Boolean).join(": ");
    const name = emotion ? `${emotion} ${p.toFixed(2)}` : "no speech";
    const tip = printable(`${clock(start)}–${clock(end)} ${name}${words ? `, ${words}` : ""}`);
    const box = { x: x(start), y: 0, width: Math.max(1, x(end) - x(start) - 0.5), height: LANE_HEIGHT };
    const look = { class: colour(emotion), opacity: emotion ? 0.35 + 0.65 * p : 0.3 };
    children.push(svg("rect", { ...box, ...look, "data-tip": tip, "data-segment": i }));
  }
  const step = TICKS_S.find((s) => length / s <= Math.max(2, width / 80)) ?? 86400;
  for (let t = 0; t <= length; t += step) {
    const isLast = x(t) > width - 20;
    const anchor = t === 0 ? "start" : isLast ? "end" : "middle";
    children.push(svg("text", { x: x(t), y: LANE_HEIGHT + 14, "text-anchor": anchor, class: "value" }, clock(t)));
  }
  const label = `${plural(places.length, "segment")} in ${clock(length)}: ${spoken(segments, places)}`;
  return drawing(width, LANE_HEIGHT + 18, label, ...children);
}

/** The longest segments in words, for who cannot see the timeline. */
function spoken(segments, places) {
  const get = (name) => segments.columns.get(name);
  const length = (i) => get("end_s").number(i) - get("start_s").number(i);
  const longest = places.slice().sort((a, b) => length(b) - length(a)).slice(0, 5).sort((a, b) => a - b);
  return longest.map((i) => `${clock(get("start_s").number(i))} ${printable(get("emotion").text(i)) || "no speech"}`).join(", ");
}
