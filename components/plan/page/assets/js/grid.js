// Moving in pictures and choosing in them: one tab stop a picture, arrow keys inside, Enter or click to choose.

/** Everything in the pictures that can be related to something else, by kind and key. */
const PARTS = { rack: new Map(), switch: new Map(), unit: new Map(), row: new Map(), feed: new Map() };
let chosen = null;

function part(kind, key, element) {
  PARTS[kind].set(String(key), element);
  return element;
}

/** Mark what belongs to the chosen thing: `{rack: [keys], switch: [keys], ...}`. */
function relate(keys) {
  document.querySelectorAll(".related").forEach((element) => element.classList.remove("related"));
  for (const [kind, names] of Object.entries(keys)) {
    for (const name of names) PARTS[kind].get(String(name))?.classList.add("related");
  }
}

/** Show something in the panel: its name, a sentence for those who listen, and its content. */
function showDetail(element, title, sentence, content) {
  if (chosen) { chosen.classList.remove("chosen"); chosen.removeAttribute("aria-selected"); }
  chosen = element;
  element?.classList.add("chosen");
  element?.setAttribute("aria-selected", "true");
  document.getElementById("detail").replaceChildren(html("h3", {}, title), ...content);
  document.getElementById("said").textContent = `${title}: ${sentence}`;
}

function closest(items, x) {
  return items.reduce((best, item) => (Math.abs(item.x - x) < Math.abs(best.x - x) ? item : best));
}

/** Make a picture a place to walk in. `rows` is a list of lists of `{element, x, choose}`, as they are seen. */
function walkable(host, rows) {
  const places = new Map();
  const full = rows.filter((row) => row.length);
  full.forEach((row, r) => row.forEach((item, c) => {
    places.set(item.element, { item, r, c });
    item.element.setAttribute("tabindex", r === 0 && c === 0 ? "0" : "-1");
  }));
  const go = (item) => {
    host.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    item.element.setAttribute("tabindex", "0");
    item.element.focus();
  };
  const find = (event) => places.get(event.target.closest("[role=gridcell]"));
  host.addEventListener("click", (event) => {
    const found = find(event);
    if (!found) return;
    go(found.item);
    found.item.choose();
  });
  host.addEventListener("keydown", (event) => {
    const found = find(event);
    if (!found) return;
    const { item, r, c } = found;
    const row = full[r];
    const moves = {
      ArrowRight: () => row[c + 1] ?? full[r + 1]?.[0],
      ArrowLeft: () => row[c - 1] ?? full[r - 1]?.at(-1),
      ArrowDown: () => full[r + 1] && closest(full[r + 1], item.x),
      ArrowUp: () => full[r - 1] && closest(full[r - 1], item.x),
      Home: () => (event.ctrlKey ? full[0][0] : row[0]),
      End: () => (event.ctrlKey ? full.at(-1).at(-1) : row.at(-1)),
    };
    if (event.key in moves) {
      event.preventDefault();
      const next = moves[event.key]();
      if (next) go(next);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      // A second time goes into the panel; Escape comes back.
      if (item.element === chosen) document.getElementById("detail").focus();
      else item.choose();
    }
  });
}

document.getElementById("detail").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen) chosen.focus();
});
