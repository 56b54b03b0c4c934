#!/usr/bin/python3
"""`tftpkit plugins check`: each check has a plugin that fails it and nothing else, and good plugins pass; and
`tftpkit plugins install`, which uses it."""
import json
import os
import pathlib
import shutil
import stat

import tftplib
from tftplib import Tree, sample_plugin

CHECKS = """entry-is-pure entry-stable exports-only-entry no-undefined-symbols no-gnu-unique name-matches-file schema-is-valid
create-without-settings create-destroy-100 unknown-path hostile-paths read-1-byte read-huge size-matches-bytes
buffer-stays-constant close-after-every-prefix cancel-unblocks late-complete complete-before-return parallel-opens
inline-is-fast write-without-commit-leaves-nothing short-struct-host""".split()


def tool(*arguments, status=0, **more):
    done = tftplib.run([tftplib.binary(), "plugins", *arguments], check=False, seconds=120, **more)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done


def verdicts(plugin, *arguments, status=0):
    """The verdict of each check by its name, and the whole report."""
    report = json.loads(tool("check", plugin, "--json", *arguments, status=status).stdout)
    return {check["name"]: check["verdict"] for check in report["checks"]}, report


def test_good_plugins_of_every_kind_pass_every_check_that_applies():
    builtin = pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins"
    with Tree() as tree:
        tree.file("hello", b"hello\n" * 1000)
        for plugin, arguments, applies in (
                (sample_plugin("hello-c"), (), {"buffer-stays-constant", "size-matches-bytes"}),
                (sample_plugin("hello-cpp"), (), {"buffer-stays-constant", "size-matches-bytes"}),
                (sample_plugin("memory"), ("--path", "pattern/5000"), {"inline-is-fast", "parallel-opens"}),
                (sample_plugin("stream"), ("--path", "pattern/5000", "--path", "trickle/pattern/100"),
                 {"read-1-byte", "read-huge", "close-after-every-prefix", "parallel-opens"}),
                (sample_plugin("pipe"), ("--path", "sized/pattern/5000"), {"size-matches-bytes", "parallel-opens"}),
                (sample_plugin("pending"), ("--path", "after/2"), {"late-complete", "complete-before-return"}),
                (sample_plugin("redirect"), ("--path", "to/x"), {"parallel-opens"}),
                (sample_plugin("pathinfo"), (), {"buffer-stays-constant"}),
                (sample_plugin("settings"), ("--set", '{"greeting": "hi"}', "--path", "all"),
                 {"schema-is-valid", "buffer-stays-constant"}),
                (sample_plugin("slow"), ("--path", "cancel", "--only", "cancel-unblocks"), {"cancel-unblocks"}),
                (builtin / "exec.so", ("--set", '{"command": ["echo", "x"]}'),
                 {"schema-is-valid", "inline-is-fast", "late-complete", "parallel-opens"}),
                (builtin / "file.so", ("--set", json.dumps({"root": str(tree.root)}), "--path", "hello"),
                 {"schema-is-valid", "size-matches-bytes", "parallel-opens"})):
            seen, report = verdicts(plugin, *arguments)
            assert report["failed"] == 0, report
            assert all(seen[name] == "pass" for name in applies), (plugin, applies, report)


def test_each_check_has_a_plugin_that_fails_it_and_nothing_else():
    for check in CHECKS:
        more = ("--set", '{"root": "x"}') if check == "create-without-settings" else ()
        seen, report = verdicts(sample_plugin("fails-" + check), *more, status=1)
        assert list(seen) == CHECKS, list(seen)
        assert [name for name, verdict in seen.items() if verdict == "fail"] == [check], report
        failed = next(one for one in report["checks"] if one["verdict"] == "fail")
        assert failed["what"] and failed["where"] and failed["right"], failed


def test_a_plugin_that_crashes_exits_or_hangs_is_failed_and_the_rest_goes_on():
    for name, what in (("crash-in-entry", "SIGABRT"), ("exit-in-entry", "exit(0)")):
        seen, report = verdicts(sample_plugin(name), status=1)
        assert seen["entry-is-pure"] == "fail" and seen["exports-only-entry"] == "pass", report
        assert what in report["checks"][0]["what"] and "tftpkit_plugin_v1()" in report["checks"][0]["where"], report
    text = tool("check", sample_plugin("throws"), "--path", "read", "--only", "size-matches-bytes,read-1-byte", status=1).stdout
    assert "fail  read-1-byte" in text and "right:" in text and "1 failed" in text, text


def test_only_chooses_and_unknown_names_are_told():
    seen, _ = verdicts(sample_plugin("hello-c"), "--only", "entry-stable,unknown-path")
    assert list(seen) == ["entry-stable", "unknown-path"]
    assert "no-such" in tool("check", sample_plugin("hello-c"), "--only", "no-such", status=1).stderr
    assert "--set" in tool("check", sample_plugin("hello-c"), "--set", "[]", status=1).stderr
    tool("check", "/no/such/file.so", status=1)
    helped = tool("check", "--help").stdout
    assert all(name in helped for name in CHECKS), helped


def test_in_process_runs_the_checks_in_this_process_and_says_where_it_is():
    done = tool("check", sample_plugin("stream"), "--path", "pattern/5000", "--in-process")
    assert "-- create()" in done.stderr and " 0 failed" in done.stdout, done


def test_what_a_check_skips_has_a_reason_that_helps():
    seen, report = verdicts(sample_plugin("stream"))
    assert seen["read-1-byte"] == "skip" and report["failed"] == 0, report
    reason = next(one["what"] for one in report["checks"] if one["name"] == "read-1-byte")
    assert "any/name: declined" in reason and "--path" in reason, reason
    _, report = verdicts(sample_plugin("settings"))
    assert any("greeting" in one.get("what", "") and "--set" in one["what"] for one in report["checks"]), report


def test_install_checks_and_copies_with_the_right_mode_and_leaves_nothing_else():
    with Tree() as tree:
        directory = tree.path("plugins")
        directory.mkdir(mode=0o755)
        source = tree.path("libhello.so")
        shutil.copy(sample_plugin("hello-c"), source)
        source.chmod(0o666)
        before = os.umask(0)
        try:
            out = tool("install", source, "--plugin-dir", directory).stdout
        finally:
            os.umask(before)
        target = directory / "hello-c.so"
        assert str(target) in out and "0 failed" in out, out
        assert os.listdir(directory) == ["hello-c.so"]
        assert target.read_bytes() == source.read_bytes()
        assert stat.S_IMODE(target.stat().st_mode) == 0o644
        listed = json.loads(tool("list", "--plugin-dir", directory, "--json").stdout)
        assert any(row["name"] == "hello-c" and row["state"] == "ok" for row in listed), listed


def test_install_refuses_what_fails_and_says_why():
    with Tree() as tree:
        directory = tree.path("plugins")
        directory.mkdir(mode=0o755)
        unfit = sample_plugin("fails-unknown-path")
        refused = tool("install", unfit, "--plugin-dir", directory, status=1)
        assert "fail  unknown-path" in refused.stderr and "--force" in refused.stderr, refused
        assert not os.listdir(directory)
        tool("install", unfit, "--plugin-dir", directory, "--force")
        assert os.listdir(directory) == ["fails-unknown-path.so"]
        crashed = tool("install", sample_plugin("crash-in-entry"), "--plugin-dir", directory, "--force", status=1)
        assert "crashed" in crashed.stderr and str(sample_plugin("crash-in-entry")) in crashed.stderr, crashed
        assert os.listdir(directory) == ["fails-unknown-path.so"]
        directory.chmod(0o777)
        assert "chmod" in tool("install", sample_plugin("hello-c"), "--plugin-dir", directory, status=1).stderr
        tool("install", sample_plugin("hello-c"), "--plugin-dir", tree.path("missing"), status=1)


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
