// The listening sample: some rows at random and some that are least sure, to label by ear.

/** Random numbers in [0, 1) that are the same for the same seed (mulberry32). */
function generator(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Rows at random and the least sure of the others, each recording once: {row, kind}. */
function drawSample(data, n, seed) {
  const status = data.status;
  const isOk = (row) => status.text(row) === "ok";
  const seen = new Set();
  const rows = Array.from(data.shown)
    .sort((a, b) => a - b)
    .filter((row) => isOk(row) && !seen.has(data.path.text(row)) && seen.add(data.path.text(row)));
  const random = generator(seed);
  const picked = new Set();
  while (picked.size < Math.min(n, rows.length)) picked.add(rows[Math.floor(random() * rows.length)]);
  const others = rows.filter((row) => !picked.has(row));
  const confidence = data.confidence.keys();
  const unsure = others.sort((a, b) => confidence[a] - confidence[b] || a - b).slice(0, n);
  return [
    ...[...picked].map((row) => ({ row, kind: "random" })),
    ...unsure.map((row) => ({ row, kind: "least sure" })),
  ];
}

/** Bounds of a share with 95% confidence (Wilson's interval). */
function interval(k, n) {
  const z2 = 1.96 ** 2;
  const middle = (k + z2 / 2) / (n + z2);
  const half = (1.96 / (n + z2)) * Math.sqrt((k * (n - k)) / n + z2 / 4);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function drawListening(data, emotions) {
  const choices = emotions.filter((name) => name !== "uncertain");
  const size = el("input", { type: "number", id: "sample-size", min: "1", max: "500", value: "10" });
  const seed = el("input", { type: "number", id: "sample-seed", min: "0", max: "999999", value: "1" });
  const list = el("ol", { class: "sample" });
  const verdict = el("p", { role: "status" });
  const labels = new Map(); // row to emotion; "-" for none of them
  let sample = [];
  let isOpen = false;

  const compareLabels = () => {
    isOpen = true;
    const judged = sample.filter(({ row }) => labels.has(row) && labels.get(row) !== "-");
    const random = judged.filter(({ kind }) => kind === "random");
    const agrees = random.filter(({ row }) => labels.get(row) === data.emotion.text(row)).length;
    if (!random.length) verdict.textContent = "Label some of the random rows first.";
    else {
      const [low, high] = interval(agrees, random.length).map((share) => percent(share));
      verdict.textContent = `Of ${random.length} random rows, ${agrees} have your label: ${percent(agrees / random.length)} (95% interval ${low} to ${high}). Chance is ${percent(1 / choices.length)}.`;
    }
    show();
  };
  const save = () => {
    const rows = sample
      .filter(({ row }) => labels.has(row) && labels.get(row) !== "-")
      .map(({ row, kind }) => [data.path.text(row), labels.get(row), kind]);
    if (!rows.length) verdict.textContent = "There is no label to save yet.";
    else download("labels.csv", csvText([["path", "emotion", "sample"], ...rows], false), "text/csv");
  };
  const show = () => {
    const items = sample.map(({ row, kind }, i) => {
      const select = el(
        "select",
        { "aria-label": `Label of ${printable(data.path.text(row))}` },
        el("option", { value: "" }, "label …"),
        ...choices.map((name) => el("option", { value: name }, printable(name))),
        el("option", { value: "-" }, "none of these"),
      );
      select.value = labels.get(row) ?? "";
      select.addEventListener("change", () =>
        select.value ? labels.set(row, select.value) : labels.delete(row),
      );
      const answer =
        isOpen && labels.has(row)
          ? el(
              "span",
              { class: "answer" },
              "serctl: ",
              chip(data.emotion.text(row)),
              ` ${percent(data.confidence.number(row))}`,
            )
          : null;
      return el(
        "li",
        {},
        player.button(data.path.text(row)),
        recordingCell(data, row),
        el("span", { class: "muted" }, kind),
        select,
        answer,
      );
    });
    list.replaceChildren(...items);
  };
  const draw = () => {
    sample = drawSample(data, Math.min(500, Math.max(1, Number(size.value) || 10)), Number(seed.value) || 0);
    isOpen = false;
    verdict.textContent = sample.length ? "" : "No recording that is shown has an emotion.";
    show();
  };
  section(
    "sample",
    ["Listening sample"],
    el(
      "p",
      {},
      "How good is it on your recordings? Listen to some, label them without looking at the results, and compare. The random rows say how often it is right; the least sure ones show where it fails.",
    ),
    player.base === null
      ? el("p", { class: "muted" }, "Make the report with --audio link to play recordings here.")
      : null,
    el(
      "p",
      { class: "tools" },
      el("label", { for: "sample-size" }, "Rows of each kind"),
      size,
      el("label", { for: "sample-seed" }, "Seed"),
      seed,
      el("button", { type: "button", onclick: draw }, "Draw a sample"),
    ),
    list,
    el(
      "p",
      { class: "tools" },
      el("button", { type: "button", onclick: compareLabels }, "Compare with the results"),
      el("button", { type: "button", onclick: save }, "Save labels.csv"),
    ),
    verdict,
    el(
      "p",
      { class: "muted" },
      "Labels are kept until you close this page. Save labels.csv in the folder in which you ran serctl; then “serctl evaluate --labels labels.csv” gives accuracy with intervals, recall of each emotion and calibration.",
    ),
  );
}
