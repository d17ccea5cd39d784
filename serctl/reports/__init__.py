"""Reports: the HTML page, its data, and a workbook."""
