// A timeline of each long recording: its segments over time, a lane for each channel.

const N_TIMELINES = 20; // at a time
const LANE_HEIGHT = 26;
const PARTY_WIDTH = 92; // as in style.css
const TICKS_S = [5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 36000];

/** Timelines of recordings, some at a time. */
function drawTimelines(data, segments, byRow) {
  const list = el("div", { class: "timelines" });
  const more = el("button", { type: "button" }, "Show more");
  const node = el("div", {}, list, more);
  const get = (name) => segments.columns.get(name);
  const byPath = Map.groupBy(byRow.keys(), (row) => data.path.text(row));
  let recordings = []; // lists of rows, one for each channel
  let n = 0;
  let width = 0;
  const draw = () => {
    width ||= list.clientWidth;
    if (!width) return; // it is not in sight yet
    list.replaceChildren(
      ...recordings.slice(0, n).map((rows) => timeline(data, segments, rows, byRow, width)),
    );
    more.hidden = n >= recordings.length;
    more.textContent = `Show more of ${plural(recordings.length, "timeline")}`;
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
    /** Show recordings in the order of these rows, each with all of its channels. */
    set(rows) {
      recordings = rows.map((row) => byPath.get(data.path.text(row)));
      n = N_TIMELINES;
      draw();
    },
  };
}

/** Timeline of a recording: a lane for each speaker or channel. */
function timeline(data, segments, rows, byRow, width) {
  const get = (name) => segments.columns.get(name);
  const places = rows.flatMap((row) => byRow.get(row));
  const ends = places.map((i) => get("end_s").number(i));
  const length = Math.max(data.table.columns.get("duration_s").number(rows[0]) || 0, ...ends, 1);
  const byParty = Map.groupBy(places, (i) => get("party").text(i));
  const parties = [...byParty].sort(([a], [b]) => compare(a, b));
  const isAlone = parties.length === 1 && !parties[0][0];
  const room = isAlone ? width : width - PARTY_WIDTH;
  const lanes = parties.map(([party, ofParty], i) => {
    const isLast = i === parties.length - 1;
    const name = isAlone ? null : el("bdi", { class: "party" }, printable(party) || "–");
    return el("div", { class: "lane" }, name, lane(segments, ofParty, length, room, isLast));
  });
  return el("div", { class: "timeline" }, recordingCell(data, rows[0]), ...lanes);
}

/** A lane of a timeline: segments in the colours of their emotions and, below the last one, the time. */
function lane(segments, places, length, width, isLast) {
  const get = (name) => segments.columns.get(name);
  const x = (seconds) => (seconds / length) * width;
  const children = [svg("rect", { x: 0, y: 0, width, height: LANE_HEIGHT, class: "track" })];
  for (const i of places) {
    const [start, end] = [get("start_s").number(i), get("end_s").number(i)];
    const emotion = get("emotion").text(i);
    const p = get("confidence").number(i);
    const words = get("text").text(i);
    const name = emotion ? `${emotion} ${p.toFixed(2)}` : "no speech";
    const tip = printable(`${clock(start)}–${clock(end)} ${name}${words ? `, ${words}` : ""}`);
    const box = { x: x(start), y: 0, width: Math.max(1, x(end) - x(start) - 0.5), height: LANE_HEIGHT };
    const look = { class: colour(emotion), opacity: emotion ? 0.35 + 0.65 * p : 0.3 };
    children.push(svg("rect", { ...box, ...look, "data-tip": tip, "data-segment": i }));
  }
  const step = TICKS_S.find((s) => length / s <= Math.max(2, width / 80)) ?? 86400;
  for (let t = 0; isLast && t <= length; t += step) {
    const anchor = t === 0 ? "start" : x(t) > width - 20 ? "end" : "middle";
    children.push(
      svg("text", { x: x(t), y: LANE_HEIGHT + 14, "text-anchor": anchor, class: "value" }, clock(t)),
    );
  }
  const label = `${plural(places.length, "segment")} in ${clock(length)}: ${spoken(segments, places)}`;
  return drawing(width, LANE_HEIGHT + (isLast ? 18 : 4), label, ...children);
}

/** The longest segments in words, for who cannot see the timeline. */
function spoken(segments, places) {
  const get = (name) => segments.columns.get(name);
  const length = (i) => get("end_s").number(i) - get("start_s").number(i);
  const longest = places
    .slice()
    .sort((a, b) => length(b) - length(a))
    .slice(0, 5)
    .sort((a, b) => a - b);
  return longest
    .map((i) => `${clock(get("start_s").number(i))} ${printable(get("emotion").text(i)) || "no speech"}`)
    .join(", ");
}
