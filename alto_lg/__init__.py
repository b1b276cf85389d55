"""alto_lg."""
