// The compute network: an island each, its units as columns of leaves, spines and racks under the cores.
const COMPUTE = { left: 64, column: 38, row: 24, gap: 5 };

function chooseUnit(unit, leaves, spines, racks) {
  const mine = RACKS.filter((rack) => rack.unit === unit);
  const says = `${plural(racks, "rack")} of ${DATA.compute.unit_racks}, ${leaves} leaves, ${spines} spines`;
  const gpus = mine.reduce((sum, rack) => sum + rack.gpus, 0);
  const list = facts([["racks", mine.map((rack) => short(rack.name)).join(", ") || "none yet"], ["GPUs", number(gpus)],
    ["leaf switches", `${leaves}, one for each rack and rail`], ["spine switches", spines || null], ["rails", DATA.compute.rails],
    ["model", `${DATA.compute.model}, ${number(DATA.compute.speed)} Gb/s`]]);
  showDetail(PARTS.unit.get(String(unit)), `Unit ${unit}`, says, [list]);
  relate({ rack: mine.map((rack) => rack.index), switch: SWITCHES.filter((one) => one.unit === unit).map((one) => one.index) });
}

/** Rows from the top: what serves the island, what belongs to the units, their racks. */
function tierRows(island) {
  return island.core ? ["cores", "spines", "leaves", "racks"] : ["spines", "leaves", "racks"];
}

function rowY(row) {
  return 20 + row * (COMPUTE.row + 6);
}

function unitColumn([unit, leaves, spines, racks], place, tiers) {
  const x = COMPUTE.left + place * COMPUTE.column, width = COMPUTE.column - COMPUTE.gap;
  const says = `unit ${unit}: ${plural(racks, "rack")} of ${DATA.compute.unit_racks}, ${leaves} leaf switches, ${spines} spine switches`;
  const box = (tier, text, kind) => [
    svg("rect", { x, y: rowY(tiers.indexOf(tier)), width, height: COMPUTE.row, rx: 3, class: `cell ${kind}` }),
    svg("text", { x: x + width / 2, y: rowY(tiers.indexOf(tier)) + 16, class: "small middle", "aria-hidden": "true" }, text)];
  const y = rowY(tiers.indexOf("racks"));
  const share = svg("rect", { x, y: y + COMPUTE.row - 4, width: (width * racks) / DATA.compute.unit_racks, height: 4, class: "share", "aria-hidden": "true" });
  const column = svg("g", { role: "gridcell", class: `unit${leaves ? "" : " unbuilt"}${dangerClass("units", unit)}`, "aria-label": says + changeSays("units", unit) },
    svg("title", {}, says), ...(spines ? box("spines", number(spines), "spine") : []), ...box("leaves", number(leaves), "leaf"),
    ...box("racks", `${racks}/${DATA.compute.unit_racks}`, "racks"), share,
    svg("text", { x: x + width / 2, y: y + COMPUTE.row + 16, class: "tiny middle", "aria-hidden": "true" }, `u${unit}`),
    changeMark("units", unit, x, y, width, COMPUTE.row));
  part("unit", unit, column);
  return { element: column, x: x + width / 2, choose: () => chooseUnit(unit, leaves, spines, racks) };
}

function drawIsland(island) {
  const tiers = tierRows(island);
  const items = island.units.map((unit, place) => unitColumn(unit, place, tiers));
  const width = COMPUTE.left + island.units.length * COMPUTE.column;
  const built = island.units.filter(([, leaves]) => leaves).length;
  const all = `built for all ${plural(island.units.length, "unit")}`;
  const [text, kind] = island.core ? [`${number(island.core)} cores in ${DATA.compute.groups} groups, ${all}`, "core"] : [`${number(island.spine)} spines, ${all}`, "spine"];
  const cores = island.core ? `, ${number(island.core)} cores` : "";
  const caption = `Island ${island.number}: ${built} of ${plural(island.units.length, "unit")}; ${number(island.leaf)} leaves, ${number(island.spine)} spines${cores}`;
  const drawn = [svg("g", { "aria-hidden": "true" }, ...tiers.map((name, row) => label(2, rowY(row) + 16, name, "axis")),
    svg("rect", { x: COMPUTE.left, y: rowY(0), width: width - COMPUTE.left - COMPUTE.gap, height: COMPUTE.row, rx: 3, class: `cell ${kind}` }),
    svg("text", { x: (COMPUTE.left + width) / 2, y: rowY(0) + 16, class: "small middle" }, text)),
  svg("g", { role: "row", "aria-label": `island ${island.number}` }, ...items.map((item) => item.element))];
  const figure = html("figure", {}, html("figcaption", {}, caption), canvas(width, rowY(tiers.length) + 20, caption, ...drawn));
  figure.style.setProperty("--width", `max(${width * 1.4}px, 20em)`);
  return { figure, items };
}

function drawCompute() {
  const host = document.getElementById("compute-picture");
  if (!DATA.compute) {
    host.append(html("p", {}, "No job spans hosts here: the region has no compute network of its own."));
    return;
  }
  const islands = DATA.compute.islands.map(drawIsland);
  host.append(html("p", {}, `InfiniBand ${DATA.compute.model}, ${number(DATA.compute.speed)} Gb/s, ${DATA.compute.rails} rails, ${DATA.compute.tiers} tiers. Islands do not meet.`),
    html("div", { class: "islands" }, ...islands.map((island) => island.figure)));
  walkable(host, islands.map((island) => island.items));
}
