// Charts of a saved page, by plotly: drawn for the scheme of its reader, and anew when that changes.

const night = matchMedia("(prefers-color-scheme: dark)");

function drawCharts() {
  for (const host of document.querySelectorAll("[data-chart]")) {
    const [light, dark] = JSON.parse(host.nextElementSibling.textContent);
    const { data, layout } = night.matches ? dark : light;
    Plotly.react(host, data, { ...layout, autosize: true }, { responsive: true, displayModeBar: false });
  }
}

night.addEventListener("change", drawCharts);
drawCharts();
