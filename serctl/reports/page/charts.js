// Charts in SVG, with hover and download.

/** Figure with a heading; `draw(width)` gives an SVG, and is called again when the width changes. */
function figure(title, draw) {
  const frame = el("div", { class: "chart" });
  const save = () => saveChart(frame.querySelector("svg"), title);
  const button = el(
    "button",
    { type: "button", class: "quiet", onclick: save, "aria-label": `Download “${title}” as SVG` },
    "SVG",
  );
  const node = el("figure", {}, el("figcaption", {}, title, button), frame);
  let width = 0;
  const redraw = () => frame.replaceChildren(draw(Math.max(width, 260)));
  onResize(frame, (found) => {
    if (Math.abs(found - width) < 1) return;
    width = found;
    redraw();
  });
  return {
    node,
    redraw: () => {
      width ||= frame.clientWidth;
      if (width) redraw();
    },
  };
}

/** Save a chart as a file of its own: with its colours, on white, without the page's style. */
function saveChart(drawing, title) {
  const copy = drawing.cloneNode(true);
  const originals = drawing.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, i) => {
    const style = getComputedStyle(originals[i]);
    node.setAttribute("fill", style.fill);
    if (style.stroke !== "none") node.setAttribute("stroke", style.stroke);
    if (node.tagName === "text") node.setAttribute("font-size", style.fontSize);
    node.removeAttribute("class");
    node.removeAttribute("data-tip");
  });
  copy.setAttribute("font-family", "system-ui, sans-serif");
  const size = { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor };
  copy.prepend(svg("rect", size));
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  download(`${name}.svg`, new XMLSerializer().serializeToString(copy), "image/svg+xml");
}

/** Show what `data-tip` says beside the pointer. */
function showTips() {
  const tip = byId("tip");
  addEventListener("pointermove", (event) => {
    const text = event.target.closest?.("[data-tip]")?.getAttribute("data-tip");
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 8 : event.clientY + 18}px`;
  });
  addEventListener("scroll", () => (tip.hidden = true), { passive: true });
}

/** Text cut to what fits a width, at some 7 pixels a character. */
function cut(text, width) {
  const n = Math.floor(width / 7);
  return text.length > n ? `…${text.slice(text.length - n + 1)}` : text;
}

function drawing(width, height, label, ...children) {
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...children,
  );
}

/**
 * Horizontal bars, each of parts side by side.
 *
 * @param bars list of {name, parts: [{n, colour, tip}], text}; the bar's length is the sum of its n
 * @param isWhole whether all bars have the same length
 */
function barChart(width, label, bars, isWhole = false) {
  const left = Math.min(190, Math.max(70, ...bars.map((bar) => 7.5 * bar.name.length + 12)), width * 0.36);
  const right = 96;
  const total = (bar) => bar.parts.reduce((sum, part) => sum + part.n, 0);
  const longest = Math.max(1, ...bars.map(total));
  const room = width - left - right;
  const children = bars.flatMap((bar, i) => {
    const y = 4 + 28 * i;
    const scale = room / (isWhole ? Math.max(1, total(bar)) : longest);
    let x = left;
    const drawn = [
      svg(
        "text",
        { x: left - 10, y: y + 15, "text-anchor": "end", "data-tip": bar.name },
        cut(bar.name, left - 12),
      ),
    ];
    for (const part of bar.parts) {
      if (!part.n) continue;
      const w = Math.max(part.n * scale, 0.5);
      drawn.push(
        svg("rect", {
          x,
          y,
          width: w,
          height: 20,
          rx: bar.parts.length > 1 ? 0 : 3,
          class: part.colour,
          "data-tip": part.tip,
        }),
      );
      x += w;
    }
    drawn.push(svg("text", { x: Math.min(x, width - right) + 8, y: y + 15, class: "value" }, bar.text));
    return drawn;
  });
  return drawing(width, 28 * bars.length + 8, label, ...children);
}

/** Columns of a histogram over [0, 1]; `counts` has for each bin a number for each series. */
function histogram(width, label, counts, series, axis) {
  const [left, bottom, height] = [46, 34, 220];
  const totals = counts.map((bin) => bin.reduce((sum, n) => sum + n, 0));
  const highest = niceCeiling(Math.max(1, ...totals));
  const step = (width - left - 12) / counts.length;
  const y = (n) => 12 + (height - 12 - bottom) * (1 - n / highest);
  const children = [0, 0.5, 1].flatMap((share) => {
    const at = y(share * highest);
    return [
      svg("line", { x1: left, x2: width - 12, y1: at, y2: at, class: "grid" }),
      svg(
        "text",
        { x: left - 8, y: at + 4, "text-anchor": "end", class: "value" },
        whole(Math.round(share * highest)),
      ),
    ];
  });
  counts.forEach((bin, i) => {
    let below = 0;
    const range = `${percent(i / counts.length)} to ${percent((i + 1) / counts.length)}`;
    bin.forEach((n, k) => {
      if (!n) return;
      const top = y(below + n);
      const tip = `${range}: ${whole(n)} ${series[k].name}`;
      const box = { x: left + i * step + 1, width: Math.max(1, step - 2), y: top, height: y(below) - top };
      children.push(svg("rect", { ...box, class: series[k].colour, "data-tip": tip }));
      below += n;
    });
  });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const x = left + share * step * counts.length;
    const anchor = share === 1 ? "end" : "middle";
    children.push(
      svg("text", { x, y: height - bottom + 18, "text-anchor": anchor, class: "value" }, percent(share)),
    );
  }
  children.push(
    svg(
      "text",
      { x: left + (width - left) / 2, y: height - 2, "text-anchor": "middle", class: "value" },
      axis,
    ),
  );
  return drawing(width, height + 4, label, ...children);
}

/** The smallest even number of one or two leading digits that is not below n. */
function niceCeiling(n) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1);
  return 2 * unit * Math.ceil(n / (2 * unit));
}

/** Legend of emotions. */
const legend = (emotions) => el("p", { class: "legend" }, ...emotions.map(chip));
