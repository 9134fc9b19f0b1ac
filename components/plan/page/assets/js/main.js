// Draws everything, once.
drawHalls();
drawFabric();
drawCompute();
drawPower();
wireChanges();
// The panel is never empty: the rack that a change hits hardest, or the first.
chooseRack(RACKS.reduce((worst, rack) => ((dangerOf("racks", rack.index) ?? 9) < (dangerOf("racks", worst.index) ?? 9) ? rack : worst)));
document.getElementById("said").textContent = "";
document.body.classList.add("drawn");
