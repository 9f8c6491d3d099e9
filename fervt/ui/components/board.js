// Maps of one face side by side on one 7 x 7 grid. A hovered, focused or marked cell is
// the same cell in all of them, and is described in words below.
const SIDE = 7, SVG = "http://www.w3.org/2000/svg", STRONGEST = 10;

const make = (parent, tag, name, text) => {
  const one = document.createElement(tag);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  parent.append(one);
  return one;
};

const draw = (tag, attributes) => {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  return one;
};

// The arrow between two cells' centers, a little to its right, so that both directions are visible.
const arrow = ([source, target, value], highest) => {
  const [x, y] = [source % SIDE + .5, Math.floor(source / SIDE) + .5];
  const [dx, dy] = [target % SIDE + .5 - x, Math.floor(target / SIDE) + .5 - y];
  const [ax, ay] = [-.09 * dy, .09 * dx], share = Math.min(1, value / highest);
  const width = .05 + .09 * share, color = `hsl(${55 - 30 * share} 100% ${85 - 25 * share}%)`;
  const start = [x + .16 * dx + ax, y + .16 * dy + ay], end = [x + .78 * dx + ax, y + .78 * dy + ay];
  const wing = .1 + .08 * share;
  const tip = [end[0] + wing * dx, end[1] + wing * dy];
  const group = draw("g", { fill: color, stroke: color });
  group.append(draw("line", { x1: start[0], y1: start[1], x2: end[0], y2: end[1],
    "stroke-width": width }));
  const side = [-.8 * wing * dy, .8 * wing * dx];
  group.append(draw("polygon", { "stroke-width": .01, points:
    [[end[0] + side[0], end[1] + side[1]], tip, [end[0] - side[0], end[1] - side[1]]].join(" ") }));
  return group;
};

const drawGraph = (panel, graph, marked, all) => {
  const highest = graph.edges[0]?.[2] ?? 1; // they come strongest first
  const shown = all ? graph.edges : marked === null ? graph.edges.slice(0, STRONGEST)
    : graph.edges.filter(([source, target]) => source === marked || target === marked);
  panel.svg.replaceChildren(...shown.map((edge) => arrow(edge, highest)).reverse());
  panel.count.textContent = all ? `All ${graph.edges.length} edges, source → target. `
    : marked === null ? `The ${shown.length} strongest edges, source → target. `
    : `The marked cell's ${shown.length} edges, source → target. `;
  panel.more.textContent = all ? "Show fewer" : `Show all ${graph.edges.length}`;
};

// A question mark that opens what a term means in short; a link leads to more of it.
const explain = (title, given, say) => {
  const mark = make(title, "button", "ask", "?"), tip = make(title, "div", "tip", `${given.help} `);
  mark.setAttribute("aria-label", `What is ${given.title}?`);
  const link = make(tip, "a", "", "More in the glossary");
  link.href = given.link; // for a new tab; a plain click stays in this session, with its photos
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    say(given.term);
  };
  tip.popover = "auto";
  mark.popoverTargetElement = tip;
  const close = () => tip.hidePopover();
  tip.onbeforetoggle = ({ newState }) => {
    if (newState !== "open") return removeEventListener("scroll", close, true);
    const { left, top, bottom } = mark.getBoundingClientRect(), above = top > innerHeight / 2;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - 288))}px`;
    tip.style.top = above ? "auto" : `${bottom + 6}px`;
    tip.style.bottom = above ? `${innerHeight - top + 6}px` : "auto";
    addEventListener("scroll", close, true);
  };
};

const build = (root, data, say) => {
  root.replaceChildren();
  const board = { panels: [], marked: null, all: false };
  const panels = make(root, "div", ["panels", data.fade && "fade",
    data.panels.length === 1 && "alone"].filter(Boolean).join(" "));
  if (data.width) panels.style.maxWidth = data.width;
  for (const given of data.panels) {
    const panel = { given, cells: [] };
    const box = make(panels, "div", "panel");
    if (given.title) {
      const title = make(box, "p", "title");
      make(title, "span", "", given.title);
      if (given.help) explain(title, given, say);
    }
    if (given.missing) { make(box, "div", "missing", given.missing); continue; }
    const picture = make(box, "div", given.graph ? "picture dim" : "picture");
    Object.assign(make(picture, "img"), { src: data.face, alt: given.alt });
    if (given.graph) {
      panel.svg = draw("svg", { class: "arrows", viewBox: "0 0 7 7", "aria-hidden": "true" });
      picture.append(panel.svg);
    }
    const grid = make(picture, "div", "cells");
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", `${given.title || "Map"}: 7 by 7 cells, arrow keys move`);
    for (let row = 0; row < SIDE; row++) {
      const line = make(grid, "div", "row");
      line.setAttribute("role", "row");
      for (let column = 0; column < SIDE; column++) {
        const at = SIDE * row + column, cell = make(line, "button", "cell");
        cell.setAttribute("role", "gridcell");
        cell.setAttribute("aria-label", given.texts[at]);
        cell.style.background = given.fills[at];
        cell.style.setProperty("--rank", given.order?.[at] ?? 0);
        cell.tabIndex = at === 24 ? 0 : -1;
        cell.onmouseenter = cell.onfocus = () => point(at);
        cell.onmouseleave = cell.onblur = () => point(null);
        cell.onclick = () => { mark(at === board.marked ? null : at); say(board.marked ?? -1); };
        cell.onkeydown = (event) => {
          const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0],
            ArrowDown: [1, 0] }[event.key];
          if (!step) return;
          event.preventDefault();
          const [r, c] = [row + step[0], column + step[1]];
          if (r < 0 || c < 0 || r >= SIDE || c >= SIDE) return;
          for (const other of panel.cells) other.tabIndex = -1;
          panel.cells[SIDE * r + c].tabIndex = 0;
          panel.cells[SIDE * r + c].focus();
        };
        panel.cells.push(cell);
      }
    }
    if (given.graph) {
      const line = make(box, "p", "note");
      panel.count = make(line, "span");
      panel.more = make(line, "button", "more");
      panel.more.onclick = () => { board.all = !board.all; mark(board.marked); };
    }
    if (given.note) make(box, "p", "note", given.note);
    board.panels.push(panel);
  }
  if (data.legend) {
    const legend = make(root, "p", "legend");
    for (const [color, words] of data.legend) {
      const one = make(legend, "span");
      make(one, "span", "swatch").style.background = color;
      one.append(words);
    }
  }
  const reading = data.lines ? make(root, "p", "reading") : null;
  reading?.setAttribute("aria-live", "polite");

  const point = (at) => {
    for (const panel of board.panels)
      panel.cells.forEach((cell, index) => cell.classList.toggle("near", index === at));
    const read = at ?? board.marked;
    if (reading) reading.textContent = read === null ? data.hint : data.lines[read];
  };
  const mark = (at) => {
    board.marked = at;
    for (const panel of board.panels) {
      panel.cells.forEach((cell, index) => {
        cell.classList.toggle("marked", index === at);
        cell.setAttribute("aria-selected", index === at);
      });
      if (panel.given.graph) drawGraph(panel, panel.given.graph, at, board.all);
    }
    point(null);
  };
  board.mark = mark;
  return board;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const { cell, ...rest } = data, signature = JSON.stringify(rest);
  if (root.signature !== signature) {
    root.signature = signature;
    root.board = build(root, data, (at) => root.say(at));
  }
  root.say = (at) => setTriggerValue("clicked", at);
  root.board.mark(cell ?? null);
}
