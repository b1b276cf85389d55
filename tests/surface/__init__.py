"""LangGraph's surface, item by item: each test body runs on LangGraph as it is and on the accelerated graph."""
