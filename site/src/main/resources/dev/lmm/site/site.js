(function () {
  "use strict";
  var root = document.body.dataset.root, input = document.getElementById("search"),
      results = document.getElementById("results"), index = window.LMM_INDEX || [], chosen = -1;

  function find(query) {
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    return index.map(function (entry) {
      var page = entry[0].toLowerCase(), title = entry[1].toLowerCase(), text = entry[3].toLowerCase(), score = 0;
      for (var i = 0; i < words.length; i++) {
        var w = words[i], s = (title.indexOf(w) >= 0 ? 12 : 0) + (page.indexOf(w) >= 0 ? 6 : 0)
            + Math.min(5, text.split(w).length - 1);
        if (!s) return null;
        score += s;
      }
      return { entry: entry, score: score, word: words[0] };
    }).filter(Boolean).sort(function (a, b) { return b.score - a.score; }).slice(0, 12);
  }

  function show() {
    results.textContent = "";
    chosen = -1;
    var query = input.value.trim(), found = find(query);
    results.style.display = query ? "block" : "none";
    found.forEach(function (hit) {
      var link = document.createElement("a"), small = document.createElement("small"), text = hit.entry[3];
      link.href = root + hit.entry[2];
      link.appendChild(document.createElement("b")).textContent = hit.entry[1];
      var at = Math.max(0, text.toLowerCase().indexOf(hit.word) - 50);
      small.textContent = (hit.entry[0] === hit.entry[1] ? "" : hit.entry[0] + " · ")
          + (at ? "…" : "") + text.substr(at, 150);
      link.appendChild(small);
      results.appendChild(link);
    });
    if (query && !found.length) results.appendChild(document.createElement("p")).textContent = "Nothing found";
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", function (event) {
    var links = results.querySelectorAll("a");
    if (event.key === "Escape") { input.value = ""; show(); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = Math.max(0, Math.min(links.length - 1, chosen + (event.key === "ArrowDown" ? 1 : -1)));
      links.forEach(function (link, i) { link.className = i === chosen ? "on" : ""; });
    }
    if (event.key === "Enter" && links.length) location.href = links[Math.max(0, chosen)].href;
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
  });
  document.addEventListener("click", function (event) {
    if (!event.target.closest(".search")) results.style.display = "none";
  });
  document.getElementById("menu").addEventListener("click", function () {
    document.getElementById("nav").classList.toggle("open");
  });
  document.querySelectorAll("pre").forEach(function (block) {
    if (!navigator.clipboard) return;
    var button = document.createElement("button");
    button.textContent = "Copy";
    button.onclick = function () {
      navigator.clipboard.writeText(block.querySelector("code").textContent)
          .then(function () { button.textContent = "Copied"; });
    };
    block.appendChild(button);
  });
  var asked = new URLSearchParams(location.search).get("q");
  if (asked) { input.value = asked; show(); }
})();
