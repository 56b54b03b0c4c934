#!/usr/bin/python3
"""The plugin firmware in the real server: its answers, hashes, reloads and records, and the commands that look at them."""
import hashlib
import json
import os
import pathlib
import re
import time

import tftplib
from tftplib import Client, Failed, Server, Tree, binary, fetch, pattern, run

INVENTORY = '''mac,serial,ip,vendor,model,hostname,group,version,ring
00:15:65:12:34:ab,,127.0.0.2,yealink,T46S,ph-1,phones,66.84.0.15,
,FDO21120U8N,127.0.0.3,cisco,N9K-C93,leaf-1,dc,9.3(5),canary
,FDO21120U9P,127.0.0.4,cisco,N9K-C93,"leaf-2 & ""lab""",dc,9.3(5),hold
'''
LAST = {"id": "last", "then": {"refuse": {"code": 1, "message": "File not found"}}}


def image(content, version, file, wrong=False):
    return {"model": "nxos", "version": version, "file": file, "size": len(content),
            "sha256": hashlib.sha256(content + (b"x" if wrong else b"")).hexdigest()}


def nexus_rules(catalogue, **channel):
    return {"channels": {"nxos": {"stable": "9.3.10", "canary": "10.2.5", "key": "serial", **channel}},
            "catalogue": catalogue,
            "rules": [{"id": "nxos", "when": {"name": "nxos.bin", "model": "N9K-*"}, "companions": [".md5"],
                       "then": {"channel": "nxos", "image": {"model": "nxos"}}}, LAST]}


class Fleet(Tree):
    """A root with images, rules and devices, and the configuration firmware -> file."""

    def __enter__(self):
        super().__enter__()
        self.old = self.file("images/nxos.9.bin", pattern(30000, seed=9))
        self.new = self.file("images/nxos.10.bin", pattern(40000, seed=10))
        self.file("images/nxos.9.bin.md5", b"md5 of 9\n")
        self.file("images/nxos.10.bin.md5", b"md5 of 10\n")
        self.put("devices.csv", INVENTORY)
        self.put("templates/phone.cfg.tmpl", "name = {{hostname}}\nmac = {{mac_colons}}\n")
        self.rules(nexus_rules([image(self.old, "9.3.10", "images/nxos.9.bin"), image(self.new, "10.2.5", "images/nxos.10.bin")]))
        return self

    def put(self, name, text):
        """Replaces a file beside the root, as editors do."""
        path = self.base / name
        path.parent.mkdir(exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
        return path

    def rules(self, rules):
        return self.put("rules.json", json.dumps(rules, indent=1))

    def server(self, **settings):
        settings = {"rules": "rules.json", "inventory": "devices.csv", "root": "root", "templates": "templates",
                    "record": "given.jsonl", **settings}
        config = self.config(instances=[{"name": "firmware", "plugin": "firmware", "settings": settings},
                                        {"name": "files", "plugin": "file", "settings": {"root": "root"}}],
                             routes=[{"to": ["firmware", "files"]}])
        return Server(arguments=["--config", config])

    def lines(self, file="given.jsonl"):
        return [json.loads(line) for line in (self.base / file).read_text(encoding="utf-8").splitlines()]

    def wait_lines(self, count, file="given.jsonl"):
        end = time.monotonic() + 30
        while not (self.base / file).exists() or len(self.lines(file)) < count:
            if time.monotonic() > end:
                raise Failed(f"waited 30 s for {count} lines in {file}")
            time.sleep(0.02)
        return self.lines(file)


def refused(server, name, code, peer="127.0.0.1"):
    return tftplib.refused(server.address, name, code, local=(peer, 0))


def test_each_device_gets_the_image_of_its_side_and_the_checksum_that_belongs_to_it():
    with Fleet() as fleet, fleet.server() as server:
        server.wait_log("image images/nxos.10.bin: it is what the catalogue says")
        server.wait_log("image images/nxos.9.bin: it is what the catalogue says")
        assert fetch(server.address, "nxos.bin", local=("127.0.0.3", 0)).content == fleet.new
        assert fetch(server.address, "nxos.bin", local=("127.0.0.4", 0)).content == fleet.old
        assert fetch(server.address, "nxos.bin.md5", local=("127.0.0.3", 0)).content == b"md5 of 10\n"
        assert fetch(server.address, "nxos.bin.md5", local=("127.0.0.4", 0)).content == b"md5 of 9\n"
        assert refused(server, "nxos.bin", 1, "127.0.0.2") == "File not found"
        assert refused(server, "images/nxos.9.bin", 1) == "File not found"


def test_an_image_with_a_wrong_hash_is_reported_with_its_rule_and_never_served():
    with Fleet() as fleet:
        fleet.rules(nexus_rules([image(fleet.old, "9.3.10", "images/nxos.9.bin"),
                                 image(fleet.new, "10.2.5", "images/nxos.10.bin", wrong=True)]))
        with fleet.server() as server:
            server.wait_log("image images/nxos.10.bin is not handed out: its SHA-256 is " + hashlib.sha256(fleet.new).hexdigest())
            server.wait_log('/catalogue/1; asked for by rule \\"nxos\\" (')
            server.wait_log("image images/nxos.9.bin: it is what the catalogue says")
            assert "is not what the catalogue says" in refused(server, "nxos.bin", 2, "127.0.0.3")
            assert fetch(server.address, "nxos.bin", local=("127.0.0.4", 0)).content == fleet.old
            # A file that changes under way is looked at again before anybody gets it.
            fleet.file("images/nxos.9.bin", pattern(30000, seed=99))
            refused(server, "nxos.bin", None, "127.0.0.4")
            server.wait_log("image images/nxos.9.bin is not handed out: its SHA-256 is ")
            refused(server, "nxos.bin", 2, "127.0.0.4")
            refusals = [line for line in fleet.wait_lines(4) if line["outcome"] == "refused"]
            assert {line["version"] for line in refusals} == {"9.3.10", "10.2.5"}, refusals


def test_a_missing_file_of_the_catalogue_is_reported_and_a_wrong_size_needs_no_hash():
    with Fleet() as fleet:
        wrong_size = image(fleet.old, "9.3.10", "images/nxos.9.bin") | {"size": 1}
        fleet.rules(nexus_rules([wrong_size, image(b"x", "10.2.5", "images/none.bin")]))
        with fleet.server() as server:
            server.wait_log("image images/none.bin is not handed out: there is no such file")
            server.wait_log("image images/nxos.9.bin is not handed out: it has 30000 bytes, and the catalogue says 1")
            refused(server, "nxos.bin", 1, "127.0.0.3")
            refused(server, "nxos.bin", 2, "127.0.0.4")


def test_rules_change_while_transfers_run_and_a_mistake_keeps_the_old_ones():
    with Fleet() as fleet, fleet.server(remember="0") as server:
        server.wait_log("image images/nxos.10.bin: it is what the catalogue says")
        with Client(server.address, local=("127.0.0.3", 0)) as client:
            client.rrq("nxos.bin")
            first = client.expect_data(1)
            client.ack(1)
            rules = json.loads((fleet.base / "rules.json").read_text(encoding="utf-8"))
            rules["rules"].insert(0, {"id": "closed", "when": {"name": "nxos.bin"},
                                      "then": {"refuse": {"code": 2, "message": "not today"}}})
            fleet.rules(rules)
            server.wait_until(lambda: sum("the rule set: 3 rules" in line for line in server.log.splitlines()) > 0,
                              what="the new rules")
            assert refused(server, "nxos.bin", 2, "127.0.0.3") == "not today"
            fleet.put("rules.json", '{"rules": [{"id": "all", "then": {"fil": "x"}}]}')
            server.wait_log("the rule set was not taken up, the old one goes on")
            server.wait_log('rules.json: /rules/0/then/fil: unknown key \\"fil\\"; did you mean \\"file\\"?')
            assert refused(server, "nxos.bin", 2, "127.0.0.3") == "not today"
            rest = client.read_on(block=2)
            assert first.data + rest == fleet.new, "the running transfer did not end with what it began with"


def test_files_that_are_included_are_watched_as_well_also_new_ones():
    def saying(message):
        return {"rules": [{"id": message, "when": {"name": message}, "then": {"refuse": {"code": 2, "message": message}}}]}

    with Fleet() as fleet:
        fleet.put("one.json", json.dumps(saying("one")))
        fleet.rules({"rules": [{"include": "one.json"}, LAST]})
        with fleet.server() as server:
            def changed(name, content):
                before = server.log.count("the rule set: ")
                fleet.put(name, json.dumps(content))
                server.wait_until(lambda: server.log.count("the rule set: ") > before, what="the change")

            assert refused(server, "one", 2) == "one"
            changed("one.json", saying("two"))
            assert refused(server, "two", 2) == "two"
            fleet.put("other.json", json.dumps(saying("three")))
            changed("rules.json", {"rules": [{"include": "one.json"}, {"include": "other.json"}, LAST]})
            assert refused(server, "three", 2) == "three"
            fleet.put("other.json", json.dumps(saying("four")))
            end = time.monotonic() + 30
            while refused(server, "four", None) != "four":
                assert time.monotonic() < end, server.log
                time.sleep(0.05)


def test_a_configuration_is_generated_with_the_values_of_its_device():
    with Fleet() as fleet:
        fleet.put("templates/phone.xml.tmpl", "<name>{{hostname}}</name>")
        fleet.rules({"extractors": [{"id": "mac", "regex": "^([0-9a-f]{12})\\.cfg$", "captures": ["mac"]}],
                     "rules": [{"id": "cfg", "when": {"extractor": "mac", "known": True}, "then": {"template": "phone.cfg.tmpl"}},
                               {"id": "xml", "when": {"name": "*.xml"}, "then": {"template": "phone.xml.tmpl"}}, LAST]})
        with fleet.server() as server:
            assert fetch(server.address, "0015651234ab.cfg").content == b"name = ph-1\nmac = 00:15:65:12:34:ab\n"
            refused(server, "0015651234ac.cfg", 1)
            xml = fetch(server.address, "x.xml", local=("127.0.0.4", 0)).content
            assert xml == b"<name>leaf-2 &amp; &quot;lab&quot;</name>", xml
            fleet.put("templates/phone.cfg.tmpl", "changed {{hostname}}\n")
            server.wait_until(lambda: server.log.count("the rule set: ") > 1, what="the new template")
            assert fetch(server.address, "0015651234ab.cfg").content == b"changed ph-1\n"


def test_every_transfer_leaves_a_line_and_a_moved_record_begins_anew():
    with Fleet() as fleet, fleet.server() as server:
        server.wait_log("image images/nxos.10.bin: it is what the catalogue says")
        fetch(server.address, "nxos.bin", local=("127.0.0.3", 0))
        line = fleet.wait_lines(1)[0]
        time_of = line.pop("time")
        assert time_of.endswith("Z") and len(time_of) == 20, time_of
        assert line == {"device": "FDO21120U8N", "source": "address", "peer": "127.0.0.3", "name": "nxos.bin", "rule": "nxos",
                        "channel": "canary", "image": "images/nxos.10.bin", "model": "nxos", "version": "10.2.5",
                        "outcome": "delivered", "known": True, "bytes": 40000}, line
        with Client(server.address, local=("127.0.0.4", 0)) as client:
            client.rrq("nxos.bin")
            client.expect_data(1)
            client.ack(1)
            client.expect_data(2)
            client.error(0, "closed")
        assert fleet.wait_lines(2)[1]["outcome"] == "client", fleet.lines()
        os.rename(fleet.base / "given.jsonl", fleet.base / "given.jsonl.1")
        fetch(server.address, "nxos.bin", local=("127.0.0.4", 0))
        assert fleet.wait_lines(1)[0]["outcome"] == "delivered"
        assert len(fleet.lines("given.jsonl.1")) == 2
        status = json.loads(run([binary(), "firmware", "status", "--json", fleet.base / "given.jsonl.1",
                                 fleet.base / "given.jsonl"]).stdout)
        assert [(row["model"], row["version"], row["offered"], row["completed"], row["failed"]) for row in status] == [
            ("nxos", "10.2.5", 1, 1, 0), ("nxos", "9.3.10", 2, 1, 1)], status
        table = run([binary(), "firmware", "status", fleet.base / "given.jsonl"]).stdout
        assert table.split()[:6] == ["MODEL", "VERSION", "OFFERED", "COMPLETED", "FAILED", "DEVICES"], table


def test_a_rule_set_with_mistakes_stops_the_start_with_every_mistake_in_the_log():
    with Fleet() as fleet:
        fleet.rules({"rules": [{"id": "a", "when": {"mac": "zz"}, "then": {"template": "none.tmpl"}}]})
        try:
            with fleet.server():
                raise AssertionError("the server began")
        except Failed as failure:
            for part in ('/rules/0/when/mac: "zz" is neither a MAC address', "/rules: there is no last rule"):
                assert part in str(failure), failure
        fleet.rules({"rules": [{"id": "a", "then": {"template": "none.tmpl"}}]})
        try:
            with fleet.server():
                raise AssertionError("the server began")
        except Failed as failure:
            assert '/rules/0/then/template: there is no template "none.tmpl"' in str(failure), failure


def plan(fleet, *arguments, rules="rules.json", check=True):
    return run([binary(), "firmware", "plan", "--rules", fleet.base / rules, "--devices", fleet.base / "devices.csv",
                *arguments], check=check)


def test_plan_says_who_would_get_what_and_why():
    with Fleet() as fleet:
        told = json.loads(plan(fleet, "--root", fleet.root, "--name", "nxos.bin", "--json").stdout)
        assert [(row["device"], row["rule"], row["answer"], row.get("image", "")) for row in told] == [
            ("00:15:65:12:34:ab", "last", "refuse", ""), ("FDO21120U8N", "nxos", "file", "images/nxos.10.bin"),
            ("FDO21120U9P", "nxos", "file", "images/nxos.9.bin")], told
        assert "ring canary" in told[1]["why"] and told[1]["version"] == "10.2.5", told
        table = plan(fleet, "--name", "nxos.bin", "--why").stdout
        assert "nxos: model" in table, table
        asked = plan(fleet, "--name", "conf.{serial}").stdout
        assert "conf.FDO21120U8N" in asked and "{" not in asked, asked
        done = plan(fleet, check=False)
        assert done.returncode == 1 and "no names to ask for" in done.stderr, done


def test_plan_shows_the_differences_between_two_rule_files():
    with Fleet() as fleet:
        rules = json.loads((fleet.base / "rules.json").read_text(encoding="utf-8"))
        rules["channels"]["nxos"]["canary"] = "9.3.10"
        fleet.put("other.json", json.dumps(rules))
        changed = json.loads(plan(fleet, "--name", "nxos.bin", "--against", fleet.base / "other.json", "--json").stdout)
        assert [(row["device"], row["version"], row["against"]["version"]) for row in changed] == [
            ("FDO21120U8N", "10.2.5", "9.3.10")], changed
        table = plan(fleet, "--name", "nxos.bin", "--against", fleet.base / "other.json").stdout
        assert "leaf-2" not in table and "FDO21120U9P" not in table, table
        assert "1 of 3 answers differ" in table, table
        fleet.put("broken.json", "{}")
        done = plan(fleet, "--name", "x", rules="broken.json", check=False)
        assert done.returncode == 1 and 'broken.json: "rules" is missing' in done.stderr, done


README = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "firmware" / "README.md"
NIGHT = {"TZ": "UTC0"}


class Example(Tree):
    """The files of the README's example, and the images that it speaks of."""

    def __enter__(self):
        super().__enter__()
        text = README.read_text(encoding="utf-8")
        for name, content in re.findall(r"^`([\w./-]+)`:\n\n```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            path = self.base / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
            path.chmod(0o644)
        for name in ("polycom/6.4.6/3111-48600-001.sip.ld", "polycom/6.4.7/3111-48600-001.sip.ld", "network/nxos-9.3.12.cfg",
                     "cisco/ap3g2-k9w7-tar.153-3.JPK.tar", "rpi/stable/start4.elf", "start4.elf", "polycom/6.4.6/3111-48600-001.sip.ld.md5"):
            self.file(name, name.encode())
        self.file("images/c2960.12.2.bin", b"c2960 12.2\n")
        self.file("images/c2960.15.2.bin", b"c2960 15.2\n")
        return self


def test_the_example_of_the_readme_answers_every_device_as_it_says():
    with Example() as example, Server(listen=("127.0.0.1:0",), arguments=["--config", example.base / "tftpkit.json"]) as server:
        server.wait_log("image images/c2960.12.2.bin: it is what the catalogue says")
        server.wait_log("image images/c2960.15.2.bin is not handed out")

        def gets(name, last="1", options=()):
            return fetch(server.address, name, options, local=(f"127.0.0.{last}", 0)).content

        assert gets("64167f001122.cfg") == gets("64167F001122.cfg") == b'name="ph-11"\nmac="64167f001122"\n'
        assert gets("000000000000.cfg", "12") == b'name="ph-12"\nmac="64167f001123"\n'
        assert gets("3111-48600-001.sip.ld", "12") == b"polycom/6.4.7/3111-48600-001.sip.ld", "the canary"
        assert gets("3111-48600-001.sip.ld", "11") == b"polycom/6.4.6/3111-48600-001.sip.ld"
        assert gets("3111-48600-001.sip.ld.md5", "11") == b"polycom/6.4.6/3111-48600-001.sip.ld.md5"
        assert b"<loadInformation>sip88xx.14-2-1-0001-14</loadInformation>" in gets("SEP0011223344AA.cnf.xml")
        assert refused(server, "SEP0011223344AB.cnf.xml", 1) == "unknown phone"
        assert refused(server, "CTLSEP0011223344AA.tlv", 1) == "File not found"
        assert gets("conf_FDO12345678.cfg") == b"network/nxos-9.3.12.cfg"
        assert gets("ap3g2-k9w7-tar.default") == b"cisco/ap3g2-k9w7-tar.153-3.JPK.tar"
        assert gets("upgrade-from-12.1.bin") == b"c2960 12.2\n", "12.2 comes first"
        assert "is not what the catalogue says" in refused(server, "upgrade-from-12.2.bin", 2)
        assert gets("router-confg", "15") == b"hostname sw-1\n"
        refused(server, "router-confg", 1, "127.0.0.99")
        assert gets("1a2b3c4d/start4.elf") == b"rpi/stable/start4.elf"
        refused(server, "9e9e9e9e/start4.elf", 1)
        assert gets("start4.elf") == b"start4.elf", "the fallback of an unknown Pi"
        assert refused(server, "805EC0112233.cfg", 2) == "this vendor is not allowed here"


def test_the_plan_of_the_readme_shows_the_fleet():
    with Example() as example:
        told = json.loads(run([binary(), "firmware", "plan", "--rules", example.base / "rules.json", "--devices",
                               example.base / "devices.csv", "--root", example.root, "--json"]).stdout)
        assert [(row["device"], row["name"], row["rule"]) for row in told] == [
            ("64:16:7f:00:11:22", "64167f001122.cfg", "vvx-own"),
            ("64:16:7f:00:11:22", "3111-48600-001.sip.ld", "vvx-firmware"),
            ("64:16:7f:00:11:23", "64167f001123.cfg", "vvx-own"),
            ("64:16:7f:00:11:23", "3111-48600-001.sip.ld", "vvx-firmware"),
            ("00:11:22:33:44:aa", "SEP0011223344AA.cnf.xml", "cisco-8841"),
            ("FDO12345678", "conf.FDO12345678", "nexus-lab")], told
        at = [json.loads(run([binary(), "firmware", "plan", "--rules", example.base / "rules.json", "--devices",
                              example.base / "devices.csv", "--name", "night.bin", "--at", moment, "--json"],
                             env={**os.environ, **NIGHT}).stdout)[4]
              for moment in ("2026-11-25T12:00:00Z", "2026-11-25T23:00:00Z")]
        assert [row["rule"] for row in at] == ["switch-by-day", "switch-at-night"], at
        assert at[0]["message"] == "upgrades run from 22:00 to 05:00", at


def test_the_settings_in_the_readme_are_those_of_the_schema():
    plugin = pathlib.Path(binary()).resolve().parents[1] / "plugins" / "firmware.so"
    rows = json.loads(run([binary(), "plugins", "inspect", plugin, "--json"]).stdout)["settings"]
    text = README.read_text(encoding="utf-8")
    assert len(rows) >= 8, rows
    for row in rows:
        assert re.search(rf"^\| `{row['name']}` \|.*\| {re.escape(row['help'])} \|$", text, re.MULTILINE), row


if __name__ == "__main__":
    tftplib.main(globals())
