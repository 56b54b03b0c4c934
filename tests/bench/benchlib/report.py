"""The results for people and for machines, and the table in README.md."""
import json
import os
import pathlib
import platform
import re

from .rounds import Spread

BEGIN, END = "<!-- filled in by tests/bench/run -->", "<!-- until here -->"


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return {"cpu": model.group(1).strip() if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": f"Linux {platform.release().split('-')[0]}", "architecture": platform.machine()}


def machine_text(facts):
    return f"{facts['cpu']}, {facts['cores']} cores, {facts['kernel']}, loopback; clients and server share the cores"


def spreads(rounds, work, server):
    names = rounds.of(work, server)[0].figures
    return {name: Spread(rounds.figure(work, server, name).values()) for name in names
            if rounds.figure(work, server, name)}


def measured(rounds, works):
    """[(work, [(server, lockstep, {figure: Spread})])]"""
    table = []
    for work in works:
        lines = [(kind.name, rounds.of(work.key, kind.name)[0].lockstep, spreads(rounds, work.key, kind.name))
                 for kind in rounds.kinds if rounds.figure(work.key, kind.name, "cpu_us_per_block")]
        if lines:
            table.append((work, lines))
    return table


def works_table(table):
    out = ["| work | server | transfers/s | MB/s | CPU us per block | CPU us per transfer | ms per transfer |",
           "|---|---|---|---|---|---|---|"]
    for work, lines in table:
        for name, lockstep, figures in lines:
            cells = [f"({work.key}) {work.title}", name + (", lockstep" if lockstep else "")]
            for figure in ("transfers_per_second", "mb_per_second", "cpu_us_per_block", "cpu_us_per_transfer",
                           "ms_median"):
                empty = (figures["transfers_per_second"].most == 0 and figure in ("cpu_us_per_transfer", "ms_median")) or (
                    work.size == 0 and figure in ("mb_per_second", "cpu_us_per_block"))
                cells.append("-" if empty else figures[figure].text(digits(figures[figure].median)))
            out.append("| " + " | ".join(cells) + " |")
    return out


def digits(value):
    return "{:.0f}" if value >= 1000 else "{:.1f}" if value >= 100 else "{:.2f}"


def goals_table(rows):
    out = ["| figure | against | goal | measured: median (least to most) | |", "|---|---|---|---|---|"]
    for row in rows:
        value = row.value.text(digits(row.value.median)) if row.value else "not measured"
        mark = {True: "reached", False: "**not reached**", None: ""}[row.reached]
        bound = f"{'at most' if row.at_most else 'at least'} {row.goal:g}{' ' + row.unit if row.unit else ''}"
        out.append(f"| {row.figure} | {row.note} | {bound} | {value} | {mark} |")
    return out


def extra_tables(extra):
    out = []
    if extra.get("memory"):
        out += ["| open at once | terms | resident bytes each | of these beyond the window | descriptors each | left afterwards |",
                "|---|---|---|---|---|---|"]
        out += [f"| {one['transfers']} | {one['terms']} | {one['bytes_all']:.0f} | {one['bytes_each']:.0f} | "
                f"{one['descriptors_each']:.2f} | {one['left_kib']:.0f} KiB |" for one in extra["memory"]] + [""]
    if extra.get("steady"):
        out += ["| a block more, on the steady path, costs | allocations | system calls | which |", "|---|---|---|---|"]
        out += [f"| {one['terms']} | {one['allocations']} | {one['calls']} | {one['which']} |"
                for one in extra["steady"]] + [""]
    return out


def text(facts, rounds, table, rows, extra, command):
    skipped = [f"- {name}: {reason}" for name, reason in rounds.skipped.items()]
    wrong = sorted({f"- {one.server}, ({one.work}): {one.complaint}" for one in rounds.samples if one.complaint})
    lines = [f"Machine: {machine_text(facts)}.", f"Command: `{command}`.", "", "### Goals", "", *goals_table(rows), ""]
    lines += extra_tables(extra)
    lines += ["### Works", "", *works_table(table), ""]
    if skipped:
        lines += ["Not there, hence left out:", "", *skipped, ""]
    if wrong:
        lines += ["Did something wrong under this load, and is left out of that line:", "", *wrong, ""]
    return "\n".join(lines)


def as_json(facts, rounds, table, rows, extra, command):
    return json.dumps({
        "machine": facts, "command": command, "skipped": rounds.skipped,
        "goals": [{"figure": row.figure, "against": row.note, "goal": row.goal, "at_most": row.at_most,
                   "reached": row.reached, "value": row.value.as_json() if row.value else None} for row in rows],
        "works": [{"key": work.key, "title": work.title, "servers": [
            {"name": name, "lockstep": lockstep, **{key: value.as_json() for key, value in figures.items()}}
            for name, lockstep, figures in lines]} for work, lines in table],
        "extra": extra}, indent=1) + "\n"


def fill_in(readme, text_of_run):
    old = readme.read_text(encoding="utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{text_of_run}\n{END}{after}", encoding="utf-8")
