// What is shown: filters of recordings, kept in the hash of the page's address.

const DEFAULTS = {
  path: "", // pattern of paths
  emotion: [], // none: all
  status: [],
  low: 0, // confidence, in percent
  high: 100,
  group: null,
  mark: "", // pattern of paths to highlight
  hide: "",
  sort: "",
  down: false, // sorted downwards
  off: null, // hidden columns; null: those that are hidden at first
  of: "", // emotion of moments and ranking
};

const state = { ...DEFAULTS };
const listeners = [];

/** Call a function whenever what is shown changes; `slow` ones once no more changes come. */
const onChange = (listener, slow = false) => listeners.push({ listener, slow });

let slowTimer = 0;

/** Change the state, and tell all who show it. */
function change(values) {
  Object.assign(state, values);
  for (const { listener, slow } of listeners) if (!slow) listener();
  clearTimeout(slowTimer);
  slowTimer = setTimeout(() => {
    for (const { listener, slow } of listeners) if (slow) listener();
    keepHash();
  }, 60);
}

/** Put the state into the page's address. */
const keepHash = () => history.replaceState(null, "", location.href.split("#")[0] + stateHash());

/** The state as a hash; empty if nothing is set. */
function stateHash() {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (JSON.stringify(value) === JSON.stringify(DEFAULTS[name])) continue;
    set.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return set.size ? `#${set}` : "";
}

/** Read the state from the hash; what does not fit is left at its default. */
function readHash() {
  const set = new URLSearchParams(location.hash.slice(1));
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    state[name] = standard;
    if (!set.has(name)) continue;
    const text = set.get(name);
    if (typeof standard === "string") {
      state[name] = text;
      continue;
    }
    try {
      const value = JSON.parse(text);
      const isText = (one) => typeof one === "string";
      if (name === "group" ? isText(value) : typeof value === typeof (standard ?? [])) {
        if (!Array.isArray(standard ?? 0) || (Array.isArray(value) && value.every(isText))) {
          state[name] = value;
        }
      }
    } catch {
      // not written by this page
    }
  }
  if (!Array.isArray(state.off)) state.off = null;
}

/** Function that says whether a path fits: a part of it, a pattern with * and ?, or /a regex/. */
function matcher(pattern) {
  if (!pattern) return null;
  const regex = pattern.match(/^\/(.+)\/$/s);
  // Stars at the ends match anything, and make a regular expression slow.
  const escaped = pattern.replace(/^\*+|\*+$/g, "").replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const glob = escaped.replaceAll("*", ".*").replaceAll("?", ".");
  const compiled = new RegExp(regex ? regex[1] : glob, "is");
  return (text) => compiled.test(text);
}

/** Rows that pass the filters: a byte for each, 1 or 0. */
function passing(data) {
  const { table, path, status, emotion, confidence } = data;
  const mask = new Uint8Array(table.n).fill(1);
  const keep = (column, chosen) => {
    if (!chosen.length) return;
    const wanted = Uint8Array.from(column.labels, (label) => chosen.includes(label));
    for (let i = 0; i < mask.length; i++) mask[i] &= wanted[column.codes[i]];
  };
  keep(emotion, state.emotion);
  keep(status, state.status);
  if (state.group !== null) keep(data.group, [state.group]);
  if (state.low > 0 || state.high < 100) {
    const low = state.low / 100 - 1e-9;
    const high = state.high / 100 + 1e-9;
    for (let i = 0; i < mask.length; i++) {
      const value = confidence.number(i);
      mask[i] &= value >= low && value <= high;
    }
  }
  const wanted = safeMatcher(state.path);
  const hidden = safeMatcher(state.hide);
  if (wanted || hidden) {
    for (let i = 0; i < mask.length; i++) {
      if (!mask[i]) continue;
      const text = path.text(i);
      mask[i] = (!wanted || wanted(text)) && !(hidden && hidden(text));
    }
  }
  return mask;
}

/** As `matcher`; null also for a regex that is not one, which the toolbox says. */
function safeMatcher(pattern) {
  try {
    return matcher(pattern);
  } catch {
    return null;
  }
}
