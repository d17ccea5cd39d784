// Unpacks the data and draws the page.

async function main() {
  const packed = JSON.parse(byId("data").textContent);
  const [text, table, segments] = await Promise.all([
    inflateText(packed.contents),
    unpackTable(packed.recordings),
    unpackTable(packed.segments),
  ]);
  const contents = JSON.parse(text);
  const { contents: _, audio: __, ...tables } = packed;
  player.base = packed.audio;
  readHash();
  byId("loading").remove();
  const data = prepare(table, table.group, packed.by);
  const emotions = packed.emotions;
  drawSummary(contents);
  drawLimits(contents);
  drawToolbox(data);
  drawOverview(data, emotions);
  if (data.group.labels.length > 1) drawGroups(data, emotions);
  if (segments.n)
    drawSegments(
      data,
      segments,
      emotions.filter((name) => name !== "uncertain"),
    );
  drawRecordings(data);
  drawReasons(contents);
  drawListening(data, emotions);
  drawModels(contents);
  drawRuns(contents, text, tables);
  drawTheme();
  showTips();
  change({});
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the hash is the state's
    byId("main").focus();
  });
  addEventListener("hashchange", () => {
    readHash();
    change({});
  });
}

/** Button for light and dark; at first the page is as the system is. */
function drawTheme() {
  const isDark = () => {
    const chosen = document.documentElement.style.colorScheme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const toggle = () => (document.documentElement.style.colorScheme = isDark() ? "light" : "dark");
  byId("nav").append(el("button", { type: "button", class: "quiet", onclick: toggle }, "Light or dark"));
}

main().catch((error) => {
  const message =
    typeof DecompressionStream === "undefined"
      ? "This report needs a browser of 2024 or later."
      : `The report cannot be shown: ${error.message}`;
  (byId("loading") ?? byId("made")).textContent = message;
});
