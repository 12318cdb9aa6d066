"""How the page looks: light or dark as the reader's system is, readable on a telephone."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2733; --quiet: #5b6977; --line: #dde3e9;
  --paper: #ffffff; --shade: #f4f7f9; --mark: #0b6e6e; --bar: #0f3b46; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf0; --quiet: #9fb0bf; --line: #303c47;
  --paper: #12181e; --shade: #1a222a; --mark: #6fd0c8; --bar: #0c2a33; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header { background: var(--bar); color: #f2f7f8;
  padding: 2.2rem max(1.25rem, 50vw - 32rem) 1.6rem; }
header p { margin: .35rem 0 0; max-width: 46rem; color: #c9dadd; }
header code { color: #ffffff; background: #ffffff22; }
main { max-width: 66.5rem; margin: 0 auto; padding: .5rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.4rem 0 .8rem; font-size: 1.25rem; }
code, pre { font-family: ui-monospace, Consolas, Menlo, "DejaVu Sans Mono", monospace;
  font-size: .875em; }
code { padding: .1em .35em; border-radius: 4px; background: var(--shade); overflow-wrap: anywhere;
  white-space: pre-wrap; }
pre { margin: 1rem 0; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--shade); overflow-x: auto; }
pre code { padding: 0; background: none; white-space: pre; overflow-wrap: normal; font-size: 1em; }
table { width: 100%; margin: 1rem 0; border-collapse: collapse; font-size: .94rem; }
th { text-align: left; font-weight: 600; color: var(--quiet);
  border-bottom: 2px solid var(--line); }
th, td { padding: .5rem .9rem .5rem 0; vertical-align: top; overflow-wrap: anywhere; }
td { border-bottom: 1px solid var(--line); }
td:first-child { min-width: 6rem; }
th:first-child:nth-last-child(2) { width: 32%; }
td:first-child code { color: var(--mark); font-weight: 600; padding-left: 0; background: none; }
td code + code { margin-left: .3rem; }
@media (max-width: 44rem) {
  header { padding-top: 1.5rem; }
  thead { position: absolute; left: -9999px; }
  table, tbody, tr, td { display: block; }
  tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  td { position: relative; padding: .15rem 0 .15rem 7rem; border: 0; }
  td:empty { display: none; }
  td::before { content: attr(data-title); position: absolute; left: 0; width: 6.5rem;
    color: var(--quiet); font-size: .9em; }
  td:first-child { padding: 0 0 .3rem; }
  td:first-child::before { content: none; }
}
"""
