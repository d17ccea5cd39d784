// Columns, unpacked from what serctl/reports/columns.py packs.

async function inflate(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const inflateText = async (base64) => new TextDecoder().decode(await inflate(base64));
const inflateJson = async (base64) => JSON.parse(await inflateText(base64));

/** Values whose bytes are in planes. */
function joinPlanes(bytes, width) {
  if (width === 1) return bytes;
  const n = bytes.length / width;
  const joined = new Uint8Array(bytes.length);
  for (let plane = 0; plane < width; plane++) {
    const start = plane * n;
    for (let i = 0; i < n; i++) joined[i * width + plane] = bytes[start + i];
  }
  const Type = { 2: Uint16Array, 4: Uint32Array, 8: Float64Array }[width];
  return new Type(joined.buffer);
}

class NumberColumn {
  constructor(packed, values) {
    this.name = packed.name;
    this.kind = "number";
    this.decimals = packed.decimals;
    this.values = values;
    this.scale = packed.decimals === null ? 1 : 10 ** packed.decimals;
    this.none = packed.decimals === null ? NaN : 2 ** (8 * packed.bytes) - 1;
  }

  number(row) {
    const value = this.values[row];
    return value === this.none ? NaN : value / this.scale;
  }

  /** As in a results file; empty if there is none. */
  text(row) {
    const number = this.number(row);
    if (isNaN(number)) return "";
    return this.decimals === null ? String(number) : number.toFixed(this.decimals);
  }

  /** Whole numbers from 0 on, in the order of the values; -1 where there is none. */
  keys() {
    if (!this.sortKeys) {
      const { values, none } = this;
      if (this.decimals === null) {
        const ranks = rank(values.length, (a, b) => compare(values[a], values[b]));
        this.sortKeys = ranks.map((key, row) => (isNaN(values[row]) ? -1 : key));
      } else this.sortKeys = Float64Array.from(values, (value) => (value === none ? -1 : value));
    }
    return this.sortKeys;
  }

  get isEmpty() {
    return this.values.every((_, row) => isNaN(this.number(row)));
  }
}

class CategoryColumn {
  constructor(packed, codes, labels) {
    this.name = packed.name;
    this.kind = "category";
    this.codes = codes;
    this.labels = labels;
  }

  text(row) {
    return this.labels[this.codes[row]];
  }

  keys() {
    if (!this.sortKeys) {
      const ranks = rank(this.labels.length, (a, b) => compare(this.labels[a], this.labels[b]));
      this.sortKeys = Float64Array.from(this.codes, (code) => ranks[code]);
    }
    return this.sortKeys;
  }

  get isEmpty() {
    return this.codes.every((code) => this.labels[code] === "");
  }
}

class TextColumn {
  constructor(packed, strings) {
    this.name = packed.name;
    this.kind = "text";
    this.strings = strings;
  }

  text(row) {
    return this.strings[row];
  }

  keys() {
    this.sortKeys ??= rank(this.strings.length, (a, b) => compare(this.strings[a], this.strings[b]));
    return this.sortKeys;
  }

  get isEmpty() {
    return this.strings.every((text) => text === "");
  }
}

/** Paths, whose folders repeat. */
class PathColumn {
  constructor(folder, name) {
    this.name = "path";
    this.kind = "path";
    this.folder = folder;
    this.file = name;
  }

  text(row) {
    return this.folder.text(row) + this.file.strings[row];
  }

  keys() {
    if (!this.sortKeys) {
      const folders = this.folder.keys();
      const names = this.file.strings;
      const order = (a, b) => folders[a] - folders[b] || compare(names[a], names[b]);
      this.sortKeys = rank(names.length, order);
    }
    return this.sortKeys;
  }
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Rank of each of n things in an order; equal ones have the same. */
function rank(n, order) {
  const sorted = Uint32Array.from({ length: n }, (_, i) => i);
  // Paths mostly come in their order, and to see that takes no time.
  if (!sorted.every((i) => i === 0 || order(i - 1, i) <= 0)) sorted.sort(order);
  const ranks = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    ranks[sorted[i]] = i && order(sorted[i - 1], sorted[i]) === 0 ? ranks[sorted[i - 1]] : i;
  }
  return ranks;
}

async function unpackColumn(packed) {
  if (packed.kind === "text") return new TextColumn(packed, await inflateJson(packed.data));
  const values = joinPlanes(await inflate(packed.data), packed.bytes);
  if (packed.kind === "number") return new NumberColumn(packed, values);
  return new CategoryColumn(packed, values, await inflateJson(packed.labels));
}

/** Table with `n` rows and `columns`, a Map by name. */
async function unpackTable(packed) {
  const columns = await Promise.all(packed.columns.map(unpackColumn));
  const table = { n: packed.n_rows, columns: new Map(columns.map((one) => [one.name, one])) };
  if (packed.group) table.group = await unpackColumn(packed.group);
  return table;
}
