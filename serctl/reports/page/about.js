// What stands around the tables: the summary, the limits, the reasons, the model and the run.

/** The opening: figures and sentences. */
function drawSummary(contents) {
  const hours = (seconds) =>
    seconds >= 3600
      ? `${(seconds / 3600).toFixed(1)} h`
      : seconds >= 60
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds)} s`;
  const tile = (value, name) => el("div", { class: "tile" }, el("dt", {}, name), el("dd", {}, value));
  const tiles = [
    tile(whole(contents.n_recordings), "recordings"),
    ...(contents.n_channels > contents.n_recordings ? [tile(whole(contents.n_channels), "channels")] : []),
    tile(whole(contents.n_labelled), "with an emotion"),
    tile(hours(contents.duration_s), "audio"),
  ];
  if (contents.speech_s) tiles.push(tile(hours(contents.speech_s), "speech"));
  section(
    "summary",
    ["In short"],
    el("dl", { class: "tiles" }, ...tiles),
    ...contents.in_words.map((text) => el("p", {}, text)),
  );
  const names = contents.files.map(printable);
  byId("source").textContent =
    names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  byId("made").textContent =
    `Made by serctl ${contents.serctl_version}. This file loads nothing from the network.`;
}

const drawBlocks = (blocks) =>
  blocks.map((block) =>
    Array.isArray(block) ? el("ul", {}, ...block.map((item) => el("li", {}, item))) : el("p", {}, block),
  );

/** What it must not be used for, above the first ranking. */
function drawLimits(contents) {
  const [first, ...rest] = contents.must_not_use;
  const more = el("details", {}, el("summary", {}, "Laws"), ...drawBlocks(rest.slice(1)));
  const node = section(
    "limits",
    ["What this must not be used for", "Limits"],
    el("p", {}, el("strong", {}, contents.notice)),
    ...drawBlocks([first, ...rest.slice(0, 1)]),
    more,
  );
  node.classList.add("notice");
}

/** Why recordings have no emotion, or an incomplete one. */
function drawReasons(contents) {
  const reasons = contents.status.filter((one) => one.reason || one.status !== "ok");
  if (!reasons.length) return;
  const rows = reasons.map((one) =>
    el(
      "tr",
      {},
      el(
        "td",
        {},
        el(
          "button",
          { type: "button", class: "link", onclick: () => change({ ...DEFAULTS, status: [one.status] }) },
          one.status,
        ),
      ),
      el("td", { class: "number" }, whole(one.n)),
      el("td", { class: "long" }, printable(one.reason) || "no reason given"),
      el("td", { class: "long" }, el("bdi", {}, printable(one.example))),
    ),
  );
  const heads = ["Status", "Recordings", "Reason", "Example"].map((head, i) =>
    el("th", { scope: "col", class: i === 1 ? "number" : null }, head),
  );
  const table = el(
    "table",
    { class: "plain" },
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...rows),
  );
  section(
    "reasons",
    ["Not classified, or in part", "Not classified"],
    el(
      "div",
      { class: "scroller", tabindex: "0", role: "region", "aria-label": "Reasons, scrollable" },
      table,
    ),
  );
}

function drawFigures(title, heads, rows) {
  const share = (value, i) =>
    typeof value !== "number" ? (value ?? "–") : heads[i] === "Clips" ? whole(value) : percent(value, 1);
  const cells = (row) => row.map((value, i) => el("td", { class: i ? "number" : null }, share(value, i)));
  return el(
    "table",
    { class: "plain" },
    el("caption", {}, title),
    el(
      "thead",
      {},
      el("tr", {}, ...heads.map((head, i) => el("th", { scope: "col", class: i ? "number" : null }, head))),
    ),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells(row)))),
  );
}

/** The card of each model in short. */
function drawModels(contents) {
  const cards = contents.models.map((card) =>
    el(
      "article",
      {},
      el("h3", {}, card.name),
      el("p", {}, card.about),
      el(
        "p",
        {},
        el(
          "strong",
          {},
          `${percent(card.ua, 1)} of the emotions are right on speakers that it was not trained on`,
        ),
        ` (unweighted accuracy on ${whole(card.n_clips)} clips; 95% interval ${percent(card.ua_interval[0], 1)} to ${percent(card.ua_interval[1], 1)}; chance ${percent(card.chance, 1)}). All of them are actors who speak short English sentences in quiet rooms: expect less on your recordings.`,
      ),
      el(
        "div",
        { class: "pair" },
        drawFigures("By emotion", ["Emotion", "Clips", "Recall", "Precision"], card.by_emotion),
        drawFigures("By corpus", ["Corpus", "Clips", "Accuracy"], card.by_corpus),
      ),
      el(
        "details",
        {},
        el("summary", {}, "Limits and terms"),
        ...drawBlocks([...card.limits, ...card.terms]),
      ),
    ),
  );
  if (!cards.length)
    cards.push(
      el(
        "p",
        {},
        "No record of the run names a bundled model, so how good the model is, and on whom, is not known here.",
      ),
    );
  section("model", ["Model"], ...cards);
}

/** The parameters of each run, and the page as a file: `text` is that of `contents`. */
function drawRuns(contents, text, tables) {
  const saved = () => `${text.slice(0, text.lastIndexOf("\n}"))},\n  "page": ${JSON.stringify(tables)}\n}\n`;
  const runs = contents.runs.map((run) => {
    const { file, ...record } = run;
    const entries = Object.entries(record).filter(([, value]) => value !== null && value !== "");
    const shown = (value) => printable(typeof value === "string" ? value : JSON.stringify(value));
    const pairs = entries.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, shown(value))]);
    const found = pairs.length
      ? el("dl", { class: "record" }, ...pairs)
      : el("p", {}, "No record of the run, <results>.run.json, stands beside this file.");
    return el("details", {}, el("summary", {}, printable(file)), found);
  });
  const save = el(
    "button",
    { type: "button", onclick: () => download("report.json", saved(), "application/json") },
    "Download report.json",
  );
  section(
    "runs",
    ["Run"],
    el("p", {}, "The parameters with which the results were made."),
    ...runs,
    el(
      "p",
      { class: "tools" },
      save,
      el(
        "span",
        { class: "muted" },
        " all of this page; serctl report report.json -o report.html makes it again",
      ),
    ),
  );
}
