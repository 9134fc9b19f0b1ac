// What a change touches, over all pictures. Without a change, nothing here shows.
const CHANGES = DATA.changes;
const NOTED = 4;
const WORST = { racks: {}, switches: {}, units: {}, rows: {}, feeds: {}, sites: {} };

function worsen(kind, key, danger) {
  WORST[kind][key] = Math.min(danger, WORST[kind][key] ?? danger);
}

if (CHANGES) {
  Object.assign(WORST, { racks: CHANGES.racks, switches: CHANGES.switches, units: CHANGES.units });
  for (const rack of RACKS.filter((each) => each.index in CHANGES.racks)) {
    const danger = CHANGES.racks[rack.index];
    worsen("units", rack.unit, danger);
    worsen("rows", `${rack.hall}/${rack.row}`, danger);
    worsen("feeds", rack.feed, danger);
    worsen("sites", 0, danger);
  }
}

function dangerOf(kind, key) {
  return CHANGES ? WORST[kind][key] ?? null : null;
}

function trayDanger(rack, slot) {
  const digit = CHANGES?.trays[rack]?.[slot - 1] ?? "-";
  return digit === "-" ? null : Number(digit);
}

/** For those who listen. */
function changeSays(kind, key) {
  const danger = dangerOf(kind, key);
  return danger === null ? "" : `, changes: ${CHANGES.words[danger]}`;
}

/** The class of a thing that changes. */
function dangerClass(kind, key) {
  const danger = dangerOf(kind, key);
  return danger === null ? "" : ` d${danger}`;
}

/** A frame and a shape on the thing: its danger is told by the shape too, not by colour alone. */
function changeMark(kind, key, x, y, width, height, inMiddle = false) {
  const danger = dangerOf(kind, key);
  if (danger === null) return null;
  const radius = Math.min(8, height / 2.6, width / 2.2);
  const spot = inMiddle ? { x: x + width / 2, y: y + height / 2 } : { x: x + width - radius, y: y + radius };
  return svg("g", { class: "mark", "aria-hidden": "true" },
    svg("rect", { x: x - 1.5, y: y - 1.5, width: width + 3, height: height + 3, rx: 4, class: "frame" }),
    svg("circle", { cx: spot.x, cy: spot.y, r: radius, class: "dot" }),
    svg("text", { ...spot, class: "symbol" }, CHANGES.symbols[danger]));
}

function changeNote(kind, key) {
  const danger = dangerOf(kind, key);
  if (danger === null) return null;
  const titles = [...document.querySelectorAll("[data-change]")]
    .filter((item) => CHANGES.list[item.dataset.change][kind].includes(key))
    .map((item) => html("li", {}, item.querySelector("strong").textContent + ": " + item.querySelector(".reason").textContent));
  if (titles.length > NOTED) titles.splice(NOTED, titles.length, html("li", {}, `and ${titles.length - NOTED} more, in the list`));
  return html("div", { class: `note d${danger}` }, html("strong", {}, `${CHANGES.symbols[danger]} ${CHANGES.words[danger]}`), html("ul", {}, ...titles));
}

function changeLegend() {
  if (!CHANGES) return [];
  const gone = CHANGES.gone.length ? [html("li", {}, "struck through: a rack that is removed")] : [];
  const present = [...new Set([...Object.values(CHANGES.racks), ...Object.values(CHANGES.switches)])].sort();
  return [...present.map((danger) => html("li", { class: `badge d${danger}` }, `${CHANGES.symbols[danger]} ${CHANGES.words[danger]}`)), ...gone];
}

/** A button on each change that shows it in the pictures, and the switch that hides all else. */
function wireChanges() {
  if (!CHANGES) return;
  for (const item of document.querySelectorAll("[data-change]")) {
    const { racks, switches } = CHANGES.list[item.dataset.change];
    if (!racks.length && !switches.length) continue;
    const title = item.querySelector("strong").textContent;
    const button = html("button", { type: "button", "aria-label": `Show in the pictures: ${title}` }, "Show");
    button.addEventListener("click", () => {
      relate({ rack: racks, switch: switches });
      document.getElementById("said").textContent = `${title}: ${racks.length} racks and ${switches.length} switches are marked`;
      PARTS.rack.get(String(racks[0]))?.scrollIntoView({ block: "center" });
    });
    item.querySelector("strong").after(" ", button);
  }
  const only = html("input", { type: "checkbox", id: "only" });
  only.addEventListener("change", () => document.body.classList.toggle("only", only.checked));
  document.querySelector("#changes > h2").after(html("p", { class: "only-switch" }, html("label", {}, only, " Only what changes")));
  for (const [kind, keys] of [["rack", CHANGES.racks], ["switch", CHANGES.switches], ["unit", WORST.units], ["row", WORST.rows], ["feed", WORST.feeds]]) {
    for (const [key, element] of PARTS[kind]) if (!(key in keys)) element.classList.add("same");
  }
  const names = new Set([...RACKS.filter((r) => r.index in CHANGES.racks), ...SWITCHES.filter((s) => s.index in CHANGES.switches)].map((each) => each.name));
  for (const row of document.querySelectorAll("table.racks tbody tr, table.switches tbody tr")) {
    if (!names.has(row.cells[0].textContent)) row.classList.add("same");
  }
}
