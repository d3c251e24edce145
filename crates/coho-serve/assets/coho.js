// What pages do with a script, and work without: the session, times in the reader's zone, live parts, keys.
"use strict";

// The only way from a text to markup. It takes pages of this server, and gives a document that nothing runs in.
const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("coho", { createHTML: (text) => text })
  : { createHTML: (text) => text };
const parsed = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html").body;

// ---- The door: the token is in the fragment, which no server and no log sees.
async function enter() {
  const token = location.hash.startsWith("#") ? location.hash.slice(1) : "";
  history.replaceState(null, "", location.pathname + location.search);
  if (!token) {
    // A link from elsewhere comes without the cookie; a request from this page has it.
    const known = await fetch("/session", { headers: { accept: "text/plain" } });
    if (known.status === 204) location.reload();
    return;
  }
  const body = new URLSearchParams({ token });
  const answer = await fetch("/session", { method: "POST", body, redirect: "manual" });
  if (answer.type === "opaqueredirect" || answer.ok) location.reload();
}

// ---- Times: the reader's zone, with UTC beside it or, in tables and lists, when pointed at.
const clock = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    // Where there is room, UTC stands beside it.
    const elsewhere = moment.getTimezoneOffset() !== 0;
    const utc = elsewhere && time.hasAttribute("data-utc") && time.title ? ` (${time.title})` : "";
    time.textContent = clock.format(moment) + utc;
  }
}

// ---- Live parts: the page comes again when it changed; only what differs is touched, so that focus, selection, scrolling
// and what somebody unfolded stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || "") !== (fresh.id || "")) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.nodeName === "DETAILS" && name === "open") continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(old.nodeName)) return;
  children(old, fresh);
}

function children(old, fresh) {
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const known = next.id ? named.get(next.id) : undefined;
    if (known && known !== at) {
      old.insertBefore(known, at);
      morph(known, next);
    } else if (known || (at && !at.id && !next.id && at.nodeName === next.nodeName)) {
      const after = at.nextSibling;
      morph(at, next);
      at = after;
    } else {
      old.insertBefore(next, at);
    }
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
}

const main = document.getElementById("main");
const light = document.getElementById("live");
let stream;
function say(text, state) {
  light.textContent = text;
  light.className = `live ${state}`;
}
function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource(location.pathname + location.search);
  stream.addEventListener("open", () => say("live", "on"));
  stream.addEventListener("error", () => say("reconnecting", "off"));
  stream.addEventListener("page", (event) => {
    const fresh = parsed(event.data);
    localTimes(fresh);
    copyButtons(fresh);
    children(main, fresh);
  });
}
// A browser has six connections for a server: a tab that nobody sees gives its own back.
function pause() {
  if (stream) stream.close();
  stream = undefined;
  say("paused", "");
}

// ---- Keys: letters lead to pages, j and k through what is listed.
const ways = { h: "/", r: "/runs", s: "/rows", p: "/project", l: "/plan", y: "/playground" };
let leads = false;
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName)) return;
  if (leads && ways[event.key]) location.assign(ways[event.key]);
  leads = event.key === "g";
  if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { search.focus(); event.preventDefault(); }
  }
}
function step(by) {
  const stops = [...main.querySelectorAll(".causes a, .rows .key, .story summary, tbody th a, tbody td:first-child a")];
  const at = stops.indexOf(document.activeElement);
  const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : at + by];
  if (next) next.focus();
}

// ---- Texts to copy: a button is there where the browser can.
function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}
async function onCopy(event) {
  const button = event.target.closest && event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  say("copied", "on");
}

// ---- The playground: what is typed is tried once a short pause comes; a form that is still under way is given up.
let pause_typing, under_way;
function retry_soon(form) {
  clearTimeout(pause_typing);
  pause_typing = setTimeout(() => try_now(form), 300);
}
async function try_now(form) {
  if (under_way) under_way.abort();
  under_way = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: under_way.signal });
    if (!answer.ok) return;
    const fresh = parsed(await answer.text());
    for (const id of ["results", "columns"]) {
      const [old, next] = [document.getElementById(id), fresh.querySelector(`#${id}`)];
      if (old && next) children(old, next);
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

// ---- Completion: behind a `|` the names of filters, elsewhere those of columns.
const list = document.createElement("ul");
list.className = "complete";
list.id = "complete";
list.setAttribute("role", "listbox");
list.hidden = true;
function names(id) {
  const text = document.getElementById(id)?.textContent || "";
  return text.split(" ").filter(Boolean);
}
function word_at(area) {
  const before = area.value.slice(0, area.selectionStart);
  const word = before.match(/[\w-]*$/)[0];
  const head = before.slice(0, before.length - word.length);
  return { word, filters: /\|\s*$/.test(head), named: /(\|\s*|\.|\{\{-?\s*|:\s*)$/.test(head) };
}
function offer(area) {
  const { word, filters, named } = word_at(area);
  const found = names(filters ? "filters" : "columns").filter((name) => name.startsWith(word) && name !== word);
  list.hidden = found.length === 0 || (!word && !filters) || !named;
  if (list.hidden) return;
  list.replaceChildren(...found.slice(0, 12).map((name, at) => {
    const item = document.createElement("li");
    item.textContent = name;
    item.id = `complete-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(at === 0));
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(area, name); });
    return item;
  }));
  area.setAttribute("aria-activedescendant", "complete-0");
}
function take(area, name) {
  const { word } = word_at(area);
  area.setRangeText(name, area.selectionStart - word.length, area.selectionStart, "end");
  list.hidden = true;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
function choose(event, area) {
  if (list.hidden) return;
  const items = [...list.children];
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    const next = (at + by + items.length) % items.length;
    items[at].setAttribute("aria-selected", "false");
    items[next].setAttribute("aria-selected", "true");
    area.setAttribute("aria-activedescendant", items[next].id);
  } else if (event.key === "Enter" || event.key === "Tab") take(area, items[at].textContent);
  else if (event.key === "Escape") list.hidden = true;
  else return;
  event.preventDefault();
}
function playground(form) {
  form.addEventListener("input", () => retry_soon(form));
  const area = form.querySelector("[data-complete]");
  area.after(list);
  area.setAttribute("aria-controls", list.id);
  area.addEventListener("input", () => offer(area));
  area.addEventListener("keydown", (event) => choose(event, area));
  area.addEventListener("blur", () => { list.hidden = true; });
}

if (document.body.hasAttribute("data-door")) {
  enter();
} else {
  localTimes(document);
  copyButtons(document);
  document.addEventListener("keydown", onKey);
  const form = document.querySelector("form[data-try]");
  if (form) playground(form);
  document.addEventListener("click", onCopy);
  if (main.hasAttribute("data-live")) {
    listen();
    document.addEventListener("visibilitychange", () => (document.hidden ? pause() : listen()));
    // A page that is left keeps no stream, also where the browser keeps the page for the way back.
    addEventListener("pagehide", pause);
    addEventListener("pageshow", listen);
  }
}
