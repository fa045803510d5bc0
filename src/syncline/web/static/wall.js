// The wall by keyboard: j and k go to the next and the previous card. No letter ever answers a question.
// Also: ticking all boxes of a page without loading it again. Both only add to what works without this.
(() => {
  "use strict";
  const TYPING = "input, select, textarea, [contenteditable]";
  const cards = () => [...document.querySelectorAll("[data-wall] article.card")];

  const place = (all) => {
    const inside = all.findIndex((card) => card.contains(document.activeElement));
    if (inside >= 0) return inside;
    return all.findIndex((card) => card.getBoundingClientRect().bottom > 0) - 1;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ((event.key !== "j" && event.key !== "k") || event.target.closest(TYPING)) return;
    const all = cards();
    const next = all[Math.max(0, place(all) + (event.key === "j" ? 1 : -1))];
    if (!next) return;
    if (!next.hasAttribute("tabindex")) next.setAttribute("tabindex", "-1");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-tick]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const boxes = [...document.querySelectorAll('input[name="id"][form="choose"]')];
    const tick = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = tick;
  });
})();
