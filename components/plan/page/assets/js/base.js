"use strict";
// The data of the page, and how elements are made. Text only ever becomes a text node, never markup.
const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

/** Rows of a table as objects; `index` is the place in the table. */
function records(table) {
  return table.rows.map((row, index) => {
    const record = { index };
    table.columns.forEach((column, place) => { record[column] = row[place]; });
    return record;
  });
}

const RACKS = records(DATA.racks);
const SWITCHES = records(DATA.fabric);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An HTML element; children are elements or text. */
function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Text in a picture. */
function label(x, y, text, kind = "") {
  return svg("text", { x, y, class: kind, "aria-hidden": "true" }, String(text));
}

/** A picture of its own size, as wide as there is room. */
function canvas(width, height, name, ...children) {
  const attributes = { viewBox: `0 0 ${width} ${height}`, role: "grid", "aria-label": name };
  return svg("svg", attributes, ...children);
}

function number(value, digits = 0) {
  return Number(value).toLocaleString("en", { maximumFractionDigits: digits });
}

function percent(part, whole) {
  return `${number((100 * part) / whole, 1)} %`;
}

/** Kilowatts: of a small site with a digit more. */
function kilowatts(kw, budget) {
  return number(kw, budget < 100 ? 1 : 0);
}

function plural(count, word, many = `${word}s`) {
  return `${number(count)} ${count === 1 ? word : many}`;
}

/** The part of a name after its last hyphen: what differs within a region. */
function short(name) {
  return name.slice(name.lastIndexOf("-") + 1);
}

/** The address so many places after another. */
function addressAfter(first, places) {
  const value = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + places;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Facts as a list of terms; those without a value are left out. */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return html("dl", {}, ...known.flatMap(([term, value]) => [html("dt", {}, term), html("dd", {}, String(value))]));
}
