"use strict";
(() => {
  const make = (name, props = {}, ...children) => {
    const node = Object.assign(document.createElement(name), props);
    node.append(...children);
    return node;
  };
  const raw = JSON.parse(document.getElementById("samples").textContent);
  const dialog = make("dialog", {}, make("form", { method: "dialog" }, make("button", { textContent: "close" })), make("div"));
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  const show = (...nodes) => { dialog.lastChild.replaceChildren(...nodes); dialog.showModal(); };

  const theme = make("button", { id: "theme", type: "button", textContent: "light / dark" });
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.body.append(theme);

  const value = (cell) => cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim();
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  for (const table of document.querySelectorAll(".scroll table")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => (down ? -1 : 1) * compare(value(a.cells[column]), value(b.cells[column])));
        table.tBodies[0].append(...rows);
      });
    });
  }

  for (const box of document.querySelectorAll(".scroll[data-search]")) {
    const rows = [...box.querySelectorAll("tbody tr")];
    if (rows.length < 6) continue;
    const input = make("input", { type: "search", placeholder: "filter by any name" });
    const count = make("span", { textContent: `${rows.length} rows` });
    const families = [...new Set([...box.querySelectorAll("td:first-child code[data-f]")].map((code) => code.dataset.f))];
    const chips = families.length < 2 ? [] : families.map((family) => make("button", { type: "button", textContent: family }));
    const filter = () => {
      const wanted = input.value.toLowerCase();
      const pressed = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.textContent);
      let shown = 0;
      for (const row of rows) {
        const family = row.cells[0].querySelector("code[data-f]")?.dataset.f;
        const kept = row.textContent.toLowerCase().includes(wanted) && (!pressed.length || pressed.includes(family));
        row.hidden = !kept;
        shown += kept;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    input.addEventListener("input", filter);
    for (const chip of chips) chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
      filter();
    });
    box.before(make("div", { className: "controls" }, input, ...chips, count));
  }

  const strip = (values) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 600 70");
    const low = Math.min(...values), high = Math.max(...values), width = high - low || 1;
    values.forEach((each, index) => {
      const dot = document.createElementNS(space, "circle");
      dot.setAttribute("cx", 10 + 580 * (each - low) / width);
      dot.setAttribute("cy", 15 + (index * 37) % 40);
      dot.setAttribute("r", 3);
      dot.setAttribute("fill", "var(--torch)");
      svg.append(dot);
    });
    return svg;
  };
  for (const cell of document.querySelectorAll("td[data-s]")) {
    const button = make("button", { type: "button", textContent: cell.textContent, title: "every sample" });
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const [name, unit, values] = raw[cell.dataset.s];
      const ms = values.map((each) => each * unit * 1e3);
      const line = `${values.length} samples, ${Math.min(...ms).toPrecision(4)} to ${Math.max(...ms).toPrecision(4)} ms`;
      show(make("h3", { textContent: name }), make("p", { textContent: line }), strip(ms),
        make("p", { className: "values", textContent: ms.map((each) => each.toPrecision(4)).join(" ") }));
    });
  }

  for (const figure of document.querySelectorAll(".drawn")) {
    figure.addEventListener("click", () => show(figure.firstElementChild.cloneNode(true)));
  }

  for (const slider of document.querySelectorAll(".slider")) {
    const images = [...slider.querySelectorAll("img")];
    const names = images.map((image) => image.alt);
    const under = make("img", { src: images[0].src, alt: names[0] });
    const over = make("img", { src: images.at(-1).src, alt: names.at(-1), className: "over" });
    const pair = make("div", { className: "pair" }, under, over);
    const choose = (image, first) => {
      const select = make("select", {}, ...names.map((name, index) => make("option", { value: index, textContent: name })));
      select.value = first;
      select.addEventListener("change", () => { image.src = images[select.value].src; image.alt = names[select.value]; });
      return select;
    };
    const range = make("input", { type: "range", min: 0, max: 100, value: 50, ariaLabel: "where one ends and the other begins" });
    range.addEventListener("input", () => pair.style.setProperty("--at", `${range.value}%`));
    const selects = make("div", { className: "controls" }, choose(under, 0), choose(over, names.length - 1));
    slider.before(make("div", { className: "compare" }, pair, range, selects));
  }
})();
