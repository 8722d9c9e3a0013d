// Conveniences of the editors' pages. Every page works without this file.
"use strict";

// On a phone the navigation is wider than the screen: show the current section.
const navigation = document.querySelector(".top ul"), current = navigation?.querySelector("[aria-current]");
if (current) navigation.scrollLeft = current.offsetLeft - navigation.offsetLeft - (navigation.clientWidth - current.offsetWidth) / 2;

// A form with data-confirm asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// An element with data-events follows the progress of long work. Each event is a JSON object: a value is shown in
// the element with data-field of its name, or set on a progress element. The event `done` reloads the page.
for (const place of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(place.dataset.events);
  events.addEventListener("message", (event) => {
    for (const [name, value] of Object.entries(JSON.parse(event.data))) {
      for (const shown of place.querySelectorAll(`[data-field="${CSS.escape(name)}"]`)) {
        if (shown instanceof HTMLProgressElement) shown.value = value;
        else shown.textContent = typeof value === "number" ? value.toLocaleString("en") : value;
      }
    }
  });
  events.addEventListener("done", () => { events.close(); window.location.reload(); });
}
