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
  const AGAIN_MS = 2000;
  const TRIES_MAX = 15;
  const tries = new WeakMap();
  let held = "";
  let heard = null;

  const cardOf = (event) => event.detail?.ctx?.sourceElement?.closest?.(CARD) ?? event.target.closest?.(CARD);

  // A button that is disabled or replaced loses the focus; the card remembers that it had it.
  document.addEventListener("focusin", (event) => {
    held = event.target.closest(CARD)?.id ?? "";
  });

  const announce = (text) => {
    if (!heard) {
      heard = document.createElement("p");
      heard.className = "unseen";
      heard.setAttribute("role", "status");
      document.body.append(heard);
    }
    if (heard.textContent !== text) heard.textContent = text;
  };

  const settle = () => {
    for (const button of document.querySelectorAll("button[data-copies][hidden]")) button.hidden = false;
    const card = held && document.getElementById(held);
    if (!card) return;
    const state = card.querySelector(".state");
    if (document.activeElement === document.body || !document.activeElement) state?.focus();
    if (state) announce(state.textContent.trim());
  };

  const unsent = (card) => {
    if (!card) return;
    if (card.getAttribute("aria-busy") === "true") {
      const tried = (tries.get(card) ?? 0) + 1;
      tries.set(card, tried);
      if (tried <= TRIES_MAX) setTimeout(() => card.isConnected && card.dispatchEvent(new Event("again")), AGAIN_MS);
      return;
    }
    for (const message of card.querySelectorAll(".unsent")) message.hidden = false;
  };

  document.addEventListener("htmx:before:request", (event) => {
    const card = cardOf(event);
    for (const message of card?.querySelectorAll(".unsent") ?? []) message.hidden = true;
  });
  document.addEventListener("htmx:after:swap", () => settle());
  document.addEventListener("htmx:error", (event) => unsent(cardOf(event)));
  document.addEventListener("htmx:response:error", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 0) >= 500) unsent(cardOf(event));
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copies]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copies).innerText;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = button.dataset.done;
      announce(button.dataset.done);
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
    }
  });

  settle();
})();
