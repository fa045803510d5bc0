// The Calendar as a grid: the days that stand in the page as a list, drawn by EventCalendar where there is room.
// It knows only what the list says, and writes by sending the page's own form.
(() => {
  "use strict";
  const grid = document.getElementById("calendar-grid");
  const list = document.getElementById("calendar-days");
  const form = document.getElementById("calendar-move");
  // What is being saved stands in the CRM within a second or two: look again.
  if (list?.querySelector("[data-saving]")) {
    const again = window.setTimeout(() => window.location.reload(), 1500);
    // Whoever has clicked on something goes there: a look again would take the click back.
    window.addEventListener("beforeunload", () => window.clearTimeout(again));
  }
  if (!grid || !list || !form || !window.EventCalendar || !window.matchMedia("(min-width: 600px)").matches) return;

  const marks = (entry) => {
    if ("saving" in entry.dataset) return ["saving"];
    return ["waits", "draft", "double"].filter((name) => entry.classList.contains(name));
  };
  const events = [...list.querySelectorAll(".entry")].map((entry) => {
    const link = entry.querySelector("a");
    const hours = (Date.parse(entry.dataset.end) - Date.parse(entry.dataset.start)) / 3_600_000;
    // What lasts a day or longer stands on top, where it hides nothing; it is moved in its form.
    const long = hours >= 24 && !("allDay" in entry.dataset);
    return {
      id: entry.id,
      title: link.textContent,
      start: entry.dataset.start,
      end: entry.dataset.end,
      allDay: long || "allDay" in entry.dataset,
      editable: !long && "move" in entry.dataset,
      classNames: ["waits", "double", "canceled", "draft"].filter((name) => entry.classList.contains(name)),
      extendedProps: {
        url: link.getAttribute("href"),
        move: entry.dataset.move,
        details: entry.querySelector(".more").textContent,
        marks: marks(entry).map((name) => grid.dataset[name]),
      },
    };
  });

  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const two = (number) => String(number).padStart(2, "0");
  const hour = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const moment = (at) => `${day(at)}T${hour(at)}`;

  const content = ({ event, timeText }) => {
    if (!event.extendedProps.url) return timeText; // the stretch that is being drawn with the mouse
    const link = document.createElement("a");
    link.href = event.extendedProps.url;
    link.textContent = event.title;
    link.dir = "auto";
    link.title = event.extendedProps.details;
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = [...event.extendedProps.marks, event.allDay ? "" : timeText].filter(Boolean).join(" · ");
    const on = document.createElement("span");
    on.className = "visually-hidden";
    on.textContent = event.start.toLocaleDateString(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long" });
    return { domNodes: [link, time, on] };
  };

  const move = ({ event }) => {
    form.action = `/calendar/${encodeURIComponent(event.extendedProps.move)}/move`;
    const write = event.allDay ? day : moment;
    form.elements.start.value = write(event.start);
    form.elements.end.value = write(event.end);
    form.submit();
  };

  const enter = ({ start, end, allDay }) => {
    const at = allDay ? `day=${day(start)}` : `start=${moment(start)}&end=${moment(end)}`;
    window.location.assign(`/calendar/new?${at}`);
  };

  // The component calls its boxes a table, but entries do not stand in its cells: plain boxes say nothing wrong.
  const plain = () => {
    for (const box of grid.querySelectorAll("[role]:not([role=button])")) {
      box.removeAttribute("role");
      box.removeAttribute("aria-colindex");
    }
  };

  const weekend = (at) => [0, 6].includes(new Date(at).getDay());
  grid.classList.toggle("empty-weekend", grid.dataset.view === "week" && !events.some((event) => weekend(event.start) || weekend(Date.parse(event.end) - 1)));

  list.remove();
  grid.hidden = false;
  EventCalendar.create(grid, {
    view: grid.dataset.view === "day" ? "timeGridDay" : "timeGridWeek",
    date: grid.dataset.date,
    events,
    locale: { en: "en-GB" }[document.documentElement.lang] ?? document.documentElement.lang,
    firstDay: 1,
    headerToolbar: { start: "", center: "", end: "" },
    allDayContent: grid.dataset.allDay,
    slotMinTime: "07:00",
    slotMaxTime: "19:00",
    flexibleSlotTimeLimits: true,
    slotHeight: 28,
    slotEventOverlap: false,
    slotLabelFormat: clock,
    eventTimeFormat: (start, end) => [start, end].filter((at, n) => !n || end > start).map(hour).join("–"),
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
    nowIndicator: Intl.DateTimeFormat().resolvedOptions().timeZone === grid.dataset.zone,
    eventContent: content,
    selectable: true,
    select: enter,
    eventDrop: move,
    eventResize: move,
    longPressDelay: 500,
    viewDidMount: plain,
  });
})();
