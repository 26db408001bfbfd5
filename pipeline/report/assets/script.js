"use strict";
// Filters, deep links and printing. Without it the page shows everything.
(() => {
  const find = (id) => document.getElementById(id);
  const bar = find("filters");
  if (!bar) return;
  document.documentElement.classList.add("js");

  const fields = ["words", "level", "source", "language", "since", "day"];
  const boxes = [...bar.querySelectorAll(".chips input")];
  const now = Number(bar.dataset.now); // minutes
  const stories = [...document.querySelectorAll(".story")].map((element) => ({
    element,
    hits: element.dataset.t.trim().split(" "),
    sources: element.dataset.s.split(" "),
    languages: element.dataset.l.split(" "),
    told: Number(element.dataset.w ?? -1), // minutes; old when first seen: never news
  }));
  const days = [...document.querySelectorAll(".day")].map((element) => ({
    element,
    count: element.querySelector(".count"),
    stories: stories.filter((story) => element.contains(story.element)),
  }));
  const grouped = (number) => number.toLocaleString("en");
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const textOf = (story) => (story.text ??= folded(story.element.textContent));

  function isNews(story, since, day) {
    if (!since || (since === "day" && !day)) return true;
    if (since === "run") return story.told >= Number(bar.dataset.now);
    const begin = since === "day" ? Date.parse(day) / 60000 : now - parseInt(since) * 1440;
    return story.told >= begin;
  }

  function apply() {
    const [words, level, source, language, since, day] = fields.map((id) => find(id).value);
    const wanted = folded(words).split(/\s+/).filter(Boolean);
    const themes = boxes.filter((box) => box.checked).map((box) => box.value);
    const levels = level ? [level] : ["f", "m"];
    const hits = new Set(themes.flatMap((theme) => levels.map((one) => theme + one)));
    const hasTheme = (hit) => (themes.length ? hits.has(hit) : levels.includes(hit.at(-1)));
    let shown = 0;
    for (const part of days) {
      let here = 0;
      for (const story of part.stories) {
        const fits =
          story.hits.some(hasTheme) &&
          (!source || story.sources.includes(source)) &&
          (!language || story.languages.includes(language)) &&
          isNews(story, since, day) &&
          wanted.every((word) => textOf(story).includes(word));
        if (story.element.hidden === fits) story.element.hidden = !fits;
        here += fits;
      }
      part.element.hidden = !here;
      part.count.textContent = grouped(here);
      shown += here;
    }
    const all = shown === stories.length;
    find("day-field").hidden = since !== "day";
    find("status").textContent = all
      ? `${grouped(shown)} stories`
      : `${grouped(shown)} of ${grouped(stories.length)} stories`;
    find("reset").hidden = all && !address();
    find("nothing").hidden = shown > 0 || !stories.length;
  }

  // What is filtered stands in the address, by names, so that it can be passed on.
  const nameOf = (id) => find(id).selectedOptions[0].dataset.name;
  function address() {
    const said = new URLSearchParams();
    for (const box of boxes) if (box.checked) said.append("theme", box.dataset.name);
    for (const id of fields) {
      const value = id === "source" ? nameOf(id) : find(id).value;
      if (value && (id !== "day" || find("since").value === "day")) said.set(id, value);
    }
    return said.toString();
  }
  function read(said) {
    for (const box of boxes) box.checked = said.getAll("theme").includes(box.dataset.name);
    for (const id of fields) {
      const value = said.get(id) ?? "";
      const option = id === "source" && [...find(id).options].find((one) => one.dataset.name === value);
      find(id).value = option ? option.value : id === "source" ? "" : value;
      if (find(id).selectedIndex === -1) find(id).value = ""; // not on this page
    }
  }
  function changed() {
    const said = address();
    history.replaceState(null, "", said ? `#${said}` : location.pathname + location.search);
    apply();
  }
  function reset() {
    read(new URLSearchParams());
    changed();
  }
  function only(name, value) {
    read(new URLSearchParams([[name, value]]));
    changed();
    find("stories").scrollIntoView();
    find("stories").focus({ preventScroll: true });
  }

  function arrive() {
    const place = decodeURIComponent(location.hash.slice(1));
    const target = place ? find(place) : null;
    const missing = place.startsWith("story-") && !target;
    find("elsewhere").hidden = !missing;
    if (place.includes("=")) {
      read(new URLSearchParams(location.hash.slice(1)));
      apply();
    }
    if (target?.hidden) {
      read(new URLSearchParams());
      apply();
    }
    if (target?.matches(".story")) {
      target.tabIndex = -1;
      target.focus({ preventScroll: true });
    }
    const goal = missing || place.includes("=") ? find("stories") : target;
    goal?.scrollIntoView();
    // Stories on the way get their true height only when they are near.
    requestAnimationFrame(() => requestAnimationFrame(() => goal?.scrollIntoView()));
  }

  let waiting;
  find("words").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, 120);
  });
  bar.addEventListener("change", (event) => event.target.id === "words" || changed());
  for (const button of [find("reset"), find("nothing").querySelector("button")]) {
    button.addEventListener("click", () => {
      reset();
      find("words").focus();
    });
  }
  for (const link of document.querySelectorAll("a[data-theme], a[data-since]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const box = boxes.find((one) => one.value === link.dataset.theme);
      if (link.dataset.since) only("since", link.dataset.since);
      else if (box) only("theme", box.dataset.name);
    });
  }
  addEventListener("hashchange", arrive);
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  apply();
  arrive();
})();
