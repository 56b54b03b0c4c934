#!/usr/bin/python3
"""Which instance answers: routes, their order, who declines, who sends on. And what starts without a configuration."""
import tftplib
from tftplib import Failed, Server, Tree, fetch, refused, sample_plugin


def trees(tree, *names):
    """A `file` instance for each name, rooted in a directory of that name."""
    for name in names:
        tree.file(f"{name}/who", name.encode())
    return [{"name": name, "plugin": "file", "settings": {"root": str(tree.root / name)}} for name in names]


def configured(tree, **members):
    return Server(arguments=["--config", tree.config(**members)])


def test_the_first_route_whose_glob_matches_answers():
    with Tree() as tree:
        instances = trees(tree, "one", "two")
        tree.file("two/a/who", b"two, below")
        tree.file("one/a/b/who", b"one, far below")
        routes = [{"match": "a/*", "to": ["two"]}, {"match": ["**"], "to": ["one"]}]
        with configured(tree, instances=instances, routes=routes) as server:
            assert fetch(server.address, "who").content == b"one"
            assert fetch(server.address, "a/who").content == b"two, below"
            assert fetch(server.address, "a/b/who").content == b"one, far below", "* went into a directory"
            assert fetch(server.address, "/a//who").content == b"two, below", "globs see the clean path"


def test_a_route_is_for_its_client_networks_alone():
    with Tree() as tree:
        routes = [{"clients": ["127.0.0.2", "127.0.8.0/24"], "to": ["two"]}, {"clients": "127.0.0.0/24", "to": ["one"]}]
        with configured(tree, instances=trees(tree, "one", "two"), routes=routes) as server:
            assert fetch(server.address, "who", local=("127.0.0.2", 0)).content == b"two"
            assert fetch(server.address, "who", local=("127.0.8.77", 0)).content == b"two"
            assert fetch(server.address, "who", local=("127.0.0.3", 0)).content == b"one"
            refused(server.address, "who", 1, local=("127.9.9.9", 0))
            server.wait_log("no route")


def test_an_instance_that_declines_passes_the_request_on():
    with Tree() as tree:
        instances = [{"name": "memory", "plugin": "memory"}, {"name": "late", "plugin": "pending"},
                     *trees(tree, "one")]
        with configured(tree, plugins=[str(sample_plugin("memory")), str(sample_plugin("pending"))], instances=instances,
                        routes=[{"to": ["memory", "late", "one"]}]) as server:
            assert fetch(server.address, "zeros/3").content == b"\0\0\0"
            tree.file("one/decline/5", b"after a late DECLINED")
            assert fetch(server.address, "decline/5").content == b"after a late DECLINED"
            assert fetch(server.address, "who").content == b"one"
            refused(server.address, "missing", 1)


def test_without_routes_all_instances_are_asked_in_order():
    with Tree() as tree:
        instances = [{"name": "first", "plugin": "hello-c"}, *trees(tree, "one")]
        with configured(tree, plugins=[str(sample_plugin("hello-c"))], instances=instances) as server:
            assert fetch(server.address, "who").content == b"Hello from C!\n"
        instances.reverse()
        with configured(tree, plugins=[str(sample_plugin("hello-c"))], instances=instances) as server:
            assert fetch(server.address, "who").content == b"one"


def redirecting(tree, count):
    """`count` instances of redirect, then one of memory."""
    instances = [{"name": f"r{i}", "plugin": "redirect"} for i in range(count)] + [{"name": "end", "plugin": "memory"}]
    plugins = [str(sample_plugin("redirect")), str(sample_plugin("memory"))]
    return configured(tree, plugins=plugins, instances=instances)


def test_a_redirect_goes_to_the_instances_that_follow_up_to_eight_times():
    with Tree() as tree, redirecting(tree, 9) as server:
        for hops in (1, 2, 8):
            assert fetch(server.address, "to/" * hops + "zeros/600").content == bytes(600), hops
        assert "redirects" in refused(server.address, "to/" * 9 + "zeros/600", 0)
        assert "redirects" in refused(server.address, "again/x", 0)
        assert fetch(server.address, "zeros/1").content == b"\0"


def test_a_redirect_that_nobody_follows_is_a_missing_file():
    with Tree() as tree, redirecting(tree, 1) as server:
        refused(server.address, "to/nowhere", 1)
        refused(server.address, "to/to/zeros/5", 1)  # the only redirect has been asked already


def test_a_directory_is_served_behind_plugins_that_were_given():
    with Tree() as tree:
        tree.file("zeros/4", b"file")
        tree.file("other", b"other")
        with Server(tree.root, arguments=["--plugin", sample_plugin("memory")]) as server:
            assert fetch(server.address, "zeros/4").content == bytes(4)
            assert fetch(server.address, "other").content == b"other"


def test_a_plugin_directory_gives_an_instance_of_each_plugin_without_settings():
    with Tree() as tree:
        dropped = tree.path("dropped")
        dropped.mkdir()
        for name in ("memory", "redirect", "settings"):  # "settings" needs one
            (dropped / f"{name}.so").write_bytes(sample_plugin(name).read_bytes())
        (dropped / "notes.txt").write_text("no plugin")
        with Server(arguments=["--plugin-dir", dropped]) as server:
            assert fetch(server.address, "zeros/9").content == bytes(9)
            server.wait_log("needs settings")
            assert "instance=redirect" in server.log, server.log


def test_a_broken_plugin_in_a_directory_is_passed_over_by_name():
    with Tree() as tree:
        dropped = tree.path("dropped")
        dropped.mkdir()
        for name in ("memory", "crash-in-entry", "no-entry"):
            (dropped / f"{name}.so").write_bytes(sample_plugin(name).read_bytes())
        (dropped / "text.so").write_text("not even ELF")
        with Server(arguments=["--plugin-dir", dropped]) as server:
            assert fetch(server.address, "zeros/9").content == bytes(9)
            for name in ("crash-in-entry.so", "no-entry.so", "text.so"):
                server.wait_log(name)


def test_an_instance_gets_its_settings_and_two_instances_of_a_plugin_differ():
    with Tree() as tree:
        instances = [{"name": name, "plugin": "settings", "settings": {"greeting": text, "cache": "2KiB"}}
                     for name, text in (("one", "good day"), ("two", "hello"))]
        routes = [{"clients": "127.0.0.2", "to": ["two"]}, {"to": ["one"]}]
        with configured(tree, plugins=[str(sample_plugin("settings"))], instances=instances, routes=routes) as server:
            assert fetch(server.address, "text/greeting").content == b"good day"
            assert fetch(server.address, "text/greeting", local=("127.0.0.2", 0)).content == b"hello"
            assert fetch(server.address, "integer/cache").content == b"2048"
            assert fetch(server.address, "integer/patience").content == b"3000"


def not_started(*arguments, **more):
    """The complaint of a server that must not start."""
    done = tftplib.run([tftplib.binary(), "serve", "--listen", "127.0.0.1:0", *arguments], check=False, **more)
    if done.returncode != 1:
        raise Failed(f"ended with {done.returncode}: {done.stdout}{done.stderr}")
    assert "listening on" not in done.stdout
    return done.stderr


def test_wrong_settings_are_named_all_at_once_and_nothing_starts():
    with Tree() as tree:
        instances = [{"name": "one", "plugin": "settings", "settings": {"greting": "x", "level": 12}},
                     {"name": "two", "plugin": "file", "settings": {"root": 5}}]
        text = not_started("--config", tree.config(plugins=[str(sample_plugin("settings"))], instances=instances))
        for part in ("/instances/0/settings/greting", "\"greeting\"", "/instances/0/settings/level",
                     "/instances/1/settings/root"):
            assert part in text, f"{part} is not in: {text}"


def test_what_cannot_be_served_is_named():
    with Tree() as tree:
        assert "no directory" in not_started(tree.path("missing"))
        assert "nowhere.so" in not_started("--plugin", "nowhere.so")
        assert "crash-in-entry.so" in not_started("--plugin", sample_plugin("crash-in-entry"))
        text = not_started("--config", tree.config(instances=[{"name": "a", "plugin": "fiel"}]))
        assert "fiel" in text and "file" in text, text
        text = not_started("--config", tree.config(instances=[{"name": "a", "plugin": "settings", "settings": {
            "greeting": "x", "fail_in": "start"}}], plugins=[str(sample_plugin("settings"))]))
        assert "told to fail" in text and "\"a\"" in text, text
        text = not_started("--config", tree.config(instances=[{"name": "a", "plugin": "hello-c", "execution": "inline"}],
                                                   plugins=[str(sample_plugin("hello-c"))]))
        assert "execution" in text and "serial" in text, text
        assert "nothing to serve" in not_started()


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
