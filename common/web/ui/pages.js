// What helps where scripts run; every page works without it.
"use strict";

// A form that is being sent is not sent twice; coming back to the page makes it ready again.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});

// What only a script can do is shown only where one runs.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Scans: larger, smaller, turned. The steps are classes of the style sheet.
for (const scan of document.querySelectorAll("[data-scan]")) {
  const tools = scan.querySelector(".scan-tools");
  const pages = scan.querySelector(".scan-pages");
  if (!tools || !pages) continue;
  tools.hidden = false;
  let zoom = 0;
  let turn = 0;
  const show = () => {
    pages.className = `scan-pages zoom-${zoom} turn-${turn}`;
  };
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.zoom === "in") zoom = Math.min(zoom + 1, 4);
    else if (button.dataset.zoom === "out") zoom = Math.max(zoom - 1, 0);
    else turn = (turn + 1) % 4;
    show();
  });
}

// The line that says up to when, as it moves. Only a change between complete and not complete is announced.
const live = document.querySelector("[data-live]");
if (live) {
  const source = new EventSource("/live");
  source.addEventListener("as-of", (event) => {
    const [state, line, words, ...bars] = event.data.split("\n");
    live.textContent = line;
    live.className = `live live-${state}`;
    if (state !== live.dataset.live) document.querySelector("[data-said]").textContent = words;
    live.dataset.live = state;
    // What goes forward is shown while it does.
    for (const bar of bars) {
      const [, name, done, all, told] = bar.match(/^(\S+) (\d+) (\d+) (.*)$/);
      const shown = document.querySelector(`[data-bar="${name}"]`);
      shown.hidden = Number(done) >= Number(all);
      shown.querySelector("span").textContent = told;
      Object.assign(shown.querySelector("progress"), { max: Number(all) || 1, value: Number(done) });
    }
  });
  source.addEventListener("over", () => source.close());
}

// The message about what went wrong is read first.
document.getElementById("problem")?.focus();

// The parts that orders on the chosen form do not have are put away, unless something stands in them.
const form = document.querySelector("[data-form]");
form?.addEventListener("change", () => {
  const parts = form.selectedOptions[0]?.dataset.parts?.split(" ");
  for (const part of document.querySelectorAll("[data-part]")) {
    const filled = [...part.querySelectorAll("input, select")].some((field) => (field.type === "checkbox" ? field.checked : field.value));
    part.hidden = !!parts && !parts.includes(part.dataset.part) && !filled;
  }
});

// What stands in a form that can be gone on with is kept on the machine while it is typed, a few seconds behind.
const typed = document.querySelector("form[data-keep]");
if (typed?.elements.key) {
  const now = () => new URLSearchParams(new FormData(typed)).toString();
  let kept = now();
  setInterval(async () => {
    const text = now();
    if (typed.dataset.sent || text === kept) return;
    const body = new URLSearchParams(text);
    body.append("from", location.pathname);
    const answer = await fetch("/draft", { method: "POST", body, redirect: "manual" }).catch(() => {});
    if (answer?.ok) kept = text;
  }, 5000);
}

// A screen that is left alone is locked, and what stands in its form goes along to be kept.
const idle = Number(document.body.dataset.idle) * 1000;
if (idle > 0) {
  const warning = Math.min(120000, idle / 2);
  const dialog = document.getElementById("idle");
  let last = Date.now();
  let told = last;
  const lock = () => {
    const form = document.querySelector("form[data-keep]") ?? document.getElementById("lock");
    if (form.id !== "lock") {
      const from = document.createElement("input");
      from.type = "hidden";
      from.name = "from";
      from.value = location.pathname;
      form.append(from);
      form.action = "/lock";
      form.noValidate = true;
    }
    form.submit();
  };
  const active = () => {
    last = Date.now();
    if (dialog.open) dialog.close();
    // The machine is told once a minute that somebody is here.
    if (last - told > Math.min(60000, idle / 4)) {
      told = last;
      fetch("/pulse", { cache: "no-store" }).catch(() => {});
    }
  };
  for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, active, { passive: true });
  dialog.querySelector("[data-stay]").addEventListener("click", active);
  setInterval(() => {
    const quiet = Date.now() - last;
    if (quiet >= idle) lock();
    else if (quiet >= idle - warning && !dialog.open) dialog.showModal();
  }, 1000);
}
