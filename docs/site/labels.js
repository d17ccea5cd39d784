// The theme's dialog for searching has no name for screen readers.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// Tables that scroll sideways can be reached with the keyboard; the theme wraps them after this runs.
addEventListener("load", () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (table.scrollWidth > table.clientWidth) {
      table.tabIndex = 0;
      table.setAttribute("role", "region");
      table.setAttribute("aria-label", "Table");
    }
  }
});
