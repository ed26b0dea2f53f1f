// The grid of failing rows: its keys, what is typed while a row is on its way, what waits for that.
// A cell is kept when it is left; the answer replaces its row. Without scripts each row has a button.
"use strict";

(() => {
  const CELL = "[data-grid] .cell-input";
  let waiting = null; // what is to be submitted once every cell is kept

  const isUnsaved = (cell) => cell.value !== cell.defaultValue;
  const unsaved = () => [...document.querySelectorAll(CELL)].filter(isUnsaved);
  const tell = (cell) => cell.dispatchEvent(new Event("change", { bubbles: true }));
  const isUnderWay = (row) => row.querySelector(".htmx-request") !== null;

  // ---- keys: Enter and the arrows go from row to row, Ctrl + Enter retries ----

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.(CELL);
    if (!cell || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      cell.blur();
      document.querySelector("#retry-all")?.click();
      return;
    }
    const step = stepOf(event, cell);
    if (!step) return;
    event.preventDefault();
    const next = neighbour(cell, step);
    if (next) next.select();
    else cell.blur();
    next?.focus();
  });

  /** In a text of several lines the keys are the text's; with a list the arrows choose from it. */
  function stepOf({ key, shiftKey }, cell) {
    if (cell.tagName === "TEXTAREA") return 0;
    if (key === "Enter") return shiftKey ? -1 : 1;
    if (cell.hasAttribute("list")) return 0;
    return { ArrowDown: 1, ArrowUp: -1 }[key] || 0;
  }

  function neighbour(cell, step) {
    const rows = [...cell.closest("[data-grid]").rows];
    const row = rows[rows.indexOf(cell.closest("tr")) + step];
    return row?.querySelector(`[name="${cell.name}"]`);
  }

  // ---- what is typed while the answer for its row is on its way stays, and is kept next ----

  const typed = new Map(); // id of a cell → what was typed, and what had been seen there

  const seenAt = (cell) => document.getElementById(cell.id.replace("cell-", "seen-"));

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.shouldSwap || !detail.target.matches("[data-grid] > tr")) return;
    const sent = detail.requestConfig.parameters;
    for (const cell of detail.target.querySelectorAll(".cell-input")) {
      if (isUnsaved(cell) && cell.value !== sent[cell.name]) typed.set(cell.id, { text: cell.value, seen: seenAt(cell).value });
    }
  });

  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, { text, seen }] of typed) {
      const cell = document.getElementById(id);
      if (!cell) continue;
      cell.value = text;
      seenAt(cell).value = seen; // another may have changed it meanwhile
      cell.addEventListener("blur", () => isUnsaved(cell) && tell(cell), { once: true });
    }
    typed.clear();
  });

  document.addEventListener("htmx:afterSettle", () => {
    if (!keepTheRest() && waiting) goOn();
  });

  /** Send what nobody has sent, but where one still types; returns whether anything is not kept. */
  function keepTheRest() {
    const cells = unsaved();
    for (const cell of cells) {
      const types = cell === document.activeElement && !waiting;
      if (!types && !isUnderWay(cell.closest("tr"))) tell(cell);
    }
    return cells.length > 0;
  }

  // ---- retrying, skipping and replacing wait until every cell is kept ----

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.getAttribute("action")?.startsWith("/rows/") || !unsaved().length) return;
    event.preventDefault();
    waiting = { form, button: event.submitter };
    keepTheRest();
  });

  function goOn() {
    const { form, button } = waiting;
    waiting = null;
    form.requestSubmit(button);
  }

  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      waiting = null;
    });
  }
})();
