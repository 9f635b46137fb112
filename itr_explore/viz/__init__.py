"""Numbers to plotly figures."""
