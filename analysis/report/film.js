"use strict";
(function () {
  const films = JSON.parse(document.getElementById("film-data").textContent);
  const part = (name) => document.getElementById("film-" + name);
  const colours = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161"];
  const box = { left: 52, right: 12, top: 28, bottom: 26, width: 720, height: 150 };
  let film = films[0], timer = null;

  function make(name, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function top() { // the same scale for the whole film
    let most = 1;
    const look = (values) => values.forEach((v) => Array.isArray(v) ? look(v) : (most = Math.max(most, v)));
    look(film.mean);
    Object.values(film.expectation).forEach(look);
    return most * 1.05;
  }

  function line(values, x, y) {
    return values.map((v, k) => (k ? "L" : "M") + x(film.time[k]).toFixed(1) + " " + y(v).toFixed(1)).join("");
  }

  function draw() {
    const at = Number(part("slider").value), probe = film.probes[at], svg = part("picture");
    const most = top(), last = film.time[film.time.length - 1];
    const x = (t) => box.left + (box.width - box.left - box.right) * t / last;
    box.width = Math.max(280, svg.clientWidth || 720); // one unit a pixel: text keeps its size on a phone
    svg.replaceChildren();
    svg.setAttribute("viewBox", "0 0 " + box.width + " " + box.height * film.events.length);
    film.events.forEach((event, k) => {
      const base = box.height * (k + 1) - box.bottom, colour = colours[k % colours.length];
      const y = (v) => base - (box.height - box.top - box.bottom) * Math.min(most, Math.max(v, 0)) / most;
      svg.append(make("path", { d: "M" + box.left + " " + (base - box.height + box.top + box.bottom) + "V" + base + "H" +
        (box.width - box.right), fill: "none", stroke: "#555" }));
      for (const mark of [0, most / 1.05]) {
        svg.append(make("text", { x: box.left - 6, y: y(mark) + 5, "text-anchor": "end", "font-size": 14 },
          (mark / 1000).toFixed(2)));
      }
      const ticks = box.width < 500 ? 2 : 4;
      for (let j = 0; j <= ticks; j++) {
        svg.append(make("text", { x: x(last * j / ticks), y: base + 17, "text-anchor": j === ticks ? "end" : "middle",
          "font-size": 14 }, (last * j / ticks).toFixed(2) + (j === ticks ? " s" : "")));
      }
      svg.append(make("text", { x: box.left + 6, y: base - box.height + box.top + box.bottom - 6, "font-size": 15,
        "font-weight": 600, fill: "#1a1a1a" }, event));
      if (film.low) {
        const back = film.high[at][k].map((v, i) => [film.time[i], v]).reverse();
        svg.append(make("path", { d: line(film.low[at][k], x, y) + back.map((p) => "L" + x(p[0]).toFixed(1) + " " +
          y(p[1]).toFixed(1)).join("") + "Z", fill: colour, opacity: 0.25 }));
      }
      svg.append(make("path", { d: line(film.mean[at][k], x, y), fill: "none", stroke: colour, "stroke-width": 2.5 }));
      svg.append(make("path", { d: line(film.expectation[probe[0]][k], x, y), fill: "none", stroke: "#1a1a1a",
        "stroke-width": 1.5, "stroke-dasharray": "6 4" }));
    });
    const words = "Block " + probe[0] + ", after " + probe[1] + " of its training trials (" + probe[2] +
      " in all): error " + probe[3].toFixed(3);
    part("said").textContent = words;
    part("slider").setAttribute("aria-valuetext", words);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    part("play").textContent = "Play";
  }

  function play() {
    if (timer) return stop();
    const slider = part("slider");
    if (slider.value === slider.max) slider.value = 0;
    part("play").textContent = "Pause";
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      draw();
      if (slider.value === slider.max) stop();
    }, 120);
  }

  function choose() {
    stop();
    film = films[part("choice") ? Number(part("choice").value) : 0];
    part("slider").max = film.probes.length - 1;
    part("slider").value = 0;
    part("seeds").textContent = film.low ? "mean and " + film.spread + ", " + film.seeds + " seeds" : "one seed";
    draw();
  }

  part("slider").addEventListener("input", () => { stop(); draw(); });
  part("play").addEventListener("click", play);
  if (part("choice")) part("choice").addEventListener("change", choose);
  window.addEventListener("resize", draw);
  document.getElementById("film-box").hidden = false;
  choose();
})();
