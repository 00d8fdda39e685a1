// The page works without this script. With it: search as you type, and keys.
"use strict";
(() => {
  const root = document.documentElement;
  // What a one-time link carries behind its # goes into the form, and out of the address and the history.
  const code = document.getElementById("code");
  if (code && location.hash.length > 1) {
    code.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }

  const field = document.getElementById("q");
  if (!field) return;
  const form = field.form;
  root.classList.add("scripting");

  // Times in the reader's own zone.
  const showTimes = (within) => {
    for (const time of within.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      time.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    }
  };
  showTimes(document);

  // Search as you type: the same page is fetched, and its results take the place of these.
  const PAUSE_MS = 150;
  let timer = 0;
  let running = null;
  let shown = field.value.trim();

  const addressOf = (text) => {
    const parameters = new URLSearchParams();
    if (text) parameters.set("q", text);
    for (const chosen of form.querySelectorAll('input[type="hidden"]')) parameters.append(chosen.name, chosen.value);
    const query = parameters.toString();
    return query ? "/search?" + query : "/";
  };

  const search = async (remember) => {
    clearTimeout(timer);
    const text = field.value.trim();
    const address = addressOf(text);
    if (text === shown && !running) {
      if (remember) history.replaceState(null, "", address);
      return;
    }
    if (running) running.abort();
    const mine = (running = new AbortController());
    const results = document.getElementById("results");
    results.classList.add("waiting");
    try {
      const answer = await fetch(address, { signal: mine.signal, headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error("status " + answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== running) return;
      const fresh = document.importNode(page.getElementById("results"), true);
      showTimes(fresh);
      results.replaceWith(fresh);
      document.title = page.title;
      const heading = document.getElementById("heading");
      if (heading) document.getElementById("said").textContent = heading.textContent;
      history.replaceState(null, "", address);
      shown = text;
      running = null;
    } catch (error) {
      if (error.name === "AbortError") return;
      // Whatever it is, the browser shows it better than this script could.
      running = null;
      if (remember) location.assign(address);
      else results.classList.remove("waiting");
    }
  };

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (event.isComposing) return;
    timer = setTimeout(() => search(false), PAUSE_MS);
  });
  field.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(false), PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(true);
  });

  // Keys.
  const links = () => [...document.querySelectorAll(".hit .title a")];
  const move = (step) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    if (at + step < 0) {
      if (at === 0) field.focus();
      return at === 0;
    }
    const next = all[at + step];
    if (!next) return false;
    next.focus();
    next.closest(".hit").scrollIntoView({ block: "nearest" });
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    const typing = target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
    const onResult = target instanceof HTMLElement && target.matches(".hit .title a");
    let handled = false;
    if (event.key === "/" && !typing) {
      field.focus();
      field.select();
      handled = true;
    } else if (event.key === "ArrowDown" && (target === field || onResult)) {
      handled = move(1);
    } else if (event.key === "ArrowUp" && onResult) {
      handled = move(-1);
    } else if (event.key === "j" && !typing) {
      handled = move(1);
    } else if (event.key === "k" && !typing) {
      handled = move(-1);
    } else if (event.key === "Escape" && onResult) {
      field.focus();
      handled = true;
    }
    if (handled) event.preventDefault();
  });
})();
