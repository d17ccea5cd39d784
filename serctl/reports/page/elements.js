// Elements, text and files. Nothing from the data is ever markup: strings become text nodes.

/** Element with attributes (`on...` are listeners, `class` and properties as named) and children. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled", "hidden"].includes(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The same for SVG, without listeners. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/** Call a function with the width of an element, now and when its size changes. */
function onResize(node, listener) {
  // In the next frame, since a change of the page in this one would be too late to be observed.
  const tell = ([entry]) => requestAnimationFrame(() => listener(entry.contentRect.width));
  new ResizeObserver(tell).observe(node);
}

const byId = (id) => document.getElementById(id);

// Names that are not UTF-8 hold a stand-in for each wrong byte (serctl/reports/columns.py).
const STAND_IN = 0x10ff80;
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Text whose invisible and direction-changing characters are escaped, as in serctl's tables. */
function printable(text) {
  return text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0);
    if (code >= STAND_IN) return `\\x${(code - STAND_IN + 0x80).toString(16)}`;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;
const whole = (n) => n.toLocaleString("en");
const plural = (n, noun) => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;

/** `1:02:03`, or `02:03` below an hour. */
function clock(seconds) {
  const s = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = s >= 3600 ? `${Math.floor(s / 3600)}:` : "";
  return `${hours}${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Bytes of a text, with the bytes that stand-ins stand for. */
function bytesOf(text) {
  const encoder = new TextEncoder();
  return text.split(/([\u{10ff80}-\u{10ffff}])/u).map((part, i) => {
    return i % 2 ? Uint8Array.of(part.codePointAt(0) - STAND_IN + 0x80) : encoder.encode(part);
  });
}

/** Save a file. */
function download(name, text, type) {
  const url = URL.createObjectURL(new Blob(bytesOf(text), { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Cell of CSV; for a spreadsheet, one that begins like a formula gets an apostrophe before it. */
function csvCell(cell, forSpreadsheet) {
  let text = cell;
  if (forSpreadsheet && /^[=+\-@\t\r]/.test(text) && isNaN(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** CSV of rows of strings; for a spreadsheet with a byte-order mark, as `--csv-dialect excel`. */
function csvText(rows, forSpreadsheet) {
  const lines = rows.map((row) => row.map((cell) => csvCell(cell, forSpreadsheet)).join(","));
  return (forSpreadsheet ? "\ufeff" : "") + lines.join("\n") + "\n";
}

/** Section of the report with a heading, appended to the page and, under a name, to the navigation. */
function section(id, [title, short], ...children) {
  const heading = el("h2", { id: `${id}-title`, tabindex: "-1" }, title);
  const node = el("section", { id, "aria-labelledby": `${id}-title` }, heading, ...children);
  byId("main").append(node);
  // The hash of the page's address holds the state, so that links to sections only scroll.
  const go = (event) => {
    event.preventDefault();
    node.scrollIntoView();
    heading.focus({ preventScroll: true });
  };
  byId("nav").append(el("a", { href: `#${id}`, onclick: go }, short ?? title));
  return node;
}

const KNOWN = ["angry", "disgust", "fear", "happy", "sad", "neutral", "calm", "surprise"];

/** Class with the colour of an emotion. */
function colour(emotion) {
  const place = KNOWN.indexOf(emotion);
  if (place >= 0) return `c${place}`;
  return emotion === "uncertain" || emotion === "" ? "c-none" : `c${(emotion.length * 5) % 8}`;
}

/** Name of an emotion with its colour beside it. */
function chip(emotion) {
  if (!emotion) return el("span", { class: "muted" }, "–");
  return el("span", { class: "chip" }, el("i", { class: colour(emotion) }), printable(emotion));
}

/** Name of a file with its folder, of which the beginning gives way if there is no room. */
function pathCell(folder, name) {
  return el(
    "span",
    { class: "path", title: printable(folder + name) },
    folder ? el("bdi", { class: "folder" }, printable(folder)) : null,
    el("bdi", { class: "file" }, printable(name)),
  );
}
