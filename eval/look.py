"""The Look of the HTML page: its style sheet and its script, within the page, for it loads nothing."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fff; --raised: #f5f6f8; --ink: #1b1f24; --faint: #59626d; --rule: #d5dae0; --accent: #1456a0;
  --mark: #ffe58a; --mark-ink: #1b1f24; --gain: #17734f; --loss: #b23c17;
  --series-0: #1f6fb2; --series-1: #c2500c; --series-2: #1a7f5a; --series-3: #8a4fa3;
  --series-4: #846600; --series-5: #b3225f; --series-6: #4d6b75; --series-7: #5a4fcf; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171b; --raised: #1d2126; --ink: #e6e9ec; --faint: #a2acb7; --rule: #3a424b; --accent: #84b9f2;
  --mark: #6b5607; --mark-ink: #fff6d6; --gain: #5ec99a; --loss: #f08d68;
  --series-0: #6cb2f0; --series-1: #f29a5c; --series-2: #5ec99a; --series-3: #cf9be4;
  --series-4: #d9b945; --series-5: #f283b0; --series-6: #a3bfc9; --series-7: #a9a2f7; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 74rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .3rem; } h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
p { margin: .3rem 0 .8rem; max-width: 48rem; } .lead { font-size: 1.08rem; }
a { color: var(--accent); } .faint, figcaption { color: var(--faint); font-size: .9rem; }
.wide + .faint { margin-top: .4rem; }
.findings { margin: 1rem 0; padding: .9rem 1.2rem .9rem 2.2rem; background: var(--raised);
  border-left: 4px solid var(--accent); }
.findings li { margin: .25rem 0; max-width: 52rem; }
.wide { overflow-x: auto; background: linear-gradient(90deg, var(--paper) 40%, transparent) -1px 0 local,
    linear-gradient(-90deg, var(--paper) 40%, transparent) calc(100% + 1px) 0 local,
    linear-gradient(90deg, var(--rule), transparent) left scroll,
    linear-gradient(-90deg, var(--rule), transparent) right scroll;
  background-repeat: no-repeat; background-size: 2.4rem 100%, 2.4rem 100%, .8rem 100%, .8rem 100%; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
.number { text-align: right; } td.number { white-space: nowrap; } td small { display: block; color: var(--faint); }
tbody th { font-weight: 600; min-width: 7.5rem; }
:is(#scores, #answers, #answer-costs) tbody th { position: relative; padding-left: 2rem; }
:is(#scores, #answers, #answer-costs) .mark { position: absolute; left: .5rem; top: calc(.45rem + .775em - 7px); }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; }
th button::after { content: "\u00a0↕"; color: var(--faint); } th button:hover { text-decoration: underline; }
th[aria-sort=ascending] button::after { content: "\u00a0↑"; color: inherit; }
th[aria-sort=descending] button::after { content: "\u00a0↓"; color: inherit; }
.verdict { min-width: 12rem; } .better, .worse { font-weight: 600; } .better { color: var(--gain); }
.worse { color: var(--loss); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem 2rem; }
figure { margin: .8rem 0 0; } figure h3 { margin: 0 0 .2rem; } figcaption { margin-top: .2rem; }
.plot { width: 100%; max-width: 36rem; height: auto; font-size: 13px; } .plot text { fill: var(--faint); }
.plot .name { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.plot .axis { fill: var(--ink); }
.plot .rule, .plot .leader { stroke: var(--rule); fill: none; }
.plot .gain { fill: var(--gain); } .plot .loss { fill: var(--loss); } .plot .same { fill: var(--faint); }
.mark { vertical-align: -1px; margin-right: .4rem; }
.tools { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0 1rem; }
.tools input, .tools button { font: inherit; padding: .35rem .7rem; color: inherit; background: var(--raised);
  border: 1px solid var(--rule); border-radius: 4px; } .tools input { flex: 1 1 16rem; max-width: 30rem; }
details.question { border: 1px solid var(--rule); border-radius: 4px; margin: .5rem 0; }
details > summary { cursor: pointer; padding: .6rem .8rem; }
.question > summary strong { font-weight: 600; } .question[open] > summary { border-bottom: 1px solid var(--rule); }
.question > div { padding: .3rem .9rem 1rem; } .scores { display: block; color: var(--faint); font-size: .9rem; }
.scores span { margin-right: 1rem; white-space: nowrap; } .scores b { color: var(--ink); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem; }
.beside ol { list-style: none; margin: 0; padding: 0; }
.hit { border-top: 1px solid var(--rule); padding: .5rem 0 .6rem .7rem; border-left: 4px solid transparent; }
.hit.right { border-left-color: var(--gain); background: var(--raised); }
.hit p { margin: .2rem 0 0; font-size: .9rem; white-space: pre-line; }
.where { font-size: .82rem; color: var(--faint); overflow-wrap: anywhere; }
.where b { color: var(--ink); margin-right: .3rem; } .right .where strong { color: var(--gain); }
.answer { border: 1px solid var(--rule); border-radius: 4px; padding: .5rem .7rem; margin: 0 0 .8rem; }
.answer > p { white-space: pre-line; } .answer ul { list-style: none; margin: 0; padding: 0; }
.failed { border-left: 4px solid var(--loss); padding: .5rem .7rem; background: var(--raised); }
mark { background: var(--mark); color: var(--mark-ink); padding: 0 .1em; text-decoration: underline; }
dl { max-width: 52rem; } dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0 0 0 1.2rem; }
pre { white-space: pre-wrap; font-size: .82rem; background: var(--raised); padding: .7rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 56rem) { th, td { padding: .45rem .32rem; font-size: .88rem; }
  th:not([aria-sort]) button::after { content: ""; } }
@media (max-width: 40rem) { body { padding: 1rem .9rem 3rem; } h1 { font-size: 1.45rem; }
  th, td { padding: .4rem .45rem; font-size: .9rem; } }
@media print { .tools, th button::after { display: none; } body { max-width: none; font-size: 11pt; padding: 0; }
  figure, .hit, tr { break-inside: avoid; } .wide { overflow: visible; background: none; } }
"""

SCRIPT = """
"use strict";
function worth(row, column) {
  const cell = row.cells[column], value = cell.dataset.value;
  return value === undefined ? cell.textContent.trim() : value === "" ? -Infinity : Number(value);
}
function sort(button) {
  const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
  const down = head.getAttribute("aria-sort") !== "descending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = Array.from(body.rows), column = head.cellIndex;
  rows.sort((a, b) => {
    const x = worth(a, column), y = worth(b, column);
    const order = typeof x === "number" && typeof y === "number" ? (x < y ? -1 : x > y ? 1 : 0)
      : String(x).localeCompare(String(y));
    return down ? -order : order;
  });
  body.append(...rows);
}
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => sort(button));
const questions = Array.from(document.querySelectorAll("details.question"));
for (const button of document.querySelectorAll("[data-open]"))
  button.addEventListener("click", () => questions.forEach(one => { one.open = button.dataset.open === "yes"; }));
const filter = document.getElementById("filter");
if (filter) filter.addEventListener("input", () => {
  const wanted = filter.value.toLowerCase();
  for (const one of questions)
    one.hidden = !one.querySelector("summary").textContent.toLowerCase().includes(wanted);
});
"""
