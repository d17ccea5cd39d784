"""Reports: lists of moments, comparisons, the HTML page and its data, a workbook."""
