# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Style and script of a ruleset's page; the page names their digests, so nothing else runs in it."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --fg: #1a1d21; --bg: #fff; --soft: #f3f5f7; --line: #d5dae0; --dim: #5b6570;
  --link: #0b5cad; --macro: #6b3fa0; --list: #13714a; --exception: #9a4a00; --error: #b3261e; --warning: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --fg: #e4e8ec; --bg: #14171a; --soft: #1e2328; --line: #363d45;
  --dim: #9aa5b1; --link: #79b8ff; --macro: #c9a6ff; --list: #7fd6ae; --exception: #ffb77a; --error: #ff8a80;
  --warning: #f0c060; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); margin: 0 auto; max-width: 70rem;
  padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
a { color: var(--link); }
code, pre, .tree { font: 13px/1.5 ui-monospace, monospace; }
pre { background: var(--soft); padding: .5rem .75rem; margin: .25rem 0; white-space: pre-wrap; border-radius: 4px; }
.search { position: sticky; top: 0; background: var(--bg); padding: .5rem 0; border-bottom: 1px solid var(--line);
  display: flex; gap: .75rem; align-items: center; }
.search input { flex: 1; font: inherit; padding: .4rem .6rem; color: inherit; background: var(--soft);
  border: 1px solid var(--line); border-radius: 4px; }
.entry { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .75rem;
  scroll-margin-top: 4rem; }
.entry > summary { cursor: pointer; padding: .5rem 0; display: flex; flex-wrap: wrap; gap: .25rem .6rem;
  align-items: baseline; }
.entry > summary b { flex: 1 1 20rem; }
.entry[open] { padding-bottom: .75rem; }
.entry:target { border-color: var(--link); }
.badge { font-size: .8rem; padding: 0 .45rem; border: 1px solid var(--line); border-radius: 99px; color: var(--dim); }
.badge.error { color: var(--error); border-color: currentColor; }
.badge.warning { color: var(--warning); border-color: currentColor; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .25rem 0; }
dt { color: var(--dim); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0;
  border-bottom: 1px solid var(--line); }
.tree ul { list-style: none; margin: 0; padding-left: 1.1rem; border-left: 1px solid var(--line); }
.tree > ul { border: 0; padding: 0; }
.word { color: var(--dim); }
.macro { color: var(--macro); } .list { color: var(--list); } .exception { color: var(--exception); }
.place { color: var(--dim); font-size: .85em; margin-left: .6em; }
.finding.error { color: var(--error); } .finding.warning { color: var(--warning); }
[hidden] { display: none !important; }
@media print { .search { display: none; } }
"""

SCRIPT = """
'use strict';
const field = document.getElementById('search');
const count = document.getElementById('count');
const entries = Array.from(document.querySelectorAll('.entry'));
const texts = entries.map(entry => entry.textContent.toLowerCase());
function search() {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  entries.forEach((entry, at) => {
    entry.hidden = !words.every(word => texts[at].includes(word));
    if (!entry.hidden) shown += 1;
  });
  count.textContent = words.length ? shown + ' of ' + entries.length : '';
}
function open() {
  const found = document.getElementById(location.hash.slice(1));
  if (!found || !found.classList.contains('entry')) return;
  found.open = true;
  if (found.hidden) { field.value = ''; search(); }
  found.scrollIntoView();
}
field.addEventListener('input', search);
window.addEventListener('hashchange', open);
document.querySelector('.search').hidden = false;
open();
"""
