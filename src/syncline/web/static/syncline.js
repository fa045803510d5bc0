// Menus are details elements and work without this; here they also close at Escape and at a click elsewhere.
(() => {
  "use strict";
  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();

// The card: whether an answer was sent, where the focus goes when a card is replaced, and copying the details.
// Everything works without this; htmx swaps the cards, here is only what it leaves open.
(() => {
  "use strict";
  const CARD = "[data-card]";
  let held = "";

  const cardOf = (event) => event.detail?.ctx?.sourceElement?.closest?.(CARD) ?? event.target.closest?.(CARD);

  // A button that is disabled or replaced loses the focus; the card remembers that it had it.
  document.addEventListener("focusin", (event) => {
    held = event.target.closest(CARD)?.id ?? "";
  });

  // The line that says the state takes the focus over, and is read out by that.
  const settle = () => {
    for (const button of document.querySelectorAll("button[data-copies][hidden]")) button.hidden = false;
    const lost = !document.activeElement || document.activeElement === document.body;
    if (held && lost) document.getElementById(held)?.querySelector(".state")?.focus();
  };

  const unsent = (card, hidden) => {
    for (const message of card?.querySelectorAll(".unsent") ?? []) message.hidden = hidden;
  };

  document.addEventListener("htmx:before:request", (event) => unsent(cardOf(event), true));
  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:error", (event) => unsent(cardOf(event), false));
  document.addEventListener("htmx:response:error", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 0) >= 500) unsent(cardOf(event), false);
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copies]");
    if (!button) return;
    const details = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(details.innerText);
      button.textContent = button.dataset.done;
    } catch {
      getSelection().selectAllChildren(details);
    }
  });

  settle();
})();
