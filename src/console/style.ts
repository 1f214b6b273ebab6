/** The stylesheet of the console: a list for desks, phones and paper, and a display for the wall. */

export const STYLE = `
:root {
  --ink: #1c2430; --soft: #5a6675; --line: #d5dbe3; --paper: #fff; --wash: #f3f5f8;
  --go: #0b6b3a; --go-wash: #e2f4e9; --wait: #8a4b00; --wait-wash: #fff1dc; --off: #a3161f; --blue: #0b4f8a; --blue-wash: #e3effa;
  color-scheme: light;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; font: 16px/1.4 system-ui, "Noto Sans", "Noto Sans Malayalam", "Noto Sans Devanagari", sans-serif; color: var(--ink); background: var(--paper); }
#stale { position: sticky; top: 0; z-index: 1; margin: 0; padding: .5rem 1rem; background: var(--off); color: #fff; font-weight: 600; text-align: center; }
nav { display: flex; gap: .2rem 1.2rem; flex-wrap: wrap; padding: .4rem max(1rem, (100% - 58rem) / 2); background: var(--wash); border-bottom: 1px solid var(--line); }
nav a { color: var(--blue); text-decoration: none; padding: .3rem 0; }
nav a:hover { text-decoration: underline; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; }
.when { margin: .1rem 0 0; color: var(--soft); }
.asof { white-space: nowrap; }
.sum { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; padding: 0; margin: .8rem 0; }
.sum b { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.late { margin: .8rem 0; padding: .5rem .8rem; border-left: 4px solid var(--wait); background: var(--wait-wash); color: var(--wait); font-weight: 600; }

.list table { width: 100%; border-collapse: collapse; }
.list th { text-align: left; font-size: .8rem; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--ink); padding: .3rem .5rem; }
.list td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; vertical-align: baseline; }
.list .time, .list .token { white-space: nowrap; font-variant-numeric: tabular-nums; }
.list .token { font-weight: 600; }
.list .about { color: var(--soft); white-space: nowrap; }
.list .name { overflow-wrap: anywhere; }
.list .new { color: var(--wait); font-weight: 600; }
.list s { color: var(--soft); font-size: .8125rem; }
.list .group th { border-bottom: 1px solid var(--ink); padding-top: 1rem; font-size: .9375rem; color: var(--ink); }
.state { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; white-space: nowrap; font-size: .875rem; background: var(--wash); color: var(--soft); }
.waiting .state, .skipped .state { background: var(--wait-wash); color: var(--wait); font-weight: 600; }
.called .state { background: var(--blue-wash); color: var(--blue); font-weight: 700; }
.serving .state { background: var(--go); color: #fff; font-weight: 700; }
.missed .state { color: var(--off); }
tr.waiting td:first-child, tr.skipped td:first-child { box-shadow: inset 4px 0 var(--wait); }
tr.called td:first-child { box-shadow: inset 4px 0 var(--blue); }
tr.serving td:first-child { box-shadow: inset 4px 0 var(--go); }
tr.serving td { background: var(--go-wash); }
tr.called td { background: var(--blue-wash); }
tr.done td, tr.missed td, tr.cancelled td { color: var(--soft); }
tr.cancelled .name { text-decoration: line-through; }
.none { color: var(--soft); padding: 2rem 0; text-align: center; }

@media (max-width: 40rem) {
  main { padding: .7rem; }
  .list thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .list table, .list tbody { display: block; }
  .list tr { display: grid; grid-template-columns: 5.4rem 1fr auto; gap: 0 .6rem; padding: .45rem .2rem .45rem .6rem; border-bottom: 1px solid var(--line); }
  .list tr.group { display: block; padding: .8rem 0 .1rem; border: 0; } .list .group th { border: 0; padding: 0; }
  .list td { border: 0; padding: 0; }
  .list .name { grid-row: 1; grid-column: 2; } .list .token { grid-row: 1; grid-column: 3; text-align: right; }
  .list .about { grid-row: 2; grid-column: 2; font-size: .875rem; } .list .is { grid-row: 2; grid-column: 3; text-align: right; }
  .list .time { grid-row: 1 / 3; grid-column: 1; } .list .new { display: block; }
  .list tr td:first-child { box-shadow: none; }
  tr.waiting, tr.skipped { box-shadow: inset 4px 0 var(--wait); } tr.called { box-shadow: inset 4px 0 var(--blue); } tr.serving { box-shadow: inset 4px 0 var(--go); }
  tr.serving td, tr.called td { background: none; } tr.serving { background: var(--go-wash); } tr.called { background: var(--blue-wash); }
}

.display { background: #0d1b2a; color: #fff; min-height: 100vh; display: flex; flex-direction: column; }
.display main { flex: 1; width: 100%; max-width: none; padding: 2vmin 3vmin; align-content: start; }
.display header { display: flex; justify-content: space-between; align-items: baseline; gap: 2vmin; border-bottom: 2px solid #33475c; padding-bottom: 1vmin; }
.display h1 { font-size: clamp(1.3rem, 4vmin, 3rem); }
.display .when { color: #b7c4d3; font-size: clamp(1rem, 3vmin, 2rem); white-space: nowrap; }
.display .late { background: #4a3200; color: #ffd591; border-color: #ffb020; font-size: clamp(1rem, 2.8vmin, 2rem); margin: 1.5vmin 0 0; }
.display h2 { font-size: clamp(1.1rem, 3.2vmin, 2.4rem); color: #b7c4d3; font-weight: 500; margin: 2vmin 0 .6vmin; }
.display main { display: grid; gap: 0 4vmin; }
.display header, .display .late, .display .aside { grid-column: 1 / -1; }
.display li { white-space: nowrap; }
.display ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 1.6vmin; font-variant-numeric: tabular-nums; }
.display .in li { background: #0b7a43; border-radius: 1.4vmin; padding: .4vmin 4vmin; font-size: clamp(3rem, min(25vmin, 9.5vw), 18rem); line-height: 1.15; font-weight: 800; }
.display .with li { background: #1d3550; border-radius: 1.4vmin; padding: .4vmin 2.4vmin; font-size: clamp(1.6rem, 9vmin, 7rem); font-weight: 700; }
.display .next li { border: 2px solid #3d556f; border-radius: 1vmin; padding: .5vmin 1.8vmin; font-size: clamp(1.2rem, min(5.6vmin, 3vw), 4.4rem); font-weight: 600; }
.display .next li:first-child { border-color: #ffb020; color: #ffd591; }
.display .more, .display .aside { color: #b7c4d3; font-size: clamp(1rem, 2.6vmin, 1.8rem); margin: 2vmin 0 0; }
.display .aside { align-self: end; }
.display .none { color: #b7c4d3; font-size: clamp(1.2rem, 4vmin, 3rem); }
@media (min-aspect-ratio: 4/3) {
  .display main { grid-template: auto auto 1fr auto / 1fr auto; }
  .display .then { max-width: 44vw; }
  .display .now { grid-row: 3; grid-column: 1; } .display .then { grid-row: 3; grid-column: 2; }
  .display .aside { grid-row: 4; }
}
.display .in .fresh { animation: call 1.2s steps(1) 12; }
@keyframes call { 50% { background: #ffb020; color: #0d1b2a; } }
@media (prefers-reduced-motion: reduce) { .display .in .fresh { animation: none; background: #ffb020; color: #0d1b2a; } }

@media print {
  @page { size: A4; margin: 12mm; }
  nav, #stale { display: none !important; }
  main { max-width: none; padding: 0; }
  body { font-size: 10pt; line-height: 1.25; }
  h1 { font-size: 14pt; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  .list .group { break-after: avoid; } .list .group th { padding-top: 3mm; }
  .list td, .list th { padding: 1.3mm 2mm; }
  .sum { margin: 2mm 0; } .sum b { font-size: inherit; }
  .state { background: none !important; color: inherit !important; padding: 0; border-radius: 0; font-size: inherit; }
  tr td, .list .about, .list .new, .list s { color: #000 !important; background: none !important; }
  .late { color: #000; background: none; border: 1px solid #000; }
  .display, .display main { background: #fff; color: #000; min-height: 0; }
  .display .when, .display h2, .display .aside, .display .late, .display .next li:first-child { color: #000; background: none; }
  .display .in li, .display .with li { background: none; color: #000; border: 2px solid #000; }
}
`
