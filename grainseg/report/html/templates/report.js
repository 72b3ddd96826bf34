"use strict";

// Tables: a click on a header sorts the table, a second click reverses the order. Missing values stay last.
function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentElement.children].indexOf(header);
  const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const numeric = header.classList.contains("num");
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true }));
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

// Pictures: the layers lie on top of each other; the stage that holds them is zoomed and moved.
const viewers = [...document.querySelectorAll(".viewer")].map(makeViewer);

function makeViewer(root) {
  const stage = root.querySelector(".stage");
  const state = { zoom: 1, x: 0, y: 0 };
  const most = Math.max(8, (8 * Number(root.dataset.widthPx)) / 1000);

  function show() {
    const { clientWidth: width, clientHeight: height } = root;
    state.zoom = Math.min(most, Math.max(1, state.zoom));
    state.x = Math.min(0, Math.max(width - stage.offsetWidth * state.zoom, state.x));
    state.y = Math.min(0, Math.max(height - stage.offsetHeight * state.zoom, state.y));
    stage.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.zoom})`;
    stage.classList.toggle("near", state.zoom > 3);
    showRule();
  }
  function showRule() {
    const across = (Number(root.dataset.widthPx) * Number(root.dataset.unit)) / state.zoom;
    const length = niceLength(across / 4);
    const rule = root.querySelector(".rule");
    rule.textContent = `${Number(length.toPrecision(3))} ${root.dataset.unitName}`;
    rule.style.width = `${(100 * length) / across}%`;
  }
  function zoomAt(factor, x, y) {
    const before = state.zoom;
    state.zoom = Math.min(most, Math.max(1, before * factor));
    state.x = x - ((x - state.x) * state.zoom) / before;
    state.y = y - ((y - state.y) * state.zoom) / before;
    show();
  }
  function zoomMiddle(factor) {
    zoomAt(factor, root.clientWidth / 2, root.clientHeight / 2);
  }
  function reset() {
    Object.assign(state, { zoom: 1, x: 0, y: 0 });
    show();
  }
  function move(x, y) {
    state.x += x;
    state.y += y;
    show();
  }

  // The wheel scrolls the page unless Ctrl is held or the picture was clicked.
  root.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== root) return;
    event.preventDefault();
    const box = root.getBoundingClientRect();
    zoomAt(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    root.focus({ preventScroll: true });
    root.setPointerCapture(event.pointerId);
    root.classList.add("dragging");
  });
  root.addEventListener("pointermove", (event) => {
    if (root.classList.contains("dragging")) move(event.movementX, event.movementY);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    root.addEventListener(end, () => root.classList.remove("dragging"));
  }
  root.addEventListener("dblclick", (event) => {
    const box = root.getBoundingClientRect();
    zoomAt(2, event.clientX - box.left, event.clientY - box.top);
  });
  const keys = {
    "+": () => zoomMiddle(1.5), "=": () => zoomMiddle(1.5), "-": () => zoomMiddle(1 / 1.5), "0": reset,
    ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0),
    ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
    Escape: () => root.blur(),
  };
  root.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  const figure = root.closest("figure");
  const buttons = { in: () => zoomMiddle(1.5), out: () => zoomMiddle(1 / 1.5), fit: reset };
  for (const button of figure.querySelectorAll(".zoom button")) {
    button.addEventListener("click", buttons[button.dataset.zoom]);
  }
  for (const box of figure.querySelectorAll("input[data-layer]")) {
    const set = () => { root.querySelector(`.layer.${box.dataset.layer}`).hidden = !box.checked; };
    box.addEventListener("change", set);
    set(); // browsers keep the state of the boxes when a page is reloaded
  }
  showRule();
  return { reset };
}

function niceLength(longest) {
  const power = 10 ** Math.floor(Math.log10(longest));
  return power * [5, 2, 1].find((step) => step * power <= longest);
}

for (const box of document.querySelectorAll("input[data-layer-all]")) {
  const set = () => {
    for (const one of document.querySelectorAll(`input[data-layer="${box.dataset.layerAll}"]`)) {
      one.checked = box.checked;
      one.dispatchEvent(new Event("change"));
    }
  };
  box.addEventListener("change", set);
}

// Printing: show the pictures whole and open the details, and close these again afterwards.
let closed = [];
window.addEventListener("beforeprint", () => {
  for (const viewer of viewers) viewer.reset();
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const details of closed) details.open = true;
});
window.addEventListener("afterprint", () => {
  for (const details of closed) details.open = false;
});
