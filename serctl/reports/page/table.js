// A table of any number of rows: only those in sight are in the page.

const ROW_HEIGHT = 30; // as in style.css
const BEYOND = 12; // rows above and below those in sight
const N_PRINTED = 40; // rows on paper, of most tables

/**
 * Rows in the order of keys, whole numbers from 0 on; those without a value (-1) last, equal ones in
 * their own order. Key and row become one number each, which is sorted ten times as fast as by a
 * function that compares.
 */
function sorted(rows, keys, down) {
  const n = keys.length;
  const top = keys.reduce((most, key) => Math.max(most, key), 0);
  const both = Float64Array.from(rows, (row) => {
    const key = keys[row];
    return (key < 0 ? top + 1 : down ? top - key : key) * n + row;
  });
  return Uint32Array.from(both.sort(), (pair) => pair % n);
}

class RowTable {
  /**
   * @param options.label what the table holds, for screen readers
   * @param options.columns list of {id, label, width, isNumber, isShare, cell(row), share(row)}:
   *   `cell` gives text or an element, `share` a number in [0, 1] that is drawn as a bar
   * @param options.onSort called with the id of a column whose heading is clicked
   * @param options.rowClass gives a class for a row
   * @param options.nPrinted rows on paper
   */
  constructor(options) {
    Object.assign(this, options);
    this.rows = [];
    this.off = new Set();
    this.sort = { id: "", down: false };
    this.head = el("thead");
    this.body = el("tbody");
    this.widths = el("colgroup");
    this.table = el("table", { "aria-label": this.label }, this.widths, this.head, this.body);
    this.node = el(
      "div",
      { class: "scroller", tabindex: "0", role: "region", "aria-label": `${this.label}, scrollable` },
      this.table,
    );
    let waits = false;
    this.node.addEventListener("scroll", () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
        this.fill();
      });
    });
    addEventListener("beforeprint", () => this.fill(true));
    addEventListener("afterprint", () => this.fill());
    onResize(this.node, () => this.fill());
  }

  get shownColumns() {
    return this.columns.filter((column) => !this.off.has(column.id));
  }

  /** Show rows, from the first one on. */
  show(rows) {
    this.rows = rows;
    this.node.scrollTop = 0;
    this.drawHead();
    this.fill();
  }

  drawHead() {
    const columns = this.shownColumns;
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    const widths = columns.map(({ width }) => Math.min(width, innerWidth * 0.5)); // on a phone
    const cols = widths.map((width) => {
      const col = el("col");
      col.style.width = `${width}px`;
      return col;
    });
    this.widths.replaceChildren(...cols);
    this.table.style.minWidth = `${widths.reduce((sum, width) => sum + width, 0)}px`;
    const heads = columns.map((column) => {
      const isSorted = this.sort.id === column.id;
      const direction = isSorted ? (this.sort.down ? "descending" : "ascending") : null;
      const kind = column.isNumber ? "number" : null;
      if (!this.onSort || !column.label) {
        return el(
          "th",
          { scope: "col", class: kind },
          column.label || el("span", { class: "unseen" }, "Play"),
        );
      }
      const arrow = el("span", { "aria-hidden": "true" }, isSorted ? (this.sort.down ? " ▼" : " ▲") : "");
      const sort = () => {
        this.onSort(column);
        this.head.querySelectorAll("th")[columns.indexOf(column)]?.querySelector("button")?.focus();
      };
      const button = el("button", { type: "button", onclick: sort }, column.label, arrow);
      return el("th", { scope: "col", class: kind, "aria-sort": direction }, button);
    });
    this.head.replaceChildren(el("tr", { "aria-rowindex": "1" }, ...heads));
  }

  /** Put the rows in sight into the page; on paper, the first ones. */
  fill(onPaper = false) {
    const n = this.rows.length;
    let first = Math.max(0, Math.floor(this.node.scrollTop / ROW_HEIGHT) - BEYOND);
    let last = Math.min(n, first + Math.ceil((this.node.clientHeight || 600) / ROW_HEIGHT) + 2 * BEYOND);
    if (onPaper) [first, last] = [0, Math.min(n, this.nPrinted ?? N_PRINTED)];
    const columns = this.shownColumns;
    const spacer = (height) => {
      const cell = el("td", { colspan: columns.length });
      cell.style.height = `${height}px`;
      return el("tr", { class: "spacer", "aria-hidden": "true" }, cell);
    };
    const rows = [];
    for (let i = first; i < last; i++) {
      const row = this.rows[i];
      const cells = columns.map((column) => this.drawCell(column, row));
      rows.push(el("tr", { "aria-rowindex": i + 2, class: this.rowClass?.(row) }, ...cells));
    }
    if (!n) rows.push(el("tr", {}, el("td", { colspan: columns.length, class: "muted" }, "None.")));
    if (onPaper && last < n) {
      const more = `and ${whole(n - last)} more`;
      rows.push(el("tr", {}, el("td", { colspan: columns.length }, more)));
    }
    this.body.replaceChildren(
      ...(first > 0 ? [spacer(first * ROW_HEIGHT)] : []),
      ...rows,
      ...(last < n && !onPaper ? [spacer((n - last) * ROW_HEIGHT)] : []),
    );
  }

  drawCell(column, row) {
    const cell = el("td", { class: column.isNumber ? "number" : null }, column.cell(row) ?? "");
    const share = column.share?.(row);
    if (share > 0) {
      const bar = el("i", { class: `bar ${column.colour ?? ""}` });
      bar.style.width = `${100 * share}%`;
      cell.append(bar);
    }
    return cell;
  }
}

/** Table whose rows are objects, sorted by values: for a few thousand rows. */
function objectTable(label, columns) {
  const table = new RowTable({ label, columns });
  let items = [];
  let order = { id: "", down: false };
  const show = () => {
    const column = columns.find((one) => one.id === order.id);
    let rows = items;
    if (column) {
      const sign = order.down ? -1 : 1;
      rows = items.slice().sort((a, b) => sign * compare(column.value(a), column.value(b)));
    }
    table.sort = order;
    table.show(rows);
  };
  table.onSort = (column) => {
    const isAgain = order.id === column.id;
    order = { id: column.id, down: isAgain ? !order.down : Boolean(column.isNumber) };
    show();
  };
  return {
    node: table.node,
    /** Show items, in their order unless the table is sorted. */
    set(found) {
      items = found;
      show();
    },
    /** The items and columns as CSV for a spreadsheet. */
    csv: () =>
      csvText(
        [
          columns.map((c) => c.id),
          ...table.rows.map((row) => columns.map((c) => String(c.value(row) ?? ""))),
        ],
        true,
      ),
  };
}
