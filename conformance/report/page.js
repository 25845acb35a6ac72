// Only comfort: without it every case is still there, and so is the filter.
(function () {
  "use strict";
  var cases = document.querySelectorAll("details.case");
  function openTarget() {
    var id = location.hash.slice(1); // as links and ids are written
    var target = id && document.getElementById(id);
    if (target && target.tagName === "DETAILS") {
      var all = document.getElementById("only-all");
      if (all) { all.checked = true; }
      target.open = true;
      target.scrollIntoView();
    }
  }
  function setAll(open) {
    cases.forEach(function (c) { c.open = open && getComputedStyle(c).display !== "none"; });
  }
  var button = document.getElementById("open-all");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", open ? "true" : "false");
      button.textContent = open ? "Close all" : "Open all";
      setAll(open);
    });
  }
  window.addEventListener("hashchange", openTarget);
  window.addEventListener("beforeprint", function () { setAll(true); });
  openTarget();
})();
