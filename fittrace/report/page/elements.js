"use strict";
// Makes elements. Every text of a trace goes into the page through `textContent`, so that nothing of it is markup.

/**
 * A new element.
 * @param {string} tag a tag, and classes after points, such as `td.number`
 * @param {{[name: string]: any}} [attributes] attributes; `on…` adds a listener, `style` sets properties
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElement}
 */
function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  made.classList.add(...classes);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (attribute.startsWith("on")) made.addEventListener(attribute.slice(2), value);
    else if (attribute === "style")
      for (const [property, text] of Object.entries(value)) made.style.setProperty(property, text);
    else made.setAttribute(attribute, value === true ? "" : String(value));
  }
  made.append(
    ...children
      .filter((child) => child !== null && child !== undefined)
      .map((child) => (child instanceof Node ? child : String(child))),
  );
  return made;
}

/**
 * A table. A cell is a text, a number or an element.
 * @param {string} caption
 * @param {{name: string, title?: string, number?: boolean}[]} columns
 * @param {(Node | string | number | null)[][]} rows
 */
function tableOf(caption, columns, rows) {
  const head = columns.map((column) =>
    element(column.number ? "th.number" : "th", { scope: "col", title: column.title }, column.name),
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((cell, index) => element(columns[index].number ? "td.number" : "td", {}, cell ?? "–")),
    ),
  );
  const table = element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  return element("div.scroll", { tabindex: 0, role: "region", "aria-label": caption }, table);
}

/**
 * A section of the page with a heading.
 * @param {string} id
 * @param {string} heading
 * @param {...(Node | null)} children
 */
function section(id, heading, ...children) {
  const title = `${id}-title`;
  const attributes = { id, "data-section": id, "aria-labelledby": title };
  return element("section", attributes, element("h2", { id: title }, heading), ...children);
}

/**
 * A part that the reader opens, such as the table behind a chart.
 * @param {string} summary
 * @param {() => Node} content is made when the part is opened for the first time
 */
function details(summary, content) {
  const made = element("details", {}, element("summary", {}, summary));
  made.addEventListener("toggle", () => made.childElementCount === 1 && made.append(content()), { once: true });
  return made;
}

/**
 * A share in percent, with a small bar.
 * @param {number} part
 * @param {number} whole
 */
function shareBar(part, whole) {
  const bar = element("span.bar", { "aria-hidden": "true", style: { width: `${whole ? (4 * part) / whole : 0}rem` } });
  return element("span.share", {}, element("span.number", {}, share(part, whole)), bar);
}
