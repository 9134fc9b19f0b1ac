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

function unitColumn([unit, leaves, spines, racks], place) {
  const x = COMPUTE.left + place * COMPUTE.column, width = COMPUTE.column - COMPUTE.gap;
  const says = `unit ${unit}: ${plural(racks, "rack")} of ${DATA.compute.unit_racks}, ${leaves} leaf switches, ${spines} spine switches`;
  const box = (row, text, kind) => [
    svg("rect", { x, y: 20 + row * (COMPUTE.row + 6), width, height: COMPUTE.row, rx: 3, class: `cell ${kind}` }),
    svg("text", { x: x + width / 2, y: 20 + row * (COMPUTE.row + 6) + 17, class: "small middle", "aria-hidden": "true" }, text)];
  const y = 20 + 3 * (COMPUTE.row + 6);
  const share = svg("rect", { x, y: y + COMPUTE.row - 4, width: (width * racks) / DATA.compute.unit_racks, height: 4, class: "share", "aria-hidden": "true" });
  const column = svg("g", { role: "gridcell", class: `unit${leaves ? "" : " unbuilt"}${dangerClass("units", unit)}`, "aria-label": says }, svg("title", {}, says),
    ...(spines ? box(1, number(spines), "spine") : []), ...box(2, number(leaves), "leaf"), ...box(3, `${racks}/${DATA.compute.unit_racks}`, "racks"), share,
    svg("text", { x: x + width / 2, y: y + COMPUTE.row + 16, class: "tiny middle", "aria-hidden": "true" }, `u${unit}`),
    changeMark("units", unit, x, y, width, COMPUTE.row));
  part("unit", unit, column);
  return { element: column, x: x + width / 2, choose: () => chooseUnit(unit, leaves, spines, racks) };
}

function drawIsland(island) {
  const items = island.units.map(unitColumn);
  const width = COMPUTE.left + island.units.length * COMPUTE.column;
  const built = island.units.filter(([, leaves]) => leaves).length;
  const whole = island.core ? [`${number(island.core)} cores in ${DATA.compute.groups} groups, built for all ${island.units.length} units`, "core"]
    : [`${number(island.spine)} spines, built for all ${island.units.length} units`, "spine"];
  const rows = island.core ? ["cores", "spines", "leaves", "racks"] : ["spines", "", "leaves", "racks"];
  const caption = `Island ${island.number}: ${built} of ${island.units.length} units; ${number(island.leaf)} leaves, ${number(island.spine)} spines, ${number(island.core)} cores`;
  const drawn = [svg("g", { "aria-hidden": "true" }, ...rows.map((name, row) => label(2, 37 + row * (COMPUTE.row + 6), name, "axis")),
    svg("rect", { x: COMPUTE.left, y: 20, width: width - COMPUTE.left - COMPUTE.gap, height: COMPUTE.row, rx: 3, class: `cell ${whole[1]}` }),
    svg("text", { x: (COMPUTE.left + width) / 2, y: 37, class: "small middle" }, whole[0])),
  svg("g", { role: "row", "aria-label": `island ${island.number}` }, ...items.map((item) => item.element))];
  return { figure: html("figure", {}, html("figcaption", {}, caption), canvas(width, 164, caption, ...drawn)), items };
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
