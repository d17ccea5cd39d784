// The toolbox: filter, highlight, hide, columns; what is shown as CSV; a link to it.

function drawToolbox(data) {
  const count = el("output", { "aria-live": "polite" });
  const search = patternBox("Path", "path", "Part of a path, with * or /regex/");
  const bar = el(
    "form",
    {
      id: "toolbox",
      class: "card",
      role: "search",
      "aria-label": "Filter recordings",
      onsubmit: (event) => event.preventDefault(),
    },
    search,
    menu("Emotion", "emotion", () => data.labelsOf("emotion")),
    menu("Status", "status", () => data.labelsOf("status")),
    confidenceBox(),
    popover(
      "Highlight, hide",
      "mark",
      patternBox("Highlight", "mark", "Pattern of paths"),
      patternBox("Hide", "hide", "Pattern of paths"),
    ),
    popover("Columns", "off", columnBoxes(data)),
    groupTag(data),
    el("span", { class: "space" }),
    count,
    el("button", { type: "button", onclick: () => data.saveShown() }, "Download CSV"),
    copyButton(),
    el("button", { type: "button", onclick: () => change({ ...DEFAULTS }) }, "Reset"),
  );
  byId("main").append(bar);
  onChange(() => {
    count.textContent = `${whole(data.shown.length)} of ${whole(data.table.n)}`;
  });
  closeOutside(bar);
}

/** Text field of a pattern, which says if it is none. */
function patternBox(label, name, hint) {
  const input = el("input", { type: "search", placeholder: hint, autocomplete: "off", spellcheck: "false" });
  const problem = el("span", { class: "problem", role: "alert" });
  input.addEventListener("input", () => change({ [name]: input.value }));
  onChange(() => {
    if (input.value !== state[name]) input.value = state[name];
    let message = "";
    try {
      matcher(state[name]);
    } catch (error) {
      message = error.message;
    }
    problem.textContent = message;
    input.setAttribute("aria-invalid", String(Boolean(message)));
  });
  const title = el("span", { class: name === "path" ? "unseen" : null }, label);
  return el("label", { class: `box ${name}` }, title, input, problem);
}

/** Button that opens a panel; marked if what it holds is not at its default. */
function popover(title, name, ...children) {
  const node = el("details", {}, el("summary", {}, title), el("div", { class: "panel" }, ...children));
  const names = name === "mark" ? ["mark", "hide"] : name === "low" ? ["low", "high"] : [name];
  onChange(() => {
    const isSet = names.some((one) => JSON.stringify(state[one]) !== JSON.stringify(DEFAULTS[one]));
    node.classList.toggle("set", isSet);
  });
  return node;
}

/** Check boxes of labels; none checked means all. */
function menu(title, name, labels) {
  const panel = el("fieldset", {}, el("legend", {}, `${title}: none checked shows all`));
  for (const [label, n] of labels()) {
    const input = el("input", { type: "checkbox", value: label });
    input.addEventListener("change", () => {
      const others = state[name].filter((one) => one !== label);
      change({ [name]: input.checked ? [...others, label] : others });
    });
    onChange(() => (input.checked = state[name].includes(label)));
    const shown = name === "emotion" ? (label ? chip(label) : "none") : label;
    panel.append(el("label", {}, input, " ", shown, el("span", { class: "muted" }, ` ${whole(n)}`)));
  }
  return popover(title, name, panel);
}

function confidenceBox() {
  const box = (label, name) => {
    const input = el("input", { type: "number", min: "0", max: "100", step: "1" });
    input.addEventListener("input", () => {
      const value = Number(input.value);
      if (input.value !== "" && value >= 0 && value <= 100) change({ [name]: value });
    });
    onChange(() => {
      if (Number(input.value) !== state[name] || input.value === "") input.value = String(state[name]);
    });
    return el("label", {}, label, " ", input, " %");
  };
  return popover("Confidence", "low", box("at least", "low"), box("at most", "high"));
}

function columnBoxes(data) {
  const panel = el("fieldset", {}, el("legend", {}, "Columns of the table and of the CSV"));
  for (const column of data.columns) {
    if (!column.label) continue;
    const input = el("input", { type: "checkbox" });
    input.addEventListener("change", () => {
      const off = data.offColumns().filter((id) => id !== column.id);
      change({ off: input.checked ? off : [...off, column.id] });
    });
    onChange(() => (input.checked = !data.offColumns().includes(column.id)));
    panel.append(el("label", {}, input, " ", column.label));
  }
  return panel;
}

/** The group that is filtered by, with a button that removes the filter. */
function groupTag(data) {
  const name = el("span");
  const remove = () => change({ group: null });
  const node = el(
    "span",
    { class: "tag", hidden: true },
    name,
    el("button", { type: "button", "aria-label": "Show all groups", onclick: remove }, "×"),
  );
  onChange(() => {
    node.hidden = state.group === null;
    if (!node.hidden) name.textContent = `${printable(data.by)}: ${printable(state.group) || "none"}`;
  });
  return node;
}

function copyButton() {
  const button = el("button", { type: "button" }, "Copy link");
  button.addEventListener("click", async () => {
    keepHash();
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy the address above";
    }
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  });
  return button;
}

/** Close open panels with Escape, and when something else is clicked. */
function closeOutside(bar) {
  const close = (except) => {
    for (const open of bar.querySelectorAll("details[open]")) if (open !== except) open.open = false;
  };
  addEventListener("click", (event) => close(event.target.closest?.("#toolbox details")));
  bar.addEventListener("keydown", (event) => {
    const open = event.target.closest("details[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
