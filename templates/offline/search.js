// The search of a folder that is read without a server. Words are folded as core/folding.py folds them: no accents, no
// capitals, no elisions; a word finds all words that begin with it, a plural also finds its singular.
"use strict";
(function () {
  var form = document.getElementById("search");
  var pieceSize = Number(form.dataset.piece);
  var most = 100;
  var loaded = {};
  var waiting = {};

  window.passerelleLoaded = function (kind, piece, value) {
    loaded[kind + piece] = value;
  };

  function load(kind, piece) {
    var name = kind + piece;
    if (!waiting[name]) {
      waiting[name] = new Promise(function (resolve) {
        var script = document.createElement("script");
        script.src = "search/" + kind + "-" + piece + ".js";
        script.onload = function () { resolve(loaded[name]); };
        script.onerror = function () { resolve(null); };
        document.head.appendChild(script);
      });
    }
    return waiting[name];
  }

  function wordsOf(text) {
    var folded = text.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae").replace(/[’‘ʼ]/g, "'")
      .normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    folded = folded.replace(/(^|[^\p{L}\p{N}])(?:[ldjmtsncq]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=[\p{L}\p{N}])/gu, "$1");
    return (folded.match(/[\p{L}\p{N}]+/gu) || []).map(function (word) { return word.slice(0, 24); });
  }

  function pieceOf(word) {
    return word.slice(0, 2).padEnd(2, "_").replace(/[^a-z0-9]/g, "_");
  }

  function numbersOf(word) {
    var stem = word.length > 3 ? word.replace(/[sx]$/, "") : word;
    if (stem.length < 2) {
      return Promise.resolve(new Set());
    }
    return load("words", pieceOf(stem)).then(function (words) {
      var numbers = new Set();
      Object.keys(words || {}).forEach(function (known) {
        if (known.startsWith(stem)) {
          words[known].forEach(function (number) { numbers.add(number); });
        }
      });
      return numbers;
    });
  }

  function show(posts) {
    var list = document.getElementById("found");
    list.replaceChildren.apply(list, posts.map(function (post) {
      var item = document.createElement("li");
      var link = document.createElement("a");
      var by = document.createElement("span");
      var excerpt = document.createElement("div");
      link.href = post[0];
      link.dir = by.dir = excerpt.dir = "auto";
      link.textContent = post[1] || post[4].slice(0, 60);
      by.className = "quiet";
      by.textContent = " " + post[2] + ", " + post[3];
      excerpt.textContent = post[4];
      item.append(link, by, excerpt);
      return item;
    }));
  }

  function tell(number) {
    var key = number === 0 ? "none" : number > most ? "many" : "some";
    document.getElementById("told").textContent = form.dataset[key].replace("#", number);
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var words = wordsOf(document.getElementById("asked").value);
    if (!words.length) {
      return;
    }
    Promise.all(words.map(numbersOf)).then(function (sets) {
      var numbers = Array.from(sets[0]).filter(function (number) {
        return sets.every(function (set) { return set.has(number); });
      }).sort(function (a, b) { return b - a; });
      tell(numbers.length);
      return Promise.all(numbers.slice(0, most).map(function (number) {
        return load("posts", Math.floor(number / pieceSize)).then(function (posts) {
          return posts[number % pieceSize];
        });
      }));
    }).then(show);
  });
})();
