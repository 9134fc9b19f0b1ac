// One rack in the panel: what stands where, and its facts.
const ROLES = { w: "GPU worker", c: "control plane", s: "spare", "-": "empty" };
const THINGS = { nvlink: "NVLink switch", "power-shelf": "power shelf", "oob-switch": "OOB switch", pdu: "PDU" };
const UNIT = { height: 13, width: 210, left: 26 };

function trayName(rack, slot) {
  return `${rack.name}-t${String(slot).padStart(2, "0")}`;
}

/** The address of a slot; those of a rack count on, or stand each for itself. */
function addressOf(rack, column, slot) {
  if (typeof rack[column] === "string") return addressAfter(rack[column], slot - 1);
  return rack[column][[...rack.trays.slice(0, slot - 1)].filter((letter) => letter !== "-").length];
}

function drawThing(rack, profile, [unit, height, what, index]) {
  const letter = what === "compute" ? rack.trays[index - 1] ?? "-" : "";
  const y = (profile.units - unit - height + 1) * UNIT.height;
  const says = what === "compute" ? `t${String(index).padStart(2, "0")} ${ROLES[letter]}` : `${THINGS[what]} ${index}`;
  const danger = what === "compute" ? trayDanger(rack.index, index) : null;
  const mark = danger === null ? "" : ` ${DATA.changes.symbols[danger]} ${DATA.changes.words[danger]}`;
  return svg("g", { class: `thing ${what} role-${letter}${danger === null ? "" : ` marked d${danger}`}` },
    svg("rect", { x: UNIT.left, y: y + 0.5, width: UNIT.width, height: height * UNIT.height - 1, rx: 1.5 }),
    label(UNIT.left + 8, y + (height * UNIT.height) / 2 + 3.5, says + mark));
}

function drawElevation(rack, profile) {
  const height = profile.units * UNIT.height;
  const marks = Array.from({ length: profile.units }, (_, place) => place + 1)
    .filter((unit) => unit === 1 || unit % 6 === 0)
    .map((unit) => label(2, (profile.units - unit) * UNIT.height + 10, unit, "tiny"));
  const width = UNIT.left + UNIT.width + 4;
  return svg("svg", { viewBox: `0 0 ${width} ${height + 2}`, class: "elevation", role: "img", "aria-label": `Elevation of ${rack.name}, ${profile.units} rack units; the list of trays follows` },
    svg("rect", { x: UNIT.left - 3, y: 0, width: UNIT.width + 6, height: height + 1, class: "frame" }), ...marks,
    ...profile.standing.map((thing) => drawThing(rack, profile, thing)));
}

function trayTable(rack) {
  let there = -1;
  const rows = [...rack.trays].flatMap((letter, place) => {
    if (letter === "-") return [];
    there += 1;
    const slot = place + 1;
    const serial = (rack.serials && rack.serials[there]) || "not received";
    return [html("tr", {}, html("th", { scope: "row" }, trayName(rack, slot)),
      ...[ROLES[letter], serial, addressOf(rack, "loopback", slot), addressOf(rack, "bmc", slot)].map((text) => html("td", {}, text)))];
  });
  const head = ["tray", "role", "serial", "loopback", "BMC"].map((name) => html("th", { scope: "col" }, name));
  return html("details", {}, html("summary", {}, `Trays (${rows.length})`),
    html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Trays" },
      html("table", {}, html("caption", {}, `Trays of ${rack.name}`), html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows))));
}

function rackFacts(rack, profile) {
  const letters = [...rack.trays];
  const spares = letters.flatMap((letter, place) => (letter === "s" ? [`t${String(place + 1).padStart(2, "0")}`] : []));
  const power = rack.kw === null ? null : `${number(rack.kw, 1)} kW planned, ${number(rack.nameplate, 1)} kW nameplate`;
  return facts([
    ["id", rack.name],
    ["place", `hall ${DATA.halls[rack.hall].name}, row ${rack.row}, place ${rack.position}`],
    ["kind", `${profile.name}${profile.model === "none" ? "" : `, ${profile.model}`}`],
    ["unit", `${rack.unit}, island ${rack.island}`],
    ["cluster", DATA.clusters[rack.cluster]],
    ["GPUs", rack.gpus ? `${number(rack.gpus)}, ${number(rack.gpus - rack.spares)} in service` : null],
    ["spares", spares.join(", ") || "none"],
    ["NVLink", rack.domain],
    ["power", power],
    ["feed", DATA.power.feeds[rack.feed]?.name],
    ["cooling", profile.cooling],
    ["elevation", profile.drawn ? null : "not in the catalogue: only trays are drawn"],
    ["OOB block", `${rack.block}, ${plural(rack.addresses, "address", "addresses")}`],
    ["image", DATA.racks.images[rack.image]],
    ["leaves", rack.leaves.map((leaf) => short(SWITCHES[leaf].name)).join(", ")],
    ["protected", rack.protect ? "yes" : "no"],
  ]);
}

function chooseRack(rack) {
  const profile = DATA.profiles[rack.profile];
  const content = [changeNote("racks", rack.index), html("div", { class: "rack-detail" }, drawElevation(rack, profile), rackFacts(rack, profile)), trayTable(rack)];
  showDetail(PARTS.rack.get(String(rack.index)), rack.name, rackSays(rack), content.filter(Boolean));
  relate({ switch: rack.leaves, unit: [rack.unit], row: [`${rack.hall}/${rack.row}`], feed: [rack.feed] });
}
