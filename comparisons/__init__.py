"""Side-by-side measurements, and the simulated model server they run on."""
