// What pages do besides being pages. Everything here only adds: without it forms still post.
// Attributes it knows: data-theme-switch, data-confirm, data-close, data-copy, data-dismiss,
// data-back, data-keeps, data-relative, data-elapsed, data-announce, data-scrolls.
"use strict";

(() => {
  const CARRIED = "portal:toast";
  const etags = new Map(); // fragment id → ETag of what is shown
  const announced = new Map(); // fragment id → the state that was last read out

  /** @param {string} selector @returns {HTMLElement | null} */
  const find = (selector) => document.querySelector(selector);

  // ---- who goes back finds the form as it was sent ----

  const LONGEST = 3500; // servers refuse addresses of 4094 characters

  const saidIn = (form) =>
    [...new FormData(form)].filter(([name, text]) => name !== "csrf_token" && (text || name.startsWith("column-")));

  document.addEventListener("submit", ({ target }) => {
    if (!target.matches("[data-keeps]")) return;
    const said = saidIn(target);
    const short = said.filter(([name]) => name === "processor" || name === "mode");
    const url = [said, short].map((pairs) => `?${new URLSearchParams(pairs)}`).find((one) => one.length < LONGEST);
    if (url) history.replaceState(history.state, "", url);
  });

  // ---- requests ----

  const polls = (element) => (element.getAttribute("hx-trigger") || "").includes("every ");

  const isBusy = (element) => element.querySelector("details.menu[open], details.confirm[open]");

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = find('meta[name="csrf-token"]').content;
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (polls(element) && (document.hidden || isBusy(element))) event.preventDefault();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.body.dispatchEvent(new CustomEvent("portal:visible"));
  });

  // The browser turns a 304 into the answer it has; equal ETags mean that nothing is to be swapped.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, target, xhr } = event.detail;
    if (polls(elt)) {
      if (isHeld(target)) {
        event.detail.shouldSwap = false; // the next poll brings it
        return;
      }
      rememberPlace(target);
    }
    const etag = xhr.getResponseHeader("ETag");
    if (!polls(elt) || !elt.id || !etag) etags.delete(target.id);
    else if (etags.get(elt.id) === etag) event.detail.shouldSwap = false;
    else etags.set(elt.id, etag);
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    showConnection(true);
    const { xhr } = event.detail;
    if (xhr.getResponseHeader("HX-Refresh") === "true") carryToast(xhr);
  });

  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (polls(event.detail.elt)) showConnection(false);
      else showToast("Portal could not be reached. Nothing was changed; try again.", "error");
    });
  }

  document.addEventListener("htmx:responseError", (event) => {
    const { elt, xhr } = event.detail;
    if (polls(elt) || xhr.getResponseHeader("HX-Trigger") || xhr.getResponseHeader("HX-Redirect")) return;
    showToast("That did not work. Reload the page and try again.", "error");
  });

  // Nothing is replaced under a finger, a mouse button or a key that is down, nor an open menu: the
  // click would come to nothing.
  let pressed = null;

  const isHeld = (target) => (pressed && target.contains(pressed)) || isBusy(target);

  function press({ type, target, button, key }) {
    if (type === "pointerdown" ? button === 0 : key === "Enter" || key === " ") pressed = target;
  }

  function release() {
    setTimeout(() => { pressed = null; }); // once the click was heard
  }

  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, press, true);
  for (const name of ["pointerup", "pointercancel", "dragend", "keyup"]) document.addEventListener(name, release, true);
  addEventListener("blur", release);

  // Whoever stands on a link, unfolded something, scrolled a table or reads the end of a log stays
  // there when a poll replaces it.
  let place = null;

  const FOCUSABLE = "a[href], button, summary, [tabindex]";
  const PARTS = { folds: "details:not(.menu, .confirm)", frames: "[data-scrolls]" };

  const likeness = [
    (one, other) => one.textContent === other.textContent && one.href === other.href,
    (one, other) => Boolean(one.href) && one.href === other.href,
  ];

  function rememberPlace(target) {
    const focused = target.contains(document.activeElement) ? document.activeElement : null;
    const log = target.closest(".log");
    const reading = log && log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    place = {
      id: target.id,
      focused,
      log: reading ? log : null,
      open: [...target.querySelectorAll(PARTS.folds)].map(({ open }) => open),
      scrolled: [...target.querySelectorAll(PARTS.frames)].map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]),
    };
  }

  function restorePlace() {
    if (!place) return;
    const { id, focused, log, open, scrolled } = place;
    place = null;
    if (log) log.scrollTop = log.scrollHeight;
    const target = id && document.getElementById(id);
    if (target) {
      putBack(target, PARTS.folds, open, (details, was) => { details.open = was; });
      putBack(target, PARTS.frames, scrolled, (frame, [left, top]) => { frame.scrollTo(left, top); });
    }
    if (!focused || document.activeElement !== document.body) return;
    const all = [...document.querySelectorAll("main :is(" + FOCUSABLE + ")")].filter((one) => one.tagName === focused.tagName);
    likeness.map((like) => all.find((one) => like(focused, one))).find(Boolean)?.focus({ preventScroll: true });
  }

  // Parts are told apart by their places, so where there are others than before, none is touched.
  function putBack(target, selector, known, put) {
    const parts = [...target.querySelectorAll(selector)];
    if (parts.length === known.length) parts.forEach((part, n) => put(part, known[n]));
  }

  const showConnection = (reached) => {
    find("#connection").hidden = reached;
  };

  // What somebody unfolded stays so, and he where he stands, when a form comes anew. What he typed
  // or chose while the answer was on its way is put over it, and asked for in turn.
  const sent = new WeakMap(); // form → what it held when it was last asked about
  let left = null;

  const held = (form) => new Map(new FormData(form));

  const isOffered = (control, text) =>
    control.tagName !== "SELECT" || [...control.options].some(({ value }) => value === text);

  document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
    const form = elt.closest("[data-keeps]");
    if (form) sent.set(form, held(form));
  });

  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    if (!target.matches("[data-keeps]")) return;
    const before = sent.get(target);
    const { id, selectionStart, selectionEnd } = document.activeElement;
    left = {
      form: target.id,
      open: [...target.querySelectorAll("details.rules[open]")].map((details) => details.id),
      typed: before ? [...held(target)].filter(([name, text]) => before.get(name) !== text) : [],
      focused: { id, selectionStart, selectionEnd },
      again: [],
    };
  });

  document.addEventListener("htmx:afterSwap", () => {
    const form = left && document.getElementById(left.form);
    if (!form) return;
    for (const id of left.open) document.getElementById(id)?.setAttribute("open", "");
    for (const [name, text] of left.typed) {
      const control = form.elements[name];
      if (!control || control.value === text || !isOffered(control, text)) continue;
      control.value = text;
      left.again.push(control);
    }
    restoreCaret(left.focused);
  });

  document.addEventListener("htmx:afterSettle", () => {
    const again = left ? left.again : [];
    left = null;
    for (const control of again) {
      for (const name of ["input", "change"]) control.dispatchEvent(new Event(name, { bubbles: true }));
    }
  });

  function restoreCaret({ id, selectionStart, selectionEnd }) {
    const focused = id && document.getElementById(id);
    if (!focused) return;
    focused.focus({ preventScroll: true });
    if (typeof selectionStart === "number") focused.setSelectionRange?.(selectionStart, selectionEnd);
  }

  // ---- toasts ----

  document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.kind));

  /** @param {string} text @param {string} [kind] info, success, warning or error */
  function showToast(text, kind = "info") {
    const toast = find("#toast-template").content.firstElementChild.cloneNode(true);
    toast.className = `toast ${kind}`;
    toast.querySelector(".toast-text").textContent = text;
    find("#toasts").append(toast);
    if (kind !== "error") setTimeout(() => toast.remove(), 8000);
  }

  function carryToast(xhr) {
    const events = xhr.getResponseHeader("HX-Trigger");
    if (events && events.startsWith("{")) sessionStorage.setItem(CARRIED, events);
  }

  function showCarriedToast() {
    const events = sessionStorage.getItem(CARRIED);
    sessionStorage.removeItem(CARRIED);
    if (events) showToast(JSON.parse(events).toast.text, JSON.parse(events).toast.kind);
  }

  // ---- theme ----

  function switchTheme() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (next === system) {
      delete root.dataset.theme;
      document.cookie = `portal_theme=; Path=/; Max-Age=0; SameSite=Lax${secure}`;
    } else {
      root.dataset.theme = next;
      document.cookie = `portal_theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    }
  }

  // ---- dialog: the panel of an asking button moves into it and back ----

  function ask(details) {
    const dialog = /** @type {HTMLDialogElement} */ (find("#dialog"));
    const panel = details.querySelector(".confirm-panel");
    panel.querySelector(".confirm-title").id = "dialog-title";
    dialog.replaceChildren(panel);
    dialog.addEventListener("close", () => giveBack(details, panel), { once: true });
    panel.querySelector("form").addEventListener("htmx:afterRequest", () => dialog.close(), { once: true });
    closeMenus();
    dialog.showModal();
    panel.querySelector("[data-close]")?.focus();
  }

  function giveBack(details, panel) {
    panel.querySelector(".confirm-title").removeAttribute("id");
    details.append(panel);
    const opener = (details.closest("details.menu") || details).querySelector("summary");
    (opener.isConnected ? opener : document.getElementById(opener.id))?.focus();
  }

  // ---- menus ----

  function placeMenu(details) {
    const panel = details.querySelector(".menu-panel");
    if (!panel) return;
    const from = details.querySelector("summary").getBoundingClientRect();
    panel.classList.add("placed");
    const { width, height } = panel.getBoundingClientRect();
    const below = from.bottom + 4 + height <= innerHeight || from.top < height;
    panel.style.left = `${Math.max(8, Math.min(from.right - width, innerWidth - width - 8))}px`;
    panel.style.top = `${below ? from.bottom + 4 : from.top - height - 4}px`;
  }

  function closeMenus(except = null) {
    for (const open of document.querySelectorAll("details.menu[open]")) {
      if (!except || !open.contains(except)) open.open = false;
    }
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.menu") && event.target.open) placeMenu(event.target);
  }, true);
  addEventListener("scroll", () => {
    document.querySelectorAll("details.menu[open]").forEach(placeMenu);
  }, { capture: true, passive: true });
  addEventListener("resize", () => closeMenus());

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  // ---- clicks ----

  document.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    closeMenus(target);
    const asking = target.closest("[data-confirm] > summary");
    if (asking) {
      event.preventDefault();
      ask(asking.parentElement);
    }
    if (target.closest("[data-close]") || target.id === "dialog") find("#dialog").close();
    if (target.closest("[data-theme-switch]")) switchTheme();
    if (target.closest("[data-back]")) history.back();
    target.closest("[data-dismiss]")?.closest(".toast, .notice").remove();
    const copied = target.closest("[data-copy]");
    if (copied) copy(copied.dataset.copy);
  });

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      showToast("Copied.", "success");
    } catch {
      showToast("This browser does not let Portal copy. Select the text and copy it.", "warning");
    }
  }

  // ---- times: the same words as the server's filters ----

  const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  /** @param {number} seconds since then; negative for what is to come */
  function relative(seconds) {
    const distance = Math.abs(seconds);
    if (distance < 10) return "just now";
    const [name, size] = UNITS.find((unit) => distance >= unit[1]);
    const amount = `${Math.floor(distance / size)} ${name}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  }

  /** @param {number} seconds */
  function duration(seconds) {
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`;
  }

  function refresh(selector, words) {
    if (document.hidden) return;
    for (const time of document.querySelectorAll(selector)) {
      const text = words((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  setInterval(() => refresh("time[data-relative]", relative), 30_000);
  setInterval(() => refresh("time[data-elapsed]", duration), 1000);

  // ---- what is read out, what can be scrolled ----

  function announceChanges() {
    for (const element of document.querySelectorAll("[data-announce][id]")) {
      const text = element.dataset.announce;
      const before = announced.get(element.id);
      announced.set(element.id, text);
      if (before !== undefined && before !== text) find("#announcer").textContent = text;
    }
  }

  function nameScrollers() {
    for (const frame of document.querySelectorAll("[data-scrolls]")) {
      const scrolls = frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight;
      if (scrolls) {
        frame.tabIndex = 0;
        frame.setAttribute("role", "region");
        frame.setAttribute("aria-label", frame.dataset.scrolls);
      }
    }
  }

  document.addEventListener("htmx:afterSettle", () => {
    nameScrollers();
    restorePlace();
    announceChanges();
  });
  announceChanges();
  nameScrollers();
  find(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  showCarriedToast();
})();
