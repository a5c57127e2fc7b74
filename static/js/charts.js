/** The response curve of the dashboard: the numbers of the JSON block, drawn by Chart.js. The table below says the same. */

const DAY = 86_400_000;
const style = getComputedStyle(document.documentElement);
const token = (name) => style.getPropertyValue(name).trim();

/** A day counted from the first, as people write it: 12 oct. */
function dayFormat(start) {
  const first = Date.parse(`${start}T12:00:00Z`);
  const format = new Intl.DateTimeFormat("fr-FR", { day: "numeric", month: "short", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat("fr-FR", { dateStyle: "full", timeZone: "UTC" });
  return {
    short: (offset) => format.format(new Date(first + offset * DAY)),
    long: (offset) => long.format(new Date(first + offset * DAY)),
  };
}

/** Vertical lines on the days of mailings, numbered; their names are in the table of mailings. */
function marks(waves) {
  return {
    id: "marks",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      ctx.save();
      ctx.font = `700 13px ${token("--font")}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      waves.forEach(([offset], index) => {
        const x = scales.x.getPixelForValue(offset);
        ctx.strokeStyle = token("--warmth");
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
        ctx.fillStyle = token("--warmth");
        ctx.beginPath();
        ctx.arc(x, chartArea.top - 12, 11, 0, Math.PI * 2);
        ctx.fill();
        ctx.fillStyle = "#fff";
        ctx.fillText(String(index + 1), x, chartArea.top - 11);
      });
      ctx.restore();
    },
  };
}

/** The list under the curve that says what each numbered line is. */
function legend(waves, days, box) {
  if (!waves.length) return;
  const list = document.createElement("ol");
  list.className = "waves";
  for (const [offset, label] of waves) {
    const line = document.createElement("li");
    line.textContent = `${days.short(offset)} : ${label}`;
    list.append(line);
  }
  box.after(list);
}

function drawCurve(canvas, data) {
  const days = dayFormat(data.start);
  const number = new Intl.NumberFormat("fr-FR");
  const box = canvas.parentElement;
  box.hidden = false;
  const points = [{ x: 0, y: 0 }, ...data.points.map(([x, y]) => ({ x, y }))];
  const last = Math.max(data.reply_by, points.at(-1).x, ...data.waves.map(([offset]) => offset)) + 1;
  new window.Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        {
          label: "Réponses reçues",
          data: points,
          borderColor: token("--accent"),
          backgroundColor: token("--accent-soft"),
          borderWidth: 3,
          pointRadius: 0,
          pointHitRadius: 12,
          stepped: "after",
          fill: true,
        },
        {
          label: "Dossiers interrogés",
          data: [
            { x: 0, y: data.surveyed },
            { x: last, y: data.surveyed },
          ],
          borderColor: token("--line-strong"),
          borderDash: [8, 6],
          borderWidth: 2,
          pointRadius: 0,
          pointHitRadius: 0,
        },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      layout: { padding: { top: 26 } },
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: {
          type: "linear",
          min: 0,
          max: last,
          grid: { display: false },
          ticks: { callback: days.short, maxRotation: 0, autoSkipPadding: 24, stepSize: 7, color: token("--ink-soft") },
        },
        y: {
          beginAtZero: true,
          suggestedMax: data.surveyed,
          grid: { color: token("--line") },
          ticks: { callback: (value) => number.format(value), precision: 0, color: token("--ink-soft") },
        },
      },
      plugins: {
        legend: { position: "bottom", labels: { usePointStyle: true, pointStyle: "line", color: token("--ink") } },
        tooltip: {
          filter: (item) => item.datasetIndex === 0,
          callbacks: {
            title: (items) => (items.length ? days.long(items[0].parsed.x) : ""),
            label: (item) => `${number.format(item.parsed.y)} réponses`,
          },
        },
      },
    },
    plugins: [marks(data.waves)],
  });
  legend(data.waves, days, box);
}

const block = document.getElementById("curve-data");
const canvas = document.getElementById("curve");
if (block && canvas && window.Chart) {
  window.Chart.defaults.font.family = token("--font");
  window.Chart.defaults.font.size = 14;
  drawCurve(canvas, JSON.parse(block.textContent));
}
