"""Minutes and convocations on paper: PDF and OpenDocument, for the file that the law or a funder asks for."""
