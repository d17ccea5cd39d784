// Recordings by group: by folder, or by what `--by` names.

const N_BARS = 12; // of the groups with most recordings

/** Figures of each group among the recordings that are shown, the largest first. */
function countGroups(data, emotions) {
  const { group, emotion, confidence, table } = data;
  const place = emotion.labels.map((name) => emotions.indexOf(name));
  const duration = table.columns.get("duration_s");
  const channel = table.columns.get("channel");
  const found = new Map();
  for (const row of data.shown) {
    const code = group.codes[row];
    let one = found.get(code);
    if (!one) {
      one = {
        name: group.labels[code],
        n: 0,
        labelled: 0,
        sure: 0,
        seconds: 0,
        counts: emotions.map(() => 0),
        seen: new Set(), // of recordings that have a row for each channel
      };
      found.set(code, one);
    }
    const path = channel.number(row) > 0 ? data.path.text(row) : null;
    if (path === null || !one.seen.has(path)) {
      if (path !== null) one.seen.add(path);
      one.n++;
      const seconds = duration.number(row);
      if (seconds > 0) one.seconds += seconds;
    }
    const series = place[emotion.codes[row]];
    if (series < 0) continue;
    one.labelled++;
    one.counts[series]++;
    one.sure += confidence.number(row);
  }
  return [...found.values()].sort((a, b) => b.n - a.n || compare(a.name, b.name));
}

function drawGroups(data, emotions) {
  const title = data.by === "folder" ? "Folders" : `By ${printable(data.by)}`;
  const nameOf = (group) => printable(group.name) || (data.by === "folder" ? "." : "none");
  let groups = [];
  const chart = figure("Emotions of the largest groups", (width) => {
    const bars = groups.slice(0, N_BARS).map((group) => {
      const parts = group.counts.map((n, i) => {
        const tip = `${nameOf(group)}: ${whole(n)} ${printable(emotions[i])}, ${percent(n / Math.max(1, group.labelled))}`;
        return { n, colour: colour(emotions[i]), tip };
      });
      return { name: nameOf(group), parts, text: plural(group.labelled, "label") };
    });
    return barChart(width, `Share of each emotion in ${bars.length} groups`, bars, true);
  });
  const pick = (group) => change({ group: state.group === group.name ? null : group.name });
  const columns = [
    {
      id: data.by,
      label: data.by === "folder" ? "Folder" : printable(data.by),
      width: 210,
      value: (group) => group.name,
      cell: (group) =>
        el(
          "button",
          { type: "button", class: "link", title: "Show this group only", onclick: () => pick(group) },
          el("bdi", {}, nameOf(group)),
        ),
    },
    {
      id: "n",
      label: "Recordings",
      isNumber: true,
      width: 110,
      value: (group) => group.n,
      cell: (group) => whole(group.n),
    },
    {
      id: "duration_s",
      label: "Duration",
      isNumber: true,
      width: 110,
      value: (group) => group.seconds,
      cell: (group) => clock(group.seconds),
    },
    {
      id: "mean_confidence",
      label: "Confidence",
      isNumber: true,
      width: 110,
      value: (group) => (group.labelled ? group.sure / group.labelled : -1),
      cell: (group) => (group.labelled ? (group.sure / group.labelled).toFixed(3) : "–"),
    },
    ...emotions.map((name, i) => ({
      id: `share_${name}`,
      label: printable(name),
      isNumber: true,
      width: 88,
      colour: colour(name),
      value: (group) => (group.labelled ? group.counts[i] / group.labelled : -1),
      share: (group) => group.counts[i] / Math.max(1, group.labelled),
      cell: (group) => (group.labelled ? `${percent(group.counts[i] / group.labelled)}` : "–"),
    })),
  ];
  const table = objectTable(title, columns);
  const save = el(
    "button",
    { type: "button", onclick: () => download("groups.csv", table.csv(), "text/csv") },
    "Download CSV",
  );
  section(
    "groups",
    [title],
    chart.node,
    legend(emotions),
    el("div", { class: "heading" }, el("h3", {}, "All groups"), save),
    table.node,
  );
  onChange(() => {
    groups = countGroups(data, emotions);
    table.set(groups);
    chart.redraw();
  }, true);
}
