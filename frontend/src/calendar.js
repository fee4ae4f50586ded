// The content calendar:
//   <div data-calendar data-feed-url data-compose-url data-zone="Asia/Tokyo" data-first-day="1" data-text-...></div>
// with components/_calendar_toolbar.html above it and components/_calendar_move.html below. All state that is worth
// a bookmark stands in the address: ?view=month|week|day|list&date=2026-11-22 and the fields of [data-calendar-filters].
//
// The feed answers GET ?start=&end= (+ filters) with what repeats told once:
//   {events: [{post, title, start, state, accounts: [place], editable, campaign?: place, labels?: [place]}],
//    states: {state: {label, tone}}, accounts: [{icon, name, handle}], campaigns: [name], labels: [{tone, name}],
//    post_url, move_url, note_url (with "{id}"), is_cut,
//    quiet: [{title, text, start, end, days: [first, day after the last]}], notes: [{id, title, tone, days}],
//    holidays: [{day, title}], slots: [{start, accounts: [place], url}]}
// A move POSTs local_time=YYYY-MM-DDTHH:MM (wall time in the brand's zone) to move_url; JSON {"message"?, "undo_url"?} or
// {"error"}. While several posts are chosen ([data-calendar-select]), a click, a tap, Enter or Space on a post chooses it.
import "temporal-polyfill/global";
import { Calendar } from "fullcalendar";
import dayGrid from "fullcalendar/daygrid";
import interaction from "fullcalendar/interaction";
import list from "fullcalendar/list";
import ja from "fullcalendar/locales/ja";
import classicTheme from "fullcalendar/themes/classic";
import timeGrid from "fullcalendar/timegrid";
import htmx from "htmx.org";
import { failureText, onElements, pageLanguage, postForm, RequestFailed, text } from "./page.js";
import { showChosen } from "./behaviours/bulk_select.js";
import { showToast } from "./behaviours/toasts.js";

const VIEWS = { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay", list: "listFourWeeks" };
const NAMES = Object.fromEntries(Object.entries(VIEWS).map(([name, view]) => [view, name]));
const DAY_MS = 24 * 60 * 60 * 1000;
const PHONE = matchMedia("(max-width: 575.98px)");

/** A date as FullCalendar prints it in the calendar's zone, cut to minutes: 2026-11-22T09:00 */
const wallTime = (iso) => (iso.length > 10 ? iso.slice(0, 16) : `${iso}T00:00`);

function element(tag, className, content = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (content) made.textContent = content;
  return made;
}

function iconElement(sprite, name, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon icon-sm");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  return svg;
}

function start(holder) {
  const { feedUrl, composeUrl, noteUrl, zone, firstDay } = holder.dataset;
  const sprite = document.body.dataset.sprite;
  const filters = document.querySelector("form[data-calendar-filters]");
  const title = document.querySelector("[data-calendar-title]");
  const busy = document.querySelector("[data-calendar-busy]");
  const quietList = document.querySelector("[data-calendar-quiet]");
  const cut = document.querySelector("[data-calendar-cut]");
  const address = new URL(location.href);
  const wanted = address.searchParams.get("view");
  const bar = document.querySelector("[data-bulk-bar]");
  const selectButton = document.querySelector("[data-calendar-select]");
  const picked = new Set();
  let isPicking = false;
  let isDragging = false;

  const filterPairs = () => (filters ? [...new FormData(filters)].filter(([, value]) => value !== "") : []);

  function remember() {
    const query = new URLSearchParams(filterPairs());
    query.set("view", NAMES[calendar.view.type]);
    query.set("date", calendar.formatIso(calendar.getDate(), true).slice(0, 10));
    history.replaceState(null, "", `${location.pathname}?${query}`);
  }

  async function load(range) {
    const query = new URLSearchParams(filterPairs());
    query.set("start", range.start.toISOString());
    query.set("end", range.end.toISOString());
    let response;
    try {
      response = await fetch(`${feedUrl}?${query}`, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    } catch {
      throw new RequestFailed(0, failureText(0));
    }
    if (!response.ok || response.redirected) {
      const status = response.redirected ? 401 : response.status;
      throw new RequestFailed(status, failureText(status));
    }
    return eventsOf(await response.json());
  }

  /** In words above the calendar (the list has nothing to shade, and colour alone tells nobody), shaded in its
   *  grids: hours where there are hours, whole days in a month. */
  function quietOf(periods) {
    if (quietList) {
      quietList.hidden = !periods.length;
      quietList.replaceChildren(
        ...periods.map((period) => {
          const line = element("li");
          line.append(iconElement(sprite, "moon"), element("strong", "", period.title), element("span", "text-secondary", period.text));
          return line;
        }),
      );
    }
    return periods.flatMap(({ title: words, start: from, end: until, days }) => [
      { title: words, start: from, end: until, display: "background" },
      { title: words, start: days[0], end: days[1], allDay: true, display: "background" },
    ]);
  }

  function eventsOf(answer) {
    if (cut) cut.hidden = !answer.is_cut;
    const posts = answer.events.map(({ post, title: words, start: at, state, accounts, editable, campaign, labels = [] }) => ({
      id: `${post} ${at}`,
      post,
      title: words || text("untitled", {}, holder),
      start: at,
      editable,
      url: answer.post_url.replace("{id}", post),
      move_url: answer.move_url.replace("{id}", post),
      rank: 0,
      state,
      state_label: answer.states[state].label,
      tone: answer.states[state].tone,
      platforms: accounts.map((place) => answer.accounts[place]),
      campaign: answer.campaigns[campaign] ?? "",
      labels: labels.map((place) => answer.labels[place]),
    }));
    const days = [
      ...answer.holidays.map(({ day, title: words }) => ({ title: words, start: day, allDay: true, editable: false, interactive: false, tone: "red", sign: "confetti", kind: text("holiday", {}, holder) })),
      ...answer.notes.map(({ id, title: words, tone, days: [from, until] }) => ({
        id: `note ${id}`,
        title: words,
        start: from,
        end: until,
        allDay: true,
        editable: false,
        tone,
        sign: "note",
        kind: text("note", {}, holder),
        url: answer.note_url.replace("{id}", id) || undefined,
        interactive: Boolean(answer.note_url),
      })),
    ];
    const free = (answer.slots).map(({ start: at, accounts, url }) => ({
      id: `slot ${at} ${accounts[0]}`,
      title: text("slot", {}, holder),
      start: at,
      editable: false,
      url,
      is_slot: true,
      rank: 1,
      platforms: accounts.map((place) => answer.accounts[place]),
    }));
    return [...posts, ...days, ...free, ...quietOf(answer.quiet)];
  }

  async function move(event, localTime) {
    const body = new FormData();
    body.set("local_time", localTime);
    const answer = await postForm(event.extendedProps.move_url, body);
    const undo = answer.undo_url && { text: text("undo", {}, holder), run: () => takeBack(answer.undo_url) };
    showToast({ level: "success", text: answer.message || text("moved", {}, holder), action: undo });
  }

  async function takeBack(url) {
    try {
      showToast({ level: "success", text: (await postForm(url, new FormData())).message });
    } catch (error) {
      showToast({ level: "error", text: error.message });
    }
    calendar.refetchEvents();
  }

  /** A dialog of the server's, on the calendar. */
  function openDialog(url) {
    const target = new URL(url, location.href);
    target.searchParams.set("next", location.pathname + location.search);
    htmx.ajax("GET", target.pathname + target.search, { target: "#calendar-dialog", swap: "innerHTML" });
  }

  // --- several posts at once

  function pick(event) {
    const { post } = event.extendedProps;
    if (!post) return;
    if (!picked.delete(post)) picked.add(post);
    showPicked();
  }

  function showPicked() {
    for (const event of calendar.getEvents()) {
      const { post } = event.extendedProps;
      if (post && picked.has(post) !== Boolean(event.extendedProps.is_picked)) event.setExtendedProp("is_picked", picked.has(post));
    }
    showChosen(bar, picked.size);
  }

  function setPicking(isOn) {
    isPicking = isOn;
    selectButton.setAttribute("aria-pressed", String(isOn));
    selectButton.classList.toggle("active", isOn);
    holder.classList.toggle("is-picking", isOn);
    calendar.setOption("eventStartEditable", !isOn);
    bar.hidden = !isOn;
    if (!isOn) picked.clear();
    showPicked();
  }

  selectButton?.addEventListener("click", () => setPicking(!isPicking));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isPicking && !document.querySelector("dialog[open]")) {
      setPicking(false);
      selectButton.focus();
    }
  });
  bar?.addEventListener("submit", () => {
    for (const old of bar.querySelectorAll("input[name=post]")) old.remove();
    for (const post of picked) {
      const field = element("input");
      Object.assign(field, { type: "hidden", name: "post", value: post });
      bar.append(field);
    }
  });

  // FullCalendar leaves the time out where it finds the cell narrow; a plan without times is none.
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false };

  function content({ event, view }) {
    const { state_label: stateLabel, platforms = [], campaign = "", labels = [], sign, kind, is_picked: isPicked, is_slot: isSlot } = event.extendedProps;
    const isList = view.type.startsWith("list");
    if (sign) return { domNodes: [dayContent(event, isList, sign, kind)] };
    const row = element("div", `${isList ? "cal-row" : "cal-event"}${isSlot ? " cal-slot" : ""}`);
    if (isPicked) {
      row.classList.add("is-picked");
      row.append(iconElement(sprite, "check", text("picked", { title: "" }, holder).trim()));
    }
    row.append(element("span", "cal-time", calendar.formatDate(event.start, clock)));
    const networks = element("span", "cal-networks");
    for (const platform of platforms) networks.append(iconElement(sprite, platform.icon, platform.name));
    // A grid's event is a link as a whole; a row of the list is none, as a button stands in it.
    const words = element(isList ? "a" : "span", isList ? "cal-title text-reset" : "cal-title", event.title);
    if (isList) words.href = event.url;
    row.append(networks, words);
    if (campaign && isList) row.append(element("span", "cal-campaign", campaign));
    else if (campaign) {
      row.append(iconElement(sprite, "speakerphone", campaign));
      row.title = campaign;
    }
    for (const { tone, name } of labels) {
      const mark = element("span", isList ? `label tone-${tone}` : `cal-label tone-${tone}`, isList ? name : "");
      if (!isList) {
        mark.title = name;
        mark.append(element("span", "visually-hidden", name));
      }
      row.append(mark);
    }
    if (isSlot) return { domNodes: [row] };
    if (isList) {
      row.append(element("span", "state cal-state", stateLabel));
      if (event.startEditable && event.extendedProps.move_url) {
        const button = element("button", "btn btn-sm cal-move", text("move", {}, holder));
        button.type = "button";
        button.dataset.calendarMove = event.id;
        button.setAttribute("aria-label", text("move-label", { title: event.title }, holder));
        row.append(button);
      }
    } else {
      row.append(element("span", "visually-hidden", stateLabel));
    }
    return { domNodes: [row] };
  }

  /** A holiday or a note. */
  function dayContent(event, isList, sign, kind) {
    const row = element("div", isList ? "cal-row cal-day" : "cal-event cal-day");
    row.append(iconElement(sprite, sign, kind));
    row.append(element("span", "cal-title", event.title));
    row.title = event.title;
    return row;
  }

  const isJapanese = pageLanguage().startsWith("ja");
  const firstView = VIEWS[wanted] ?? (PHONE.matches ? VIEWS.list : VIEWS.month);
  // Grids are as high as the window has room (a week opens where the working day begins), lists as they need.
  const heightOf = (view) => (view.startsWith("list") ? "auto" : Math.max(PHONE.matches ? 420 : 720, innerHeight - 250));

  /** The title of several days. Japanese has its month alone for a week, and 2026/11/23 for the days of a list. */
  function titleOf(view) {
    if (!isJapanese || ![VIEWS.week, VIEWS.list].includes(view.type)) return view.title;
    const [from, to] = [view.currentStart, new Date(view.currentEnd.getTime() - DAY_MS / 2)].map((at) => calendar.formatIso(at, true).slice(0, 10).split("-").map(Number));
    const end = `${to[0] === from[0] ? "" : `${to[0]}年`}${to[0] === from[0] && to[1] === from[1] ? "" : `${to[1]}月`}${to[2]}日`;
    return `${from[0]}年${from[1]}月${from[2]}日～${end}`;
  }

  const calendar = new Calendar(holder, {
    plugins: [dayGrid, timeGrid, list, interaction, classicTheme],
    locales: [ja],
    locale: isJapanese ? "ja" : "en-GB", // days before months, as everywhere else on the pages
    timeZone: zone || "UTC",
    firstDay: Number(firstDay || 0),
    headerToolbar: false,
    initialView: firstView,
    initialDate: /^\d{4}-\d{2}-\d{2}$/.test(address.searchParams.get("date") ?? "") ? address.searchParams.get("date") : undefined,
    views: {
      listFourWeeks: { type: "list", duration: { weeks: 4 }, eventOrder: "start" },
      timeGridWeek: { titleFormat: { year: "numeric", month: "short", day: "numeric" } },
      // Japanese would have "29日日曜日".
      timeGridDay: { dayHeaderFormat: { month: "short", day: "numeric", weekday: "short" } },
      dayGridMonth: { dayMaxEvents: PHONE.matches ? 2 : true, fixedWeekCount: false },
    },
    height: heightOf(firstView),
    nowIndicator: true,
    allDaySlot: true,
    allDayText: text("all-day", {}, holder),
    slotEventOverlap: false,
    scrollTime: "08:00:00",
    slotDuration: "00:30:00",
    snapDuration: "00:05:00",
    defaultTimedEventDuration: "00:30:00",
    eventDurationEditable: false,
    longPressDelay: 600, // a finger that rests on a post picks it up; a shorter one scrolls
    navLinks: true,
    navLinkDayClick: (date) => change("day", date),
    noEventsText: text("empty", {}, holder),
    noEventsInnerClass: "cal-nothing",
    // Named for screen readers only; the calendar's own Japanese leaves them in English.
    eventsHint: text("posts", {}, holder),
    timedText: text("time", {}, holder),
    eventDisplay: "block",
    // Where a day has no room for everything, posts come before free slots.
    eventOrder: "rank,start,title",
    slotHeaderFormat: clock,
    events: load,
    lazyFetching: false,
    eventSourceFailure: (error) => showToast({ level: "error", text: error.message }),
    loading: (isLoading) => {
      busy?.toggleAttribute("hidden", !isLoading);
      holder.setAttribute("aria-busy", String(isLoading));
    },
    datesSet: ({ view }) => {
      if (calendar.getOption("height") !== heightOf(view.type)) calendar.setOption("height", heightOf(view.type));
      if (title) title.textContent = titleOf(view);
      for (const button of document.querySelectorAll("[data-calendar-view]")) {
        const isCurrent = VIEWS[button.dataset.calendarView] === view.type;
        button.setAttribute("aria-pressed", String(isCurrent));
        button.classList.toggle("active", isCurrent);
      }
      queueMicrotask(remember);
    },
    dayCellDidMount: ({ el, date, view }) => {
      if (!composeUrl || view.type !== VIEWS.month || date.getTime() + DAY_MS < Date.now()) return;
      const day = calendar.formatIso(date, true);
      const add = element("a", "cal-add", "+");
      add.href = composeAddress(day);
      add.setAttribute("aria-label", `${text("add", {}, holder)} (${day})`);
      el.append(add);
      if (!noteUrl) return;
      const note = element("a", "cal-add cal-add-note");
      note.append(iconElement(sprite, "note"));
      note.href = `${noteUrl}?date=${day}`;
      note.dataset.calendarNote = "";
      note.setAttribute("aria-label", `${text("add-note", {}, holder)} (${day})`);
      el.append(note);
    },
    eventClick: ({ event, jsEvent }) => {
      if (event.extendedProps.sign || isPicking) jsEvent.preventDefault();
      if (isPicking) pick(event);
      else if (event.extendedProps.sign && event.url) openNote(new URL(event.url, location.href));
    },
    eventClass: ({ event }) => `tone-${event.extendedProps.tone ?? "secondary"}`,
    listItemEventBeforeClass: "d-none", // the theme's dot: the line at the left says its colour
    eventContent: content,
    // Grids of hours shade the hours alone; in a month the name would lie over the numbers of the days.
    backgroundEventClass: ({ event, view }) => (event.allDay && view.type.startsWith("timeGrid") ? "cal-quiet-none" : "cal-quiet"),
    backgroundEventContent: ({ event, view }) => ({
      domNodes: view.type.startsWith("timeGrid") ? [element("span", "cal-quiet-title", event.title)] : [],
    }),
    dateClick: ({ dateStr, date, allDay }) => {
      if (!composeUrl || isPicking) return;
      const end = date.getTime() + (allDay ? DAY_MS : 0);
      if (end < Date.now()) return; // nothing can be planned for a time that is over
      location.assign(composeAddress(allDay ? dateStr.slice(0, 10) : wallTime(dateStr)));
    },
    eventDragStart: () => (isDragging = true),
    eventDragStop: () => (isDragging = false),
    eventDrop: async (info) => {
      try {
        await move(info.event, wallTime(info.event.startStr));
      } catch (error) {
        info.revert();
        const denied = error.status === 403 && text("move-denied", {}, holder);
        showToast({ level: "error", text: denied || error.message });
      }
    },
  });

  // A finger that drags a post must not scroll the grid as well. FullCalendar sees to that at the window, but picking
  // a post up draws it anew: what the finger lies on is no longer in the page then, and its events reach nobody else.
  holder.addEventListener(
    "touchstart",
    ({ target }) => {
      const keep = (event) => isDragging && event.cancelable && event.preventDefault();
      target.addEventListener("touchmove", keep, { passive: false });
      const release = () => target.removeEventListener("touchmove", keep);
      for (const end of ["touchend", "touchcancel"]) target.addEventListener(end, release, { once: true });
    },
    { passive: true },
  );

  function composeAddress(day) {
    const target = new URL(composeUrl, location.href);
    target.searchParams.set("date", day);
    return target.href;
  }

  function change(view, date) {
    calendar.changeView(VIEWS[view], date);
  }

  function openNote(url) {
    for (const [name, value] of filterPairs()) if (name === "brand") url.searchParams.set(name, value);
    openDialog(url);
  }

  document.addEventListener("click", (event) => {
    const note = event.target.closest("[data-calendar-note]");
    if (note && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const url = new URL(note.href, location.href);
      if (!url.searchParams.has("date")) url.searchParams.set("date", calendar.formatIso(calendar.getDate(), true).slice(0, 10));
      openNote(url);
      return;
    }
    const nav = event.target.closest("[data-calendar-nav]");
    if (nav) {
      event.preventDefault();
      calendar[nav.dataset.calendarNav]();
      return;
    }
    const view = event.target.closest("[data-calendar-view]");
    if (view) {
      event.preventDefault();
      change(view.dataset.calendarView);
    }
  });
  // A space chooses, as it does with a check box; in the list a row has a link of its own.
  holder.addEventListener("keydown", (event) => {
    if (!isPicking || event.key !== " " || !event.target.closest(".fc-event, a, [class*=event]")) return;
    event.preventDefault();
    event.target.click();
  });
  // Before FullCalendar sees it: the row itself is a link to the post.
  holder.addEventListener("click", (event) => {
    const button = event.target.closest("[data-calendar-move]");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    askWhere(calendar.getEventById(button.dataset.calendarMove), button);
  }, true);

  const dialog = document.getElementById("calendar-move");
  function askWhere(event, button) {
    const form = dialog.querySelector("form");
    dialog.querySelector("[data-calendar-move-title]").textContent = event.title;
    form.elements.local_time.value = wallTime(event.startStr);
    const refusal = form.querySelector("[data-calendar-move-error]");
    refusal.hidden = true;
    form.onsubmit = async (submit) => {
      submit.preventDefault();
      try {
        await move(event, form.elements.local_time.value);
        dialog.close();
        calendar.refetchEvents();
      } catch (error) {
        refusal.textContent = error.message;
        refusal.hidden = false;
      }
    };
    dialog.addEventListener("close", () => button.isConnected && button.focus(), { once: true });
    dialog.showModal();
  }

  filters?.addEventListener("change", (event) => {
    if (event.target.name === "brand") {
      // Another brand may live in another zone, and has other accounts to filter by.
      const query = new URLSearchParams(filterPairs().filter(([name]) => ["brand", "q", "state"].includes(name)));
      query.set("view", NAMES[calendar.view.type]);
      query.set("date", calendar.formatIso(calendar.getDate(), true).slice(0, 10));
      location.assign(`${location.pathname}?${query}`);
      return;
    }
    remember();
    calendar.refetchEvents();
  });
  filters?.addEventListener("submit", (event) => event.preventDefault());
  // What the worker has sent meanwhile shows its new colour without a reload.
  setInterval(() => {
    if (document.visibilityState === "visible" && !isDragging) calendar.refetchEvents();
  }, 60000);

  holder.replaceChildren();
  calendar.render();
}

onElements("[data-calendar]", start);
