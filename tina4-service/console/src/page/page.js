// Keeps an open page up to date, and sends its forms without leaving it. Without this file, everything works, too.
//
// The server renders; this file only compares. When the event stream says that something has changed, the page is
// fetched again, and each element with `data-live` whose HTML differs is replaced; of a row, each cell by itself. What
// somebody is using stays as it is: an element with the focus, an open <details>, a selection or a field that was
// filled in.
"use strict";

const live = document.getElementById("live");
const MIN_GAP = 500; // between two fetches, in ms
const GAP_FACTOR = 5; // a page that takes long to make is fetched less often
const POLL = 10_000; // without an event stream, in ms

let events = null;
let pollTimer = null;
let fetchTimer = null;
let again = false;
let nextFetch = 0;
// The HTML that each live element was made from.
const origins = new WeakMap();

/** The HTML of an element, without the texts that age by themselves. */
function html(element) {
  return element.outerHTML.replace(/(<time data-relative[^>]*>)[^<]*/g, "$1");
}

function isInUse(element) {
  const selection = document.getSelection();
  return element.contains(document.activeElement)
    || element.querySelector("details[open]") !== null
    || (!selection.isCollapsed && selection.containsNode(element, true))
    || [...element.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);
}

/** Replaces an element if it differs, or its parts. `forced`: also if it is in use. */
function merge(own, fresh, forced) {
  if (own.hasAttribute("data-parts") && own.children.length === fresh.children.length) {
    const parts = [...fresh.children];
    [...own.children].forEach((part, nth) => merge(part, parts[nth], forced));
    return;
  }
  if (!origins.has(own)) origins.set(own, html(own));
  const origin = html(fresh);
  if (origins.get(own) === origin) return;
  if (isInUse(own) && !forced) return;
  const focused = own.contains(document.activeElement) ? document.activeElement : null;
  origins.set(fresh, origin);
  own.replaceWith(fresh);
  if (focused) refocus(fresh, focused);
}

/** Puts the focus on what corresponds to the element that had it. */
function refocus(fresh, focused) {
  const same = focused.value && fresh.querySelector(`button[value="${CSS.escape(focused.value)}"]`);
  (same || fresh.querySelector("button, summary, a, input:not([type=hidden])"))?.focus();
}

function mergeRows(own, fresh) {
  let at = own.firstElementChild;
  for (const row of [...fresh.children]) {
    const known = document.getElementById(row.id);
    if (known && known === at) at = at.nextElementSibling;
    else own.insertBefore(known || row, at);
    if (known) merge(known, row, false);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

function mergePage(page) {
  document.title = page.title;
  for (const own of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(own.id);
    if (fresh) merge(own, fresh, false);
  }
  const [own, fresh] = [document, page].map((from) => from.querySelector("[data-rows]"));
  if (own && fresh) mergeRows(own, fresh);
}

async function load(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
  return [answer.ok, new DOMParser().parseFromString(await answer.text(), "text/html")];
}

/** Fetches this page again, soon. */
function refresh() {
  if (document.hidden) return;
  if (fetchTimer !== null) {
    // What is being fetched may be older than what has just changed.
    again = true;
    return;
  }
  fetchTimer = setTimeout(async () => {
    const start = Date.now();
    again = false;
    try {
      const [ok, page] = await load(location.href);
      if (ok) mergePage(page);
      say(!ok ? "no answer" : isOutdated(page) ? "new version, please reload" : events ? "live" : "every 10 s");
    } catch {
      say("not connected");
    } finally {
      fetchTimer = null;
      const took = Date.now() - start;
      nextFetch = Date.now() + Math.max(MIN_GAP, GAP_FACTOR * took);
      if (again) refresh();
    }
  }, Math.max(0, nextFetch - Date.now()));
}

/** Whether the program was replaced by one with another script. */
function isOutdated(page) {
  const [own, fresh] = [document, page].map((from) => from.querySelector("script")?.getAttribute("src"));
  return own !== fresh;
}

function say(text) {
  if (live.textContent !== text) live.textContent = text;
}

/** Sends a form, shows the answer, and leaves the focus where it was. */
async function send(event) {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const button = event.submitter;
  const area = form.closest("td, [data-live]");
  const status = document.getElementById("status");
  try {
    const body = new URLSearchParams(new FormData(form));
    // Without the attribute, the property is the address of the page.
    const url = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const [ok, answer] = await load(url, { method: "POST", body });
    const text = answer.getElementById(ok ? "status" : "problem");
    status.replaceChildren(...(text ? text.children : []));
    for (const line of status.children) line.classList.toggle("problem", !ok);
    if (!ok) return;
    form.reset();
    const page = (await load(location.href))[1];
    const row = area.closest("[data-parts]");
    const fresh = row
      ? page.getElementById(row.id)?.children[[...row.children].indexOf(area)]
      : page.getElementById(area.id);
    if (fresh) merge(area, fresh, true);
    mergePage(page);
  } catch {
    const line = document.createElement("p");
    line.className = "problem";
    line.textContent = "The program did not answer. Nothing is known about what became of the request.";
    status.replaceChildren(line);
  }
}

function connect() {
  const url = document.documentElement.dataset.events;
  if (!url || document.hidden || events) return;
  events = new EventSource(url);
  for (const kind of ["services", "open"]) events.addEventListener(kind, refresh);
  events.onerror = () => {
    if (events?.readyState !== EventSource.CLOSED) return say("not connected");
    // Refused, perhaps because too many pages are open.
    events = null;
    pollTimer ??= setInterval(refresh, POLL);
    say("every 10 s");
  };
}

/** Hidden pages hold no connection: a browser has six per server. */
function disconnect() {
  events?.close();
  events = null;
  clearInterval(pollTimer);
  pollTimer = null;
}

/** The words of `words.rs` for an instant. */
function words(at) {
  const ahead = Math.trunc((at - Date.now()) / 1000);
  const s = Math.abs(ahead);
  const two = (first, unit, second, small) => `${first} ${unit}${second ? ` ${second} ${small}` : ""}`;
  const span = s < 60 ? `${s} s`
    : s < 3600 ? `${Math.trunc(s / 60)} min`
    : s < 86_400 ? two(Math.trunc(s / 3600), "h", Math.trunc((s % 3600) / 60), "min")
    : two(Math.trunc(s / 86_400), "d", Math.trunc((s % 86_400) / 3600), "h");
  return s === 0 ? "now" : ahead > 0 ? `in ${span}` : `${span} ago`;
}

function age() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const text = words(Date.parse(time.dateTime));
    if (!Number.isNaN(Date.parse(time.dateTime)) && time.textContent !== text) time.textContent = text;
  }
}

document.addEventListener("submit", send);
document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", connect);
setInterval(age, 1000);
for (const element of document.querySelectorAll("[data-live], [data-parts] > *")) origins.set(element, html(element));
connect();
