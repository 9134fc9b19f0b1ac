// The routed fabric: a band for each plane, spines on the left, leaves by unit on the right.
const FABRIC = { width: 1120, left: 64, spines: 300, gap: 120, box: 20, step: 23, band: 74 };

function switchSays(one) {
  const links = Object.entries(one.links).map(([kind, count]) => `${number(count)} to ${kind}s`).join(", ");
  const unit = one.unit === null ? "" : `, unit ${one.unit}`;
  return `${one.role}, plane ${one.plane}${unit}, links: ${links}${changeSays("switches", one.index)}`;
}

function switchBox(one, x, y, width, height, text) {
  const shapes = {
    spine: () => svg("circle", { cx: x + width / 2, cy: y + height / 2, r: Math.min(width, height) / 2, class: "cell" }),
    leaf: () => svg("rect", { x, y, width, height, rx: 2, class: "cell" }),
    border: () => svg("path", { d: `M${x + width / 2} ${y}l${width / 2} ${height / 2}l${-width / 2} ${height / 2}l${-width / 2} ${-height / 2}z`, class: "cell" }),
  };
  const inMiddle = one.role !== "leaf";
  const box = svg("g", { role: "gridcell", class: `switch ${one.role}${dangerClass("switches", one.index)}`, "aria-label": `${one.name}: ${switchSays(one)}` },
    svg("title", {}, `${one.name}\n${switchSays(one)}`), shapes[one.role](),
    svg("text", { x: x + width / 2, y: y + height / 2 + 3.5, class: "tiny middle", "aria-hidden": "true" }, inMiddle && dangerOf("switches", one.index) !== null ? "" : String(text)),
    changeMark("switches", one.index, x, y, width, height, inMiddle));
  part("switch", one.index, box);
  return { element: box, x: x + width / 2, choose: () => chooseSwitch(one) };
}

function chooseSwitch(one) {
  const racks = RACKS.filter((rack) => rack.leaves.includes(one.index)).map((rack) => rack.index);
  const peers = one.role === "spine" ? SWITCHES.filter((s) => s.plane === one.plane && s.role !== "spine")
    : SWITCHES.filter((s) => s.plane === one.plane && s.role === "spine");
  const list = facts([["role", one.role], ["model", `${DATA.fabric.model}, ${DATA.fabric.os}`], ["plane", one.plane], ["unit", one.unit],
    ["AS number", one.asn], ["loopback", one.loopback], ["management", one.oob], ["MTU", number(DATA.fabric.mtu)],
    ...Object.entries(one.links).map(([kind, count]) => [`to ${kind}s`, plural(count, "link")]), ["racks", racks.length || null]]);
  showDetail(PARTS.switch.get(String(one.index)), one.name, switchSays(one), [changeNote("switches", one.index), list].filter(Boolean));
  relate({ rack: racks, switch: peers.map((s) => s.index) });
}

function drawPlane(plane, y) {
  const mine = SWITCHES.filter((one) => one.plane === plane);
  const spines = mine.filter((one) => one.role === "spine"), borders = mine.filter((one) => one.role === "border");
  const leaves = mine.filter((one) => one.role === "leaf");
  const columns = Math.max(1, Math.ceil(spines.length / 2));
  const start = FABRIC.left + FABRIC.spines + FABRIC.gap;
  const step = Math.min(60, (FABRIC.width - start - 40) / Math.max(1, leaves.length));
  const upper = [], lower = [];
  spines.forEach((one, place) => {
    const column = place % columns, second = place >= columns;
    const x = FABRIC.left + column * Math.min(FABRIC.step, FABRIC.spines / columns);
    (second ? lower : upper).push(switchBox(one, x, y + (second ? 27 : 3), FABRIC.box, FABRIC.box, place + 1));
  });
  // A leaf has the number of its unit, unless others of the plane serve that unit too.
  const alone = new Set(leaves.map((one) => one.unit)).size === leaves.length;
  leaves.forEach((one, place) => upper.push(switchBox(one, start + place * step, y + 3, step - 3, 44, (alone && one.unit) || place + 1)));
  borders.forEach((one, place) => lower.push(switchBox(one, FABRIC.width - 34, y + 1 + place * 25, 24, 24, "B")));
  lower.sort((a, b) => a.x - b.x);
  const links = leaves.reduce((sum, one) => sum + (one.links.spine ?? 0), 0);
  const x1 = FABRIC.left + Math.min(columns * FABRIC.step, FABRIC.spines) + 4, x2 = start - 6;
  const bundle = svg("g", { "aria-hidden": "true" },
    svg("path", { d: `M${x1} ${y + 3}L${x2} ${y + 3}V${y + 47}L${x1} ${y + 47}z`, class: "bundle" }),
    svg("text", { x: (x1 + x2) / 2, y: y + 22, class: "small middle" }, plural(links, "link")),
    svg("text", { x: (x1 + x2) / 2, y: y + 36, class: "tiny middle" }, "each leaf to each spine"));
  const row = (items) => svg("g", { role: "row", "aria-label": `plane ${plane}` }, ...items.map((item) => item.element));
  return { drawn: [label(2, y + 29, `plane ${plane}`, "axis"), bundle, row(upper), ...(lower.length ? [row(lower)] : [])], rows: [upper, lower] };
}

function drawFabric() {
  const host = document.getElementById("fabric-picture");
  const planes = [...new Set(SWITCHES.map((one) => one.plane))].sort((a, b) => a - b);
  const bands = planes.map((plane, place) => drawPlane(plane, 24 + place * FABRIC.band));
  const start = FABRIC.left + FABRIC.spines + FABRIC.gap;
  const heads = svg("g", { "aria-hidden": "true" }, label(FABRIC.left, 14, "spines", "axis"), label(start, 14, "leaves", "axis"),
    ...(SWITCHES.some((one) => one.role === "border") ? [svg("text", { x: FABRIC.width - 4, y: 14, class: "axis end" }, "borders")] : []));
  const caption = `${plural(SWITCHES.length, "switch", "switches")} ${DATA.fabric.model} with ${DATA.fabric.os}, in ${plural(planes.length, "plane")}${planes.length > 1 ? " that do not meet" : ""}`;
  host.append(html("figure", {}, html("figcaption", {}, caption),
    canvas(FABRIC.width, 24 + planes.length * FABRIC.band - 16, caption, heads, ...bands.flatMap((band) => band.drawn))));
  walkable(host, bands.flatMap((band) => band.rows));
}
