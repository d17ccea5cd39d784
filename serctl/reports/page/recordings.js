// The table of recordings, and the overview that goes with what is shown.

const HIDDEN_AT_FIRST = ["sample_rate_hz", "channels", "windows"];

const LABELS = {
  emotion: "Emotion",
  confidence: "Confidence",
  duration_s: "Duration",
  speech_s: "Speech",
  sample_rate_hz: "Sample rate",
  channels: "Channels",
  windows: "Windows",
  channel: "Channel",
  voice: "Voice",
  voice_n: "Recordings of the voice",
  status: "Status",
  reason: "Reason",
};

/** What the rest of the page uses of the recordings. */
function prepare(table, group, by) {
  const get = (name) => table.columns.get(name);
  const path = new PathColumn(get("folder"), get("name"));
  const data = {
    table,
    path,
    by,
    group: group ?? get("folder"),
    status: get("status"),
    emotion: get("emotion"),
    confidence: get("confidence"),
    shown: Uint32Array.from({ length: table.n }, (_, i) => i),
  };
  data.columns = tableColumns(data);
  data.offColumns = () => state.off ?? HIDDEN_AT_FIRST.filter((id) => table.columns.has(id));
  data.labelsOf = (name) => {
    const counts = new Map();
    for (const code of data[name].codes) counts.set(code, (counts.get(code) ?? 0) + 1);
    return [...counts].sort((a, b) => a[0] - b[0]).map(([code, n]) => [data[name].labels[code], n]);
  };
  data.saveShown = () => saveShown(data);
  keepShown(data);
  return data;
}

/** Keep `shown`, the rows that pass the filters in the order of the sorted column. */
function keepShown(data) {
  let order = data.shown;
  let sortedBy = "";
  onChange(() => {
    const by = `${state.sort} ${state.down}`;
    if (by !== sortedBy) {
      const column = state.sort === "path" ? data.path : data.table.columns.get(state.sort);
      const all = Uint32Array.from({ length: data.table.n }, (_, i) => i);
      order = column ? sorted(all, column.keys(), state.down) : all;
      sortedBy = by;
    }
    data.mask = passing(data);
    data.shown = order.filter((row) => data.mask[row]);
  });
}

const recordingCell = (data, row) => pathCell(data.path.folder.text(row), data.path.file.strings[row]);

/** Columns of the table; those without any value are left out. */
function tableColumns(data) {
  const { table, path, emotion } = data;
  const columns = [];
  if (player.base !== null) {
    columns.push({ id: "play", label: "", width: 50, cell: (row) => player.button(path.text(row)) });
  }
  columns.push({
    id: "path",
    label: "Recording",
    width: 300,
    column: path,
    cell: (row) => recordingCell(data, row),
  });
  for (const column of table.columns.values()) {
    const id = column.name;
    if (id === "folder" || id === "name") continue;
    if (column.isEmpty && id !== "emotion") continue;
    const isNumber = column.kind === "number";
    const isShare = isNumber && column.decimals === 3 && (id === "confidence" || id.startsWith("p_"));
    const label = LABELS[id] ?? (isShare ? printable(id.slice(2)) : printable(id));
    const entry = { id, label, column, isNumber, width: isShare ? 92 : 120 };
    if (id === "emotion") entry.cell = (row) => chip(emotion.text(row));
    else if (isShare) {
      entry.share = (row) => column.number(row);
      entry.colour = id === "confidence" ? "" : colour(id.slice(2));
      entry.cell = (row) => (column.text(row) ? column.number(row).toFixed(3) : "");
    } else if (isNumber && id.endsWith("_s") && column.decimals === 3) {
      entry.cell = (row) => (column.text(row) ? clock(column.number(row)) : "");
    } else if (isNumber) entry.cell = (row) => column.text(row);
    else entry.cell = (row) => el("bdi", { title: printable(column.text(row)) }, printable(column.text(row)));
    if (id === "confidence") entry.width = 110;
    if (id === "reason") entry.width = 260;
    columns.push(entry);
  }
  return columns;
}

function saveShown(data) {
  const columns = data.columns.filter((one) => one.column && !data.offColumns().includes(one.id));
  const rows = Array.from(data.shown, (row) => columns.map((one) => one.column.text(row)));
  download("recordings.csv", csvText([columns.map((one) => one.id), ...rows], true), "text/csv");
}

function drawRecordings(data) {
  const mark = () => safeMatcher(state.mark);
  let marked = mark();
  const table = new RowTable({
    label: "Recordings",
    columns: data.columns,
    nPrinted: 200,
    onSort: (column) => {
      const isAgain = state.sort === column.id;
      change({ sort: column.id, down: isAgain ? !state.down : Boolean(column.isNumber) });
    },
    rowClass: (row) => (marked?.(data.path.text(row)) ? "marked" : null),
  });
  section(
    "recordings",
    ["Recordings"],
    el(
      "p",
      { class: "muted" },
      "Click a heading to sort. The toolbox filters rows, hides columns and downloads what is shown.",
    ),
    table.node,
  );
  onChange(() => {
    marked = mark();
    table.off = new Set(data.offColumns());
    table.sort = { id: state.sort, down: state.down };
    table.show(data.shown);
  });
}

/** Number of shown recordings by label of a column. */
function countShown(data, column) {
  const counts = new Uint32Array(column.labels.length);
  for (const row of data.shown) counts[column.codes[row]]++;
  return counts;
}

function drawOverview(data, emotions) {
  const known = () => emotions.map((name) => ({ name, code: data.emotion.labels.indexOf(name) }));
  const byEmotion = figure("Recordings by emotion", (width) => {
    const counts = countShown(data, data.emotion);
    const n = emotions.reduce((sum, name) => sum + (counts[data.emotion.labels.indexOf(name)] ?? 0), 0);
    const bars = known().map(({ name, code }) => {
      const count = counts[code] ?? 0;
      const text = `${whole(count)}${n ? ` · ${percent(count / n)}` : ""}`;
      const tip = `${printable(name)}: ${text}`;
      return { name: printable(name), text, parts: [{ n: count, colour: colour(name), tip }] };
    });
    return barChart(width, bars.map((bar) => `${bar.name} ${bar.text}`).join(", "), bars);
  });
  const byConfidence = figure("Confidence of the labels", (width) => {
    const bins = Array.from({ length: 20 }, () => emotions.map(() => 0));
    const place = data.emotion.labels.map((name) => emotions.indexOf(name));
    for (const row of data.shown) {
      const series = place[data.emotion.codes[row]];
      if (series >= 0) bins[Math.min(19, Math.floor(data.confidence.number(row) * 20))][series]++;
    }
    const series = emotions.map((name) => ({ name: printable(name), colour: colour(name) }));
    return histogram(width, "Histogram of confidence", bins, series, "confidence");
  });
  section(
    "overview",
    ["Overview"],
    el("p", { class: "muted" }, "Of the recordings that the toolbox shows."),
    el("div", { class: "pair" }, byEmotion.node, byConfidence.node),
    legend(emotions),
  );
  onChange(() => {
    byEmotion.redraw();
    byConfidence.redraw();
  }, true);
}
