/* Runs last on a page whose script is a file, and says so where that is not where it should be: it sets the mark. */
document.getElementById("no-script").hidden = "ready" in document.documentElement.dataset;
