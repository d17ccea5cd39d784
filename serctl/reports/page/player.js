// The player: with `--audio link`, recordings play from their files, where the page stands.

const player = {
  /** Relative URL from the page to where paths begin; null without audio. */
  base: null,

  /** URL of a recording; every character that could be more than a name is encoded. */
  url(path) {
    const encode = (part) =>
      part.replace(/[\s\S]/gu, (character) => {
        const code = character.codePointAt(0);
        if (code >= STAND_IN) return `%${(code - STAND_IN + 0x80).toString(16)}`;
        return character === "/" ? "/" : encodeURIComponent(character);
      });
    if (/^[A-Za-z]:[\\/]/.test(path)) {
      return `file:///${path[0]}:${encode(path.slice(2).replaceAll("\\", "/"))}`;
    }
    return path.startsWith("/") ? `file://${encode(path)}` : `./${this.base}${encode(path)}`;
  },

  /** Play a recording, or the part of it from a time to another. */
  play(path, start, end) {
    const bar = byId("player");
    if (!this.audio) {
      this.audio = el("audio", { controls: true, preload: "none" });
      this.title = el("p", { "aria-live": "polite" });
      const close = () => {
        this.audio.pause();
        bar.hidden = true;
      };
      bar.append(this.title, this.audio, el("button", { type: "button", onclick: close }, "Close"));
      this.audio.addEventListener("error", () => {
        this.title.textContent = `${printable(this.path)}: cannot be played. The page must stand where serctl wrote it, and the browser must know the format.`;
      });
    }
    this.path = path;
    const times = start === undefined ? "" : ` ${clock(start)}–${clock(end)}`;
    this.title.textContent = printable(path) + times;
    this.audio.src = this.url(path) + (start === undefined ? "" : `#t=${start},${end}`);
    bar.hidden = false;
    this.audio.play().catch(() => {}); // the error event says it
  },

  /** Button that plays; null without audio. */
  button(path, start, end) {
    if (this.base === null) return null;
    const from = start === undefined ? "" : ` from ${clock(start)}`;
    const label = `Play ${printable(path)}${from}`;
    const play = () => this.play(path, start, end);
    return el("button", { type: "button", class: "play", "aria-label": label, onclick: play }, "▶");
  },
};
