// The tree of power: the site above its feeds, each feed above its rows, all as bars against their budgets.
const POWER = { width: 1120, bar: 24, step: 30, gap: 24 };
const NEAR = 0.98;

function bar(x, y, width, kw, budget, text, isMarked) {
  const share = Math.min(1, kw / budget);
  return [
    svg("rect", { x, y, width, height: POWER.bar, rx: 3, class: "track" }),
    svg("rect", { x, y, width: width * share, height: POWER.bar, rx: 3, class: `load${kw / budget >= NEAR ? " near" : ""}` }),
    svg("rect", { x, y, width, height: POWER.bar, rx: 3, class: "edge" }),
    svg("rect", { x: x + width - 2, y: y - 2, width: 2, height: POWER.bar + 4, class: "limit" }),
    svg("text", { x: x + 8, y: y + 16, class: "small barname", "aria-hidden": "true" }, text),
    svg("text", { x: x + width - (isMarked ? 22 : 10), y: y + 16, class: "small end barname", "aria-hidden": "true" }, `${kilowatts(kw, budget)} of ${kilowatts(budget, budget)} kW  ${percent(kw, budget)}`)];
}

function level(kind, key, name, x, y, width, kw, budget, more, racks) {
  const says = `${name}: ${kilowatts(kw, budget)} of ${kilowatts(budget, budget)} kW, ${percent(kw, budget)}`;
  const cell = svg("g", { role: "gridcell", class: `level ${kind}${dangerClass(`${kind}s`, key)}`, "aria-label": says + changeSays(`${kind}s`, key) },
    svg("title", {}, says), ...bar(x, y, width, kw, budget, name, dangerOf(`${kind}s`, key) !== null), changeMark(`${kind}s`, key, x, y, width, POWER.bar));
  if (PARTS[kind]) part(kind, key, cell);
  const choose = () => {
    showDetail(cell, name, says, [facts([["load", `${number(kw, 1)} kW`], ["budget", `${number(budget, 1)} kW`], ["used", percent(kw, budget)],
      ["left", `${number(budget - kw, 1)} kW`], ...more, ["racks", number(racks.length)]])]);
    relate({ rack: racks.map((rack) => rack.index) });
  };
  return { element: cell, x: x + width / 2, choose };
}

function drawFeed(feed, place, x, y, width) {
  const mine = RACKS.filter((rack) => rack.feed === place);
  const top = level("feed", place, feed.name, x, y, width, feed.kw, feed.budget, [["rows", feed.rows.length]], mine);
  const rows = feed.rows.map(([hall, row, kw, budget, , switches], index) => level("row", `${hall}/${row}`, `hall ${DATA.halls[hall].name} ${row ? `row ${row}` : "network room"}`,
    x + 16, y + (index + 1) * POWER.step + 6, width - 16, kw, budget, [["feed", feed.name], ["racks of switches", switches]], RACKS.filter((rack) => rack.hall === hall && rack.row === row)));
  const ends = rows.map((_, index) => `M${x + 6} ${y + POWER.bar}V${y + (index + 1) * POWER.step + 18}h10`).join("");
  return { items: [top, ...rows], wires: svg("path", { d: ends, class: "wire", "aria-hidden": "true" }) };
}

function drawPower() {
  const host = document.getElementById("power-picture"), power = DATA.power;
  const per = Math.min(4, power.feeds.length), width = (POWER.width + POWER.gap) / per - POWER.gap;
  const most = Math.max(...power.feeds.map((feed) => feed.rows.length));
  const block = (most + 1) * POWER.step + 34;
  const it = `${kilowatts(power.it, power.site[1])} kW of racks and switches as ${power.planning}, PUE ${power.pue}`;
  const site = level("site", 0, power.name, 0, 6, POWER.width, ...power.site, [["racks and switches draw", it]], RACKS);
  const feeds = power.feeds.map((feed, place) => drawFeed(feed, place, (place % per) * (width + POWER.gap), 62 + Math.floor(place / per) * block, width));
  const tops = power.feeds.slice(0, per).map((_, place) => place * (width + POWER.gap) + width / 2);
  const wires = svg("path", { d: tops.map((x) => `M${x} 62V46`).join("") + `M${tops[0]} 46H${tops.at(-1)}M${POWER.width / 2} 46V30`, class: "wire", "aria-hidden": "true" });
  const rows = [[site]];
  for (let first = 0; first < feeds.length; first += per) {
    const group = feeds.slice(first, first + per);
    for (let depth = 0; depth <= most; depth += 1) rows.push(group.flatMap((feed) => feed.items[depth] ?? []));
  }
  const caption = `${it}: ${percent(...power.site)} of what the grid gives`;
  const lost = power.spare_feeds ? `With ${plural(power.spare_feeds, "feed")} lost the others carry ${number(power.surviving)} kW. ` : "";
  const steps = `Switched on in ${plural(power.steps, "step")}, ${number(power.energise_s / 60)} minutes. At full load €${number(power.eur_per_hour, power.eur_per_hour < 100 ? 2 : 0)} an hour.`;
  const [most_kw, typical] = power.switches;
  const switches = most_kw ? ` Switches draw ${number(most_kw)} kW of it at most, and about ${number(typical)} kW in service.` : "";
  const caps = power.caps.map(([name, cap, planned, gpus, watts, limit]) => ` Racks of ${name} are capped at ${number(cap)} kW instead of ${number(planned)}: `
    + `${number(limit)} W for each of ${gpus} GPUs instead of ${number(watts)}. Rows are held against their draw without the cap.`).join("");
  host.append(html("figure", {}, html("figcaption", {}, caption),
    canvas(POWER.width, 62 + Math.ceil(feeds.length / per) * block - 20, caption, wires, ...feeds.map((feed) => feed.wires),
      ...rows.map((row) => svg("g", { role: "row" }, ...row.map((item) => item.element))))),
  html("p", {}, lost + steps + switches + caps + (power.not_counted.length ? ` Not counted: ${power.not_counted.join("; ")}.` : "")));
  walkable(host, rows);
}
