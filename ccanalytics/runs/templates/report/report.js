"use strict";
(function () {
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const touch = window.matchMedia("(pointer: coarse)").matches;
  const NARROW = 560;
  const ROW = 24; // least height of a named row in our charts, CSS pixels
  const PAPER = 690; // CSS pixels between the margins of A4

  // A long name in two or three short lines leaves room for what it names.
  function wrapped(text) {
    return text.replace(/(.{10,16}?)\s+(?=\S)/g, "$1<br>");
  }

  // Names of two or three lines need rows as high: the chart grows by what they lack.
  function roomFor(drawing, names) {
    const rows = new Set();
    drawing.data.forEach(function (trace) {
      if (Array.isArray(trace.y)) trace.y.forEach(function (name) {
        if (typeof name === "string") rows.add(name);
      });
    });
    const lines = Object.values(names).map(function (name) { return name.split("<br>").length; });
    const wanted = 14 * Math.max(1, ...lines) + 8;
    return lines.length ? Math.max(0, wanted - ROW) * rows.size : 0;
  }

  function narrowed(drawing) {
    const layout = drawing.layout;
    layout.font = Object.assign({}, layout.font, { size: 12 });
    layout.legend = Object.assign({}, layout.legend, { font: { size: 12 } });
    layout.margin = Object.assign({}, layout.margin, { l: 4, r: 10 });
    const names = {};
    drawing.data.forEach(function (trace) {
      if (trace.type === "heatmap") {
        trace.xgap = trace.ygap = 0;
        if (trace.colorbar) trace.colorbar.len = 0.8;
      }
      if (Array.isArray(trace.y)) {
        trace.y.forEach(function (name) {
          if (typeof name === "string" && name.length > 16) names[name] = wrapped(name);
        });
      }
    });
    ["xaxis", "yaxis"].forEach(function (letter) {
      Object.keys(layout).concat([letter]).forEach(function (key) {
        if (!key.startsWith(letter)) return;
        const axis = (layout[key] = Object.assign({}, layout[key]));
        const marks = axis.tickvals || [];
        if (letter === "xaxis" && marks.length > 7) {
          const step = Math.ceil(marks.length / 6);
          const kept = function (_, index) { return index % step === 0; };
          axis.tickvals = Array.from(marks).filter(kept);
          if (axis.ticktext) axis.ticktext = Array.from(axis.ticktext).filter(kept);
        }
        axis.tickfont = Object.assign({ size: 11 }, axis.tickfont);
        if (letter === "yaxis") axis.labelalias = Object.assign({}, names, axis.labelalias);
      });
    });
    return roomFor(drawing, names);
  }

  function draw(figure) {
    const plot = figure.querySelector(".plot");
    const drawing = JSON.parse(figure.querySelector("script").textContent);
    const layout = drawing.layout;
    layout.template = templates[layout.template];
    layout.autosize = true;
    if (plot.clientWidth < NARROW) {
      const more = narrowed(drawing);
      layout.height += more;
      plot.style.height = parseFloat(plot.style.height) + more + "px";
    }
    // A finger that scrolls the page must not zoom the chart.
    if (touch) layout.dragmode = false;
    return Plotly.newPlot(plot, drawing.data, layout, {
      displaylogo: false,
      showSendToCloud: false,
      plotlyServerURL: "",
      displayModeBar: touch ? false : "hover",
      responsive: true,
      showTips: false,
    });
  }

  const figures = Array.from(document.querySelectorAll("figure.chart"));
  Promise.all(
    figures.map(function (figure) {
      return Promise.resolve()
        .then(function () { return draw(figure); })
        .catch(function (error) {
          const plot = figure.querySelector(".plot");
          plot.textContent = "This chart could not be drawn: " + error.message;
          plot.classList.add("broken");
          console.error(error);
        });
    })
  ).then(function () { document.documentElement.dataset.charts = "drawn"; });

  function resize(width, share) {
    document.querySelectorAll(".js-plotly-plot").forEach(function (plot) {
      const full = plot.dataset.height || (plot.dataset.height = parseFloat(plot.style.height));
      const height = Math.round(full * share);
      plot.style.height = height + "px";
      Plotly.relayout(plot, { autosize: !width, width: width, height: height });
    });
  }
  window.addEventListener("beforeprint", function () { resize(PAPER, 0.85); });
  window.addEventListener("afterprint", function () { resize(null, 1); });
})();
