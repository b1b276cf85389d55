"""Several servers behind one client: arms that differ in how they spread their calls, and a simulation of many more."""
