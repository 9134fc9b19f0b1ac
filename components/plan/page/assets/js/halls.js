// Floor plans of the halls: a cell for each rack, coloured by what is asked.
const CELL = { width: 50, height: 38, gap: 3, aisle: 20, left: 40, top: 34 };
const COLOURS = 8;
const NO_CHANGE = 9;
/** Ways to colour: name, group of a rack, and what stands in its cell. */
const MODES = {
  change: { name: "what changes", group: (rack) => dangerOf("racks", rack.index) ?? NO_CHANGE },
  unit: { name: "island and unit", group: (rack) => rack.island, text: (rack) => `island ${rack.island}`, tone: (rack) => TONES.get(rack.unit) },
  kind: { name: "kind", group: (rack) => rack.profile, text: (rack) => DATA.profiles[rack.profile].name },
  cluster: { name: "cluster", group: (rack) => rack.cluster, text: (rack) => DATA.clusters[rack.cluster] },
  feed: { name: "power feed", group: (rack) => rack.feed, text: (rack) => DATA.power.feeds[rack.feed]?.name ?? "none" },
};

/** Neighbouring units have different tones: along a row, and from row to row. */
const TONES = new Map();
for (const rack of RACKS) if (!TONES.has(rack.unit)) TONES.set(rack.unit, (rack.unit + rack.row) % 2);

function isGpuRack(rack) {
  return rack.gpus > 0;
}

/** GPU racks are rectangles, others have a cut corner: shape tells what colour alone may not. */
function rackShape(rack, x, y) {
  const { width, height } = CELL;
  if (isGpuRack(rack)) return svg("rect", { x, y, width, height, rx: 3, class: "cell" });
  const path = `M${x} ${y}h${width - 10}l10 10v${height - 10}h${-width}z`;
  return svg("path", { d: path, class: "cell" });
}

function rackSays(rack) {
  const spares = [...rack.trays].filter((letter) => letter === "s").length;
  const trays = [...rack.trays].filter((letter) => letter !== "-").length;
  const what = `${DATA.profiles[rack.profile].name}, ${plural(rack.gpus, "GPU")}, ${plural(trays, "tray")}, ${spares} spare`;
  const where = `hall ${DATA.halls[rack.hall].name} row ${rack.row} place ${rack.position}`;
  return `${what}, ${where}, unit ${rack.unit}, island ${rack.island}${changeSays("racks", rack.index)}`;
}

function rackCell(rack) {
  const x = CELL.left + (rack.position - 1) * (CELL.width + CELL.gap);
  const y = CELL.top + (rack.row - 1) * (CELL.height + CELL.aisle);
  const cell = svg("g", { role: "gridcell", class: `rack${dangerClass("racks", rack.index)}`, "aria-label": `${rack.name}: ${rackSays(rack)}` },
    svg("title", {}, `${rack.name}\n${rackSays(rack)}`),
    rackShape(rack, x, y),
    label(x + 5, y + 15, short(rack.name), "name"),
    label(x + 5, y + 30, isGpuRack(rack) ? `${rack.gpus} GPU` : "CPU", "small"),
    changeMark("racks", rack.index, x, y, CELL.width, CELL.height));
  part("rack", rack.index, cell);
  return { element: cell, x: x + rack.hall * 1e-3, choose: () => chooseRack(rack), rack };
}

/** A rack that goes: its place, struck through. */
function goneCell([name, hall, row, position, profile, trays]) {
  const x = CELL.left + (position - 1) * (CELL.width + CELL.gap);
  const y = CELL.top + (row - 1) * (CELL.height + CELL.aisle);
  const says = `${name}: removed, ${profile}, ${plural(trays, "tray")}, hall ${DATA.halls[hall].name} row ${row} place ${position}`;
  const cell = svg("g", { role: "gridcell", class: "gone", "aria-label": says },
    svg("title", {}, says),
    svg("rect", { x, y, width: CELL.width, height: CELL.height, rx: 3, class: "cell" }),
    label(x + 5, y + 15, short(name), "name"),
    label(x + 5, y + 30, "gone", "small"),
    svg("path", { d: `M${x + 2} ${y + CELL.height - 2}L${x + CELL.width - 2} ${y + 2}`, class: "strike" }));
  const choose = () => {
    showDetail(cell, name, says, [facts([["what", "removed by this change"], ["profile", profile], ["trays", trays]])]);
    relate({});
  };
  return { element: cell, x: x + hall * 1e-3, choose };
}

/** A line over neighbours of one unit, with its number. */
function unitBrackets(racks, y) {
  const drawn = [];
  let from = 0;
  racks.forEach((rack, place) => {
    const next = racks[place + 1];
    if (next && next.unit === rack.unit && next.position === rack.position + 1) return;
    const x1 = CELL.left + (racks[from].position - 1) * (CELL.width + CELL.gap);
    const x2 = CELL.left + (rack.position - 1) * (CELL.width + CELL.gap) + CELL.width;
    const wide = x2 - x1 > 2 * CELL.width ? `unit ${rack.unit}  island ${rack.island}` : `u${rack.unit}`;
    drawn.push(svg("path", { d: `M${x1} ${y - 4}v-3h${x2 - x1}v3`, class: "bracket" }), label(x1 + 5, y - 9, wide, "tiny"));
    from = place + 1;
  });
  return drawn;
}

function drawHall(hall, number) {
  const width = CELL.left + hall.racks_per_row * (CELL.width + CELL.gap);
  const height = CELL.top + hall.rows * (CELL.height + CELL.aisle) - CELL.aisle + 6;
  const mine = RACKS.filter((rack) => rack.hall === number);
  const rows = [], drawn = [];
  for (let row = 1; row <= hall.rows; row += 1) {
    const y = CELL.top + (row - 1) * (CELL.height + CELL.aisle);
    const racks = mine.filter((rack) => rack.row === row).sort((a, b) => a.position - b.position);
    const gone = (CHANGES?.gone ?? []).filter((each) => each[1] === number && each[2] === row);
    const taken = new Set([...racks.map((rack) => rack.position), ...gone.map((each) => each[3])]);
    const free = Array.from({ length: hall.racks_per_row }, (_, place) => place + 1).filter((place) => !taken.has(place));
    const items = [...racks.map(rackCell), ...gone.map(goneCell)].sort((a, b) => a.x - b.x);
    rows.push(items);
    drawn.push(svg("g", { role: "row", "aria-label": `row ${row}` }, ...items.map((item) => item.element)),
      svg("g", { "aria-hidden": "true" }, label(4, y + 23, `row ${row}`, "axis"), ...unitBrackets(racks, y),
        ...free.map((place) => svg("rect", {
          x: CELL.left + (place - 1) * (CELL.width + CELL.gap), y, width: CELL.width, height: CELL.height, rx: 3, class: "free",
        }))));
  }
  const gpus = mine.reduce((sum, rack) => sum + rack.gpus, 0);
  const caption = `Hall ${hall.name}: ${plural(mine.length, "rack")}, ${plural(gpus, "GPU")}`;
  const figure = html("figure", {}, html("figcaption", {}, caption), canvas(width, height, caption, ...drawn));
  figure.style.setProperty("--width", `max(${width * 1.5}px, 20em)`);
  return { figure, rows };
}

/** Paint all racks, and say what the colours mean. */
function colourRacks(mode, legend) {
  const byChange = mode === MODES.change;
  document.body.classList.toggle("by-change", byChange);
  const groups = [...new Set(RACKS.map(mode.group))].sort((a, b) => a - b);
  const colour = new Map(groups.map((group, place) => [group, place % COLOURS]));
  for (const rack of RACKS) {
    const cell = PARTS.rack.get(String(rack.index));
    const states = [...cell.classList].filter((name) => !/^(c\d|tone)$/.test(name));
    if (mode.tone?.(rack)) states.push("tone");
    cell.setAttribute("class", [...states, `c${colour.get(mode.group(rack))}`].join(" "));
  }
  const entries = byChange ? [] : groups.slice(0, COLOURS).map((group) => {
    const racks = RACKS.filter((rack) => mode.group(rack) === group);
    return html("li", {}, html("span", { class: `swatch c${colour.get(group)}` }), `${mode.text(racks[0])} (${number(racks.length)})`);
  });
  if (!byChange && groups.length > COLOURS) entries.push(html("li", {}, `and ${groups.length - COLOURS} more; the colours come again`));
  if (mode.tone) entries.push(html("li", {}, "two tones: units side by side"));
  legend.replaceChildren(...entries, ...changeLegend(), html("li", {}, "square corners: GPU rack"), html("li", {}, "cut corner: other rack"));
}

function drawHalls() {
  const host = document.getElementById("halls-picture");
  const legend = html("ul", { class: "legend", "aria-label": "Legend" });
  const choices = Object.entries(MODES).filter(([name, mode]) => name === "unit" || (CHANGES && name === "change") || new Set(RACKS.map(mode.group)).size > 1);
  const radios = choices.map(([name, mode], place) => {
    const input = html("input", { type: "radio", name: "mode", value: name });
    input.checked = place === 0;
    input.addEventListener("change", () => colourRacks(mode, legend));
    return html("label", {}, input, ` ${mode.name}`);
  });
  const halls = DATA.halls.map(drawHall);
  host.append(html("fieldset", {}, html("legend", {}, "Colour by"), ...radios), legend,
    html("div", { class: "halls" }, ...halls.map((hall) => hall.figure)));
  colourRacks(choices[0][1], legend);
  walkable(host, halls.flatMap((hall) => hall.rows));
}
