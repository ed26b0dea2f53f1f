// Fields for files: dropped anywhere on the page that has one, their names, how far they are sent.
"use strict";

(() => {
  const find = (selector) => document.querySelector(selector);
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  // ---- a file dropped beside the field would be opened instead of the page ----

  document.addEventListener("dragover", (event) => {
    const drop = find(".drop");
    if (!drop || !hasFiles(event)) return;
    drop.classList.add("over");
    if (!event.target.closest?.(".drop")) event.preventDefault();
  });

  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) find(".drop")?.classList.remove("over");
  });

  document.addEventListener("drop", (event) => {
    const drop = find(".drop");
    drop?.classList.remove("over");
    if (!drop || !hasFiles(event) || event.target.closest?.(".drop")) return;
    event.preventDefault();
    const field = drop.querySelector("input[type=file]");
    field.files = some(event.dataTransfer.files, field.multiple);
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.form.scrollIntoView({ block: "nearest" });
    field.form.querySelector(".button.primary")?.focus();
  });

  function some(files, multiple) {
    const taken = new DataTransfer();
    for (const file of multiple ? files : [...files].slice(0, 1)) taken.items.add(file);
    return taken.files;
  }

  document.addEventListener("change", (event) => {
    const drop = event.target.closest(".drop");
    if (!drop) return;
    const names = [...event.target.files].map((file) => file.name);
    const text = drop.querySelector("[data-drop-text]");
    text.dataset.empty ??= text.textContent;
    drop.classList.toggle("filled", names.length > 0);
    text.textContent = names.join(", ") || text.dataset.empty;
  });

  // ---- how far they are sent; then Portal reads them, for as long as that takes ----

  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = event.target.querySelector?.("[data-upload-progress]");
    const { lengthComputable, loaded, total } = event.detail;
    if (!bar || !lengthComputable || !total) return;
    bar.parentElement.hidden = false;
    bar.max = total;
    bar.value = loaded;
    const isSent = loaded === total;
    if (isSent) bar.removeAttribute("value");
    say(bar, isSent ? "Sent; Portal reads what is in it…" : `${Math.floor((100 * loaded) / total)} % sent`);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const bar = event.target.querySelector?.("[data-upload-progress]");
    if (!bar || event.detail.successful) return;
    bar.parentElement.hidden = true;
    say(bar, "");
  });

  function say(bar, text) {
    const said = bar.parentElement.querySelector("[data-upload-said]");
    if (said) said.textContent = text;
  }
})();
